#include "models/network_upscaler.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/srvgg.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

NamedTensors tensors() {
  return test::random_tensors(srvgg_layout(8, 2, 2), 1);
}

UpscalerPtr upscaler(const NamedTensors& weights) {
  return make_network_upscaler(
      "net",
      load_network({.format = "safetensors", .dialect = "params", .tensors = weights, .metadata = {}}));
}

TEST(NetworkUpscaler, FactsAreThoseOfTheFile) {
  const NamedTensors weights = tensors();
  const UpscalerInfo info = upscaler(weights)->info();
  EXPECT_EQ(info.name, "net");
  EXPECT_EQ(info.dialect, "params");
  EXPECT_EQ(info.tensor_hash, tensor_hash(weights));
  EXPECT_EQ(info.parameters, 3 * 8 * 9 + 8 + 2 * (8 + 8 * 8 * 9 + 8) + 8 + 8 * 12 * 9 + 12);
}

TEST(NetworkUpscaler, HalfPrecisionStaysInside) {
  const UpscalerPtr full = upscaler(tensors());
  const at::Tensor batch = at::rand({1, 3, 8, 8}), exact = full->forward(batch, 2);
  for (const auto& [precision, tolerance] :
       {std::pair(Precision::fp16, 2e-2), std::pair(Precision::bf16, 1e-1)}) {
    const at::Tensor result = full->to("cpu", precision)->forward(batch, 2);
    EXPECT_EQ(result.scalar_type(), at::kFloat);
    const double error = (result - exact).abs().max().item<double>();
    EXPECT_LT(error, tolerance);  // four layers of sums of values near 1, at 11 and 8 bits
    EXPECT_GT(error, 0);          // it was in fact computed in half precision
  }
}

TEST(NetworkUpscaler, AWayThroughHalfPrecisionLosesNothing) {
  const UpscalerPtr full = upscaler(tensors());
  const at::Tensor batch = at::rand({1, 3, 8, 8});
  EXPECT_TRUE(at::equal(full->to("cpu", Precision::fp16)->to("cpu", Precision::fp32)->forward(batch, 2),
                        full->forward(batch, 2)));
}

TEST(NetworkUpscaler, WeightsStoredInHalfAreComputedInFloat) {
  NamedTensors half = tensors(), full;
  for (auto& [name, tensor] : half) {
    tensor = tensor.to(at::kHalf);
    full[name] = tensor.to(at::kFloat);
  }
  const at::Tensor batch = at::rand({1, 3, 8, 8});
  EXPECT_TRUE(at::equal(upscaler(half)->forward(batch, 2), upscaler(full)->forward(batch, 2)));
}

TEST(NetworkUpscaler, WrongRequestsAreRefused) {
  const UpscalerPtr net = upscaler(tensors());
  EXPECT_THAT([&] { net->forward(at::rand({1, 3, 8, 8}), 4); },
              testing::ThrowsMessage<std::invalid_argument>(
                  testing::HasSubstr("a network of scale 2 is asked for scale 4")));
  EXPECT_THAT([&] { net->to("gpu", Precision::fp32); },
              testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("unknown device 'gpu'")));
}

}  // namespace
}  // namespace upbench
