#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "datasets/device/pixels.h"
#include "datasets/image.h"
#include "where.h"

namespace upbench {
namespace {

UPBENCH_ON_BOTH(LayoutKernel);

// Every code in every channel: u8 [16, 16, 3], channels out of step.
at::Tensor all_codes() {
  const at::Tensor codes = at::arange(256, at::kInt);
  return at::stack({codes, (codes + 85) % 256, (codes * 7) % 256}, 1).to(at::kByte).view({16, 16, 3});
}

Raster raster_of(const at::Tensor& bytes) {
  Raster raster{.width = static_cast<int>(bytes.size(1)),
                .height = static_cast<int>(bytes.size(0)),
                .channels = 3,
                .bit_depth = 8};
  const at::Tensor whole = bytes.cpu().contiguous();
  const auto* data = whole.const_data_ptr<std::uint8_t>();
  raster.samples.assign(data, data + whole.numel());
  return raster;
}

// Values around every rounding boundary, beyond the range, and what is no number; [3, 16, 48].
Image awkward() {
  std::vector<float> values;
  for (int code = 0; code < 256; ++code) {
    const float half = (static_cast<float>(code) + 0.5F) / 255.0F;
    values.insert(values.end(), {half, std::nextafterf(half, 0.0F), std::nextafterf(half, 1.0F)});
    values.insert(values.end(), {static_cast<float>(code) / 255.0F, -half, 1 + half});
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  values.resize(3 * 16 * 48, 0.25F);
  values[0] = std::numeric_limits<float>::quiet_NaN();
  values[1] = kInfinity;
  values[2] = -kInfinity;
  values[3] = -0.0F;
  return at::tensor(values).view({3, 16, 48});
}

TEST_P(LayoutKernel, BytesBecomeTheValuesOfTheDecoder) {
  const at::Tensor bytes = all_codes();
  const Image image = kernels::image_of_bytes(table(), bytes.to(device()));
  EXPECT_TRUE(image.is_contiguous());
  EXPECT_TRUE(at::equal(image.cpu(), to_image(raster_of(bytes))));  // the same bits
}

TEST_P(LayoutKernel, ValuesBecomeTheBytesOfTheEncoder) {
  const Image image = awkward();
  const at::Tensor bytes = kernels::bytes_of_image(table(), image.to(device()));
  EXPECT_EQ(raster_of(bytes).samples, to_raster(image).samples);
}

TEST_P(LayoutKernel, ReadsPartsOfPicturesInAnyLayout) {
  const Image image = awkward().to(device());
  const Image part = image.narrow(1, 3, 9).narrow(2, 5, 31);
  EXPECT_EQ(raster_of(kernels::bytes_of_image(table(), part)).samples, to_raster(part.cpu()).samples);
  const Image interleaved = part.permute({1, 2, 0}).contiguous().permute({2, 0, 1});
  EXPECT_EQ(raster_of(kernels::bytes_of_image(table(), interleaved)).samples, to_raster(part.cpu()).samples);
}

TEST_P(LayoutKernel, ThereAndBackIsTheSamePicture) {
  const at::Tensor bytes = all_codes().to(device());
  EXPECT_TRUE(at::equal(kernels::bytes_of_image(table(), kernels::image_of_bytes(table(), bytes)), bytes));
}

// 65535 blocks of 8 rows are all that a grid has below each other.
TEST_P(LayoutKernel, PicturesMayBeHigherThanAGrid) {
  constexpr std::int64_t kHeight = 65535 * 8 + 9;
  const at::Tensor bytes =
      at::arange(3 * kHeight, at::kInt).remainder(251).to(at::kByte).view({kHeight, 1, 3}).to(device());
  const Image image = kernels::image_of_bytes(table(), bytes);
  EXPECT_TRUE(at::equal(image, image_of_bytes(bytes)));
  EXPECT_TRUE(at::equal(kernels::bytes_of_image(table(), image), bytes));
}

// The way that is taken while no kernel is chosen.
TEST_P(LayoutKernel, AtenGivesTheSameBits) {
  const at::Tensor bytes = all_codes().to(device());
  EXPECT_TRUE(at::equal(image_of_bytes(bytes), kernels::image_of_bytes(table(), bytes)));
  const Image image = awkward().to(device());
  EXPECT_TRUE(at::equal(bytes_of_image(image), kernels::bytes_of_image(table(), image)));
}

TEST(KernelChoice, NamesKernels) {
  EXPECT_EQ(to_string(parse_kernel_choice("none")), "none");
  EXPECT_EQ(to_string(parse_kernel_choice("")), "none");
  EXPECT_EQ(to_string(parse_kernel_choice("similarity,layout")), "layout,similarity");
  EXPECT_EQ(to_string(parse_kernel_choice("all")), "layout,tiles,statistics,similarity,rectify");
  EXPECT_THROW(parse_kernel_choice("ssim"), std::invalid_argument);
}

TEST(KernelChoice, IsNothingByDefault) {
  EXPECT_EQ(to_string(kernel_choice()), "none");
}

TEST(KernelViews, RefuseWhatIsNoPicture) {
  EXPECT_THROW(kernels::view_of(at::zeros({4, 5, 5})), std::invalid_argument);
  EXPECT_THROW(kernels::view_of(at::zeros({3, 5, 5}, at::kDouble)), std::invalid_argument);
  EXPECT_THROW(kernels::batch_of(at::zeros({0, 3, 5, 5})), std::invalid_argument);
  EXPECT_THROW(image_of_bytes(at::zeros({3, 5, 5}, at::kByte)), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
