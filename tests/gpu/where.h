#pragma once

#include "emulated_kernels.h"
#include "gpu.h"

namespace upbench::test {

// Every test of a kernel runs twice: emulated on the CPU everywhere, and on the GPU where there is one.
class OnBoth : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (on_gpu() && !no_kernels().empty()) GTEST_SKIP() << no_kernels();
  }
  bool on_gpu() const { return std::string(GetParam()) != "cpu"; }
  std::string device() const { return GetParam(); }
  const PixelKernels& table() const { return on_gpu() ? cuda_module().module->kernels : emulated_kernels(); }
};

}  // namespace upbench::test

#define UPBENCH_ON_BOTH(suite)                                       \
  using suite = upbench::test::OnBoth;                               \
  INSTANTIATE_TEST_SUITE_P(Emulated, suite, testing::Values("cpu")); \
  INSTANTIATE_TEST_SUITE_P(Cuda, suite, testing::Values("cuda:0"))
