#include <ATen/ATen.h>

#include "datasets/device/pixels.h"
#include "models/networks/prepared.h"
#include "pretend.h"
#include "where.h"

namespace upbench {
namespace {

UPBENCH_ON_BOTH(RectifyKernel);

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

TEST_P(RectifyKernel, OfKnownValuesIsKnown) {
  const at::Tensor x = channels_last(at::tensor({1.0F, -1.0F, 0.5F, 4.0F}).view({1, 2, 1, 2})).to(device());
  kernels::rectify(table(), x, at::tensor({0.0F, -2.0F}).to(device()),
                   at::tensor({0.25F, -0.5F}).to(device()));
  // -1 x 0.25, (0.5 - 2) x -0.5
  EXPECT_TRUE(at::equal(x.cpu().flatten(), at::tensor({1.0F, -0.25F, 0.75F, 2.0F})));
}

// Channels that do and do not fill whole packs of 16 bytes.
TEST_P(RectifyKernel, IsBiasAndPreluInAnyWidth) {
  for (const int channels : {1, 3, 4, 24, 64}) {
    const at::Tensor x = channels_last(at::randn({2, channels, 7, 5})), bias = at::randn({channels}),
                     slope = at::randn({channels});
    const at::Tensor expected = at::prelu(x + bias.view({1, -1, 1, 1}), slope);
    const at::Tensor y = x.clone().to(device());
    kernels::rectify(table(), y, bias.to(device()), slope.to(device()));
    EXPECT_TRUE(at::equal(y.cpu(), expected)) << channels;  // one sum, one product: the same bits
  }
}

TEST_P(RectifyKernel, KeepsWhatIsNoNumber) {
  const at::Tensor x = channels_last(at::full({1, 4, 1, 1}, NAN)).to(device());
  kernels::rectify(table(), x, at::zeros({4}, x.options()), at::ones({4}, x.options()));
  EXPECT_TRUE(x.isnan().all().item<bool>());
}

TEST_P(RectifyKernel, RoundsHalfTypesOnce) {
  if (!on_gpu()) GTEST_SKIP() << "the emulation has no half types";
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor x = channels_last(at::randn({2, 64, 9, 9})).to(type), bias = at::randn({64}).to(type),
                     slope = at::randn({64}).to(type);
    const at::Tensor expected =
        at::prelu(x.to(at::kFloat) + bias.to(at::kFloat).view({1, -1, 1, 1}), slope.to(at::kFloat)).to(type);
    const at::Tensor y = x.to(device()).contiguous(at::MemoryFormat::ChannelsLast);
    kernels::rectify(table(), y, bias.to(device()), slope.to(device()));
    EXPECT_TRUE(at::equal(y.cpu(), expected)) << c10::toString(type);
  }
}

TEST_P(RectifyKernel, RefusesOtherLayoutsAndTypes) {
  const at::Tensor planes = at::zeros({1, 3, 4, 4}).to(device()), three = at::zeros({3}).to(device());
  EXPECT_THROW(kernels::rectify(table(), planes, three, three), std::invalid_argument);
  const at::Tensor x = channels_last(planes);
  EXPECT_THROW(kernels::rectify(table(), x, three, at::zeros({1}).to(device())), std::invalid_argument);
  EXPECT_THROW(kernels::rectify(table(), x, three, three.to(at::kHalf)), std::invalid_argument);
}

TEST(RectifiedConvolution, IsTheSameByTheKernel) {
  const ConvolutionLayer layer{.weight = at::randn({8, 3, 3, 3}), .bias = at::randn({8}), .padding = 1};
  const at::Tensor x = at::rand({2, 3, 9, 7}), slope = at::randn({8}),
                   expected = at::prelu(at::conv2d(x, layer.weight, layer.bias, 1, 1), slope);
  const test::Pretending device("rectify");
  const at::Tensor y = rectified_convolution({.layer = layer}, x, slope);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));  // the kernel's
  EXPECT_TRUE(at::allclose(y, expected, 1e-5, 1e-5));            // the bias is added last
}

}  // namespace
}  // namespace upbench
