#pragma once

#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "gpu.h"
#include "harness/device_runtime.h"
#include "models/upscaler.h"

namespace upbench::test {

// Root mean square of the difference, in standard deviations of what is expected; NaN where anything is.
inline double relative_rms(const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor exact = expected.cpu();
  return (found.cpu() - exact).square().mean().sqrt().item<double>() / exact.std().item<double>();
}

// Tests of what LibTorch computes run twice: with the CPU in the place of the device, which shows that the
// test itself holds, and on the GPU where there is one. Base: testing::Test, or a fixture made of it.
template <class Base = testing::Test>
class OnDevice : public Base, public testing::WithParamInterface<const char*> {
 protected:
  template <class... Arguments>
  explicit OnDevice(Arguments&&... arguments) : Base(std::forward<Arguments>(arguments)...) {}

  void SetUp() override {
    if (on_gpu() && !no_gpu().empty()) GTEST_SKIP() << no_gpu();
    Base::SetUp();
    apply({});  // no TF32
  }

  std::string device() const { return GetParam(); }
  bool on_gpu() const { return device() != "cpu"; }
  // CPUs lack some operators in fp16; bf16 has them all.
  Precision half() const { return on_gpu() ? Precision::fp16 : Precision::bf16; }
};

}  // namespace upbench::test

#define UPBENCH_ON_CPU_AND_GPU(suite)                           \
  INSTANTIATE_TEST_SUITE_P(Cpu, suite, testing::Values("cpu")); \
  INSTANTIATE_TEST_SUITE_P(Cuda, suite, testing::Values("cuda:0"))
