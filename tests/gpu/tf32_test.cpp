// TF32: a precision of a stage, LibTorch's switch for the whole process.
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <unordered_map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/cuda_driver.h"
#include "harness/device_runtime.h"
#include "harness/stages/stage.h"
#include "harness/tf32_scope.h"
#include "on_device.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

// The switch needs no GPU.
class Tf32Switch : public testing::Test {
 protected:
  void SetUp() override { apply({.search_algorithms = true, .deterministic = false}); }
  void TearDown() override { apply({}); }
};

TEST_F(Tf32Switch, IsAsItWasWhenTheLastScopeEnds) {
  {
    const Tf32Scope scope("cuda:0", true);
    EXPECT_TRUE(settings_in_force().tf32);
    {
      const Tf32Scope alike("cuda:1", true);
      EXPECT_TRUE(settings_in_force().tf32);
    }
    EXPECT_TRUE(settings_in_force().tf32) << "the first one still computes";
  }
  EXPECT_FALSE(settings_in_force().tf32);
  EXPECT_TRUE(settings_in_force().search_algorithms) << "other switches stay";
  EXPECT_FALSE(settings_in_force().deterministic);
}

TEST_F(Tf32Switch, IsWaitedForByWhoWantsItOtherwise) {
  std::optional<Tf32Scope> on(std::in_place, "cuda:0", true);
  auto waiting = std::async(std::launch::async, [] {
    const Tf32Scope off("cuda:1", false);
    return settings_in_force().tf32;
  });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  on.reset();
  EXPECT_FALSE(waiting.get());
}

TEST_F(Tf32Switch, IsNothingToTheCpu) {
  const Tf32Scope scope("cpu", true);
  EXPECT_FALSE(settings_in_force().tf32);
}

class CudaDeviceTf32 : public testing::Test {
 protected:
  void SetUp() override {
    UPBENCH_NEEDS_GPU();
    const Gpu gpu = ask_driver().gpus.at(0);
    if (gpu.major < 8) GTEST_SKIP() << gpu.name << " has no TF32";
    apply({});
  }

  Image upscaled(const std::string& precision) {
    const nlohmann::json settings = {
        {"model", "compact-x2"}, {"tile", "none"}, {"precision", precision}, {"fit", "none"}};
    const StageContext context{.models = models_, .device = "cuda:0", .planned = planned_};
    used_ = nlohmann::json::object();
    return make_stage("upscale", "s", settings)
        ->run({.rgb = picture_.to("cuda:0"), .target = {}}, context, used_)
        .rgb;
  }

  const Image picture_ = test::textured(93, 110, 21);
  ModelCache models_{ModelSearch{}, 1 << 24};
  std::unordered_map<std::string, ModelFacts> planned_;
  nlohmann::json used_;
};

TEST_F(CudaDeviceTf32, ProductsKeepTenBitsOfTheirFactors) {
  const at::TensorOptions there(at::Device("cuda:0"));
  const at::Tensor a = at::rand({512, 512}, there), b = at::rand({512, 512}, there);
  const at::Tensor exact = a.to(at::kDouble).mm(b.to(at::kDouble)), before = a.mm(b);
  at::Tensor product;
  {
    const Tf32Scope scope("cuda:0", true);
    product = a.mm(b);
  }
  // Each factor loses less than 2^-10 of itself, all are positive; float32 sums beside that are exact.
  const auto largest = [&](const at::Tensor& found) {
    return ((found.to(at::kDouble) - exact) / exact).abs().max().item<double>();
  };
  EXPECT_LT(largest(product), 2.1 / 1024);
  EXPECT_GT(largest(product), 4 * largest(before)) << "it was no TF32";
  EXPECT_TRUE(at::equal(a.mm(b), before)) << "the switch is back";
}

TEST_F(CudaDeviceTf32, IsAPrecisionOfAStageAndOfNoOther) {
  const Image full = upscaled("fp32");
  EXPECT_EQ(used_["precision"], "fp32");
  const Image rounded = upscaled("tf32");
  EXPECT_EQ(used_["precision"], "tf32");
  EXPECT_FALSE(settings_in_force().tf32);
  // As of fp16 (architectures_test.cpp), which keeps as many bits and rounds what is between layers as well.
  EXPECT_LT(test::relative_rms(rounded, full), 0.02);
  EXPECT_TRUE(at::equal(upscaled("fp32"), full)) << "as before";
}

}  // namespace
}  // namespace upbench
