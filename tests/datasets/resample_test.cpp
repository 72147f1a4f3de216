#include "datasets/resample.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "datasets/image.h"
#include "datasets/resampling/kernels.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Values near 1, sums of up to ~30 products in float32.
constexpr double kFloatError = 2e-6;

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

Image random_image(int height, int width) {
  return to_image(random_raster(width, height));
}

const std::vector<std::pair<int, int>> kSizes{{1, 1},   {1, 7},   {7, 1},   {5, 10},  {10, 5},
                                              {17, 17}, {48, 13}, {13, 48}, {100, 3}, {3, 100}};

bool works_in_8_bit(std::string_view kernel) {
  return std::ranges::find(resample_kernels(), kernel, &ResampleKernel::name)->eight_bit;
}

// Pictures that are equal but for the order of the passes, or of the taps: in 8 bit each of the two passes
// may round a sum on the other side of a half, and the second adds up several such samples.
double order_tolerance(std::string_view kernel) {
  return works_in_8_bit(kernel) ? 2.01 / 255 : kFloatError;
}

// Far from black and white: no pass clips what overshoots.
Image mild_image(int height, int width) {
  return quantized(random_image(height, width) * 0.3 + 0.35);
}

class EveryKernel : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryKernel, WeightsOfEachOutputSumToOneAndLieInside) {
  if (kernel_arithmetic(GetParam()) == Arithmetic::opencv) {
    EXPECT_THROW(kernel_weights(GetParam(), 4, 8), std::invalid_argument);
    return;
  }
  for (const auto& [in, out] : kSizes) {
    const AxisWeights axis = kernel_weights(GetParam(), in, out);
    ASSERT_EQ(axis.outputs(), out);
    for (int o = 0; o < out; ++o) {
      double sum = 0;
      for (int k = 0; k < axis.taps; ++k) sum += axis.weights[static_cast<std::size_t>(o * axis.taps + k)];
      EXPECT_NEAR(sum, 1, 1e-14);  // a few roundings of double
      EXPECT_GE(axis.first[static_cast<std::size_t>(o)], 0);
      EXPECT_LE(axis.first[static_cast<std::size_t>(o)] + axis.taps, in);
    }
  }
}

TEST_P(EveryKernel, ConstantPictureStaysConstant) {
  for (const auto& [in, out] : kSizes) {
    constexpr float kLevel = 178.0F / 255.0F;
    const Image image = at::full({3, in, out}, kLevel);
    EXPECT_LT(largest_difference(resample(image, out, in, GetParam()), at::full({3, out, in}, kLevel)),
              kFloatError);
  }
}

TEST_P(EveryKernel, SameSizeIsTheSamePicture) {
  const Image image = random_image(19, 33);
  EXPECT_TRUE(at::equal(resample(image, 19, 33, GetParam()), image));
}

TEST_P(EveryKernel, AxesAreTreatedAlike) {
  const Image image = works_in_8_bit(GetParam()) ? mild_image(20, 31) : random_image(20, 31);
  const Image turned = resample(image.transpose(1, 2), 50, 14, GetParam()).transpose(1, 2);
  EXPECT_LT(largest_difference(resample(image, 14, 50, GetParam()), turned), order_tolerance(GetParam()));
}

TEST_P(EveryKernel, RowsAndColumnsOutsideTheVectorLengthAreNotSpecial) {
  const Image wide = random_image(40, 40);
  const Image whole = resample(wide, 80, 80, GetParam());
  for (const int width : {17, 31, 33}) {
    const Image part = resample(wide.narrow(2, 0, width), 80, 2 * width, GetParam());
    const int inside = 2 * width - 10;  // further from the cut than any kernel reaches
    EXPECT_TRUE(at::equal(part.narrow(2, 0, inside), whole.narrow(2, 0, inside))) << width;
  }
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryKernel, ::testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const auto& kernel : resample_kernels()) names.push_back(kernel.name);
                           return names;
                         }()),
                         [](const auto& kernel) {
                           std::string name = kernel.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Resample, MirroredPictureGivesTheMirroredResult) {
  for (const auto& kernel : resample_kernels()) {
    const Image image = kernel.eight_bit ? mild_image(20, 31) : random_image(20, 31);
    // Of two equally near pixels these take one, always on the same side.
    if (kernel.name.find("nearest") != kernel.name.npos || kernel.name == "pil-box") continue;
    for (const auto& [height, width] : {std::pair{45, 77}, {9, 12}}) {
      const Image mirrored = resample(image.flip({1, 2}), height, width, kernel.name).flip({1, 2});
      EXPECT_LT(largest_difference(resample(image, height, width, kernel.name), mirrored),
                order_tolerance(kernel.name))
          << kernel.name;
    }
  }
}

// Of the cubics, only a = -0.5 keeps polynomials of the first degree; no windowed sinc does.
TEST(Resample, RampStaysARampInside) {
  const Image ramp = at::arange(40, at::kFloat).div(40).expand({3, 8, 40}).contiguous();
  for (const char* kernel : {"bilinear", "bilinear-aa", "bicubic-a50", "bicubic-a50-aa", "matlab-bicubic"}) {
    const Image twice = resample(ramp, 8, 80, kernel);
    for (int x = 8; x < 72; ++x) {
      EXPECT_NEAR(twice[0][4][x].item<double>(), ((x + 0.5) / 2 - 0.5) / 40, kFloatError)
          << kernel << " " << x;
    }
  }
}

TEST(Resample, NearestEnlargedByAWholeNumberRepeatsPixels) {
  const Image image = random_image(5, 9);
  EXPECT_TRUE(
      at::equal(resample(image, 15, 27, "nearest"), image.repeat_interleave(3, 1).repeat_interleave(3, 2)));
}

TEST(Resample, AreaShrunkByAWholeNumberIsTheMean) {
  const Image image = random_image(12, 20);
  const Image mean = image.reshape({3, 4, 3, 5, 4}).mean(at::IntArrayRef{2, 4});
  EXPECT_LT(largest_difference(resample(image, 4, 5, "area"), mean), kFloatError);
}

TEST(Resample, CubicWeightsHalfwayAreThoseOfTheFormula) {
  // Enlarged twice, output 4 lies a quarter of a pixel before input 2. Keys at 0.25, 0.75, 1.25, 1.75 with a
  // = -0.5: 0.8671875, 0.2265625, -0.0703125, -0.0234375.
  const AxisWeights axis = kernel_weights("bicubic-a50", 10, 20);
  ASSERT_EQ(axis.taps, 4);
  EXPECT_EQ(axis.first[4], 0);
  const std::vector<double> row(axis.weights.begin() + 16, axis.weights.begin() + 20);
  EXPECT_THAT(row, ::testing::ElementsAre(-0.0234375, 0.2265625, 0.8671875, -0.0703125));
}

TEST(Resample, OnePixelGrowsToAConstantPicture) {
  const Image pixel = (at::tensor({26.0F, 128.0F, 230.0F}) / 255).reshape({3, 1, 1});
  for (const auto& kernel : resample_kernels()) {
    EXPECT_LT(largest_difference(resample(pixel, 6, 9, kernel.name), pixel.expand({3, 6, 9})), kFloatError)
        << kernel.name;
  }
}

// The library computes positions in float32; ours are in double.
constexpr double kPositionError = 2e-5;

// Odd sizes; ratios that are no whole numbers; up, down, and one of each.
const std::vector<std::pair<int, int>> kTargets{{60, 82}, {60, 90}, {47, 31}, {13, 22}, {11, 95},
                                                {47, 95}, {29, 40}, {31, 42}, {7, 5},   {30, 67}};

TEST(Resample, EqualsTorch) {
  const Image image = random_image(30, 41);
  const at::Tensor batch = image.unsqueeze(0);
  for (const auto& [height, width] : kTargets) {
    const std::vector<std::int64_t> size{height, width};
    const auto check = [&, h = height, w = width](std::string_view kernel, const at::Tensor& expected) {
      EXPECT_LT(largest_difference(resample(image, h, w, kernel), expected.squeeze(0)), kPositionError)
          << kernel << " " << w << "x" << h;
    };
    check("torch-nearest", at::upsample_nearest2d(batch, size));
    check("torch-nearest-exact", at::_upsample_nearest_exact2d(batch, size));
    check("torch-area", at::adaptive_avg_pool2d(batch, size));
    check("bilinear", at::upsample_bilinear2d(batch, size, false));
    check("bicubic-a75", at::upsample_bicubic2d(batch, size, false));
    check("bilinear-aa", at::_upsample_bilinear2d_aa(batch, size, false));
    check("bicubic-a50-aa", at::_upsample_bicubic2d_aa(batch, size, false));
  }
}

// Does a centre lie on the edge between two pixels?
bool has_ties(int in, int out) {
  for (int o = 0; o < out; ++o)
    if ((2 * o + 1) * in % (2 * out) == 0) return true;
  return false;
}

// A row whose samples tell their positions, of every size to 90 and some beyond.
TEST(Resample, NearestPixelsAreThoseOfTorchAtEverySize) {
  const auto same = [](const at::Tensor& a, const at::Tensor& b) { return at::equal(a, b); };
  int exact_differs = 0;
  for (int in = 1; in <= 90; ++in) {
    const Image row = (at::arange(in, at::kFloat) / 255).expand({3, 1, in}).contiguous();
    for (const int out : {in, 2 * in, in + 1, in + 7, 3 * in - 1, 94, 98, 147, 188, 245, 250}) {
      const std::vector<std::int64_t> size{1, out};
      const at::Tensor torch = at::upsample_nearest2d(row.unsqueeze(0), size)[0];
      EXPECT_TRUE(same(resample(row, 1, out, "torch-nearest"), torch)) << in << " " << out;
      if (!has_ties(in, out)) {
        EXPECT_TRUE(same(resample(row, 1, out, "torch-nearest-exact"),
                         at::_upsample_nearest_exact2d(row.unsqueeze(0), size)[0]))
            << in << " " << out;
      }
      exact_differs += !same(resample(row, 1, out, "nearest"), torch);
    }
  }
  EXPECT_GT(exact_differs, 0);  // the reason for two kernels: 2 -> 94
}

cv::Mat bgr_of(const Image& image) {
  const at::Tensor bytes = image.mul(255).round().to(at::kByte).flip(0).permute({1, 2, 0}).contiguous();
  return cv::Mat(static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(1)), CV_8UC3,
                 bytes.mutable_data_ptr())
      .clone();
}

TEST(Resample, EqualsOpenCv) {
  const Image image = random_image(30, 41);
  const auto check = [&](std::string_view kernel, int mode, int height, int width) {
    cv::Mat out;
    cv::resize(cv::Mat(30, 41, CV_32F, image[1].contiguous().mutable_data_ptr()), out, {width, height}, 0, 0,
               mode);
    const at::Tensor expected = at::from_blob(out.data, {height, width}, at::kFloat);
    EXPECT_LT(largest_difference(resample(image, height, width, kernel)[1], expected), kPositionError)
        << kernel << " " << width << "x" << height;
  };
  for (const auto& [height, width] : kTargets) {
    check("bilinear", cv::INTER_LINEAR, height, width);
    check("bicubic-a75", cv::INTER_CUBIC, height, width);
    check("lanczos4", cv::INTER_LANCZOS4, height, width);
    // Where one side grows and the other shrinks, OpenCV blends two pixels along both: only cv2-area does
    // that.
    if ((height >= 30) == (width >= 41)) check("area", cv::INTER_AREA, height, width);
  }
  check("area", cv::INTER_AREA, 10, 41);
}

TEST(Resample, EightBitKernelsOfOpenCvGiveItsBytes) {
  const Image image = random_image(30, 41);
  const std::vector<std::pair<const char*, int>> kernels{{"cv2-nearest", cv::INTER_NEAREST},
                                                         {"cv2-linear", cv::INTER_LINEAR},
                                                         {"cv2-cubic", cv::INTER_CUBIC},
                                                         {"cv2-area", cv::INTER_AREA},
                                                         {"cv2-lanczos4", cv::INTER_LANCZOS4}};
  for (const auto& [height, width] : kTargets) {
    for (const auto& [kernel, mode] : kernels) {
      cv::Mat expected;
      cv::resize(bgr_of(image), expected, {width, height}, 0, 0, mode);
      EXPECT_EQ(cv::norm(bgr_of(resample(image, height, width, kernel)), expected, cv::NORM_INF), 0)
          << kernel << " " << width << "x" << height;
    }
  }
}

// The float kernels are the 8-bit ones without their rounding.
TEST(Resample, FloatKernelsAreWithinOneLevelOfTheEightBitOnes) {
  const Image image = mild_image(30, 41);
  for (const auto& [eight_bit, kernel] :
       std::vector<std::pair<const char*, const char*>>{{"cv2-cubic", "bicubic-a75"},
                                                        {"cv2-lanczos4", "lanczos4"},
                                                        {"cv2-linear", "bilinear"},
                                                        {"pil-bicubic", "bicubic-a50-aa"},
                                                        {"pil-lanczos", "lanczos"},
                                                        {"pil-bilinear", "bilinear-aa"}}) {
    const Image rounded = resample(image, 47, 95, eight_bit);
    EXPECT_TRUE(at::equal(rounded, quantized(rounded))) << eight_bit;
    // Half a level at the end, half a level between the passes (Pillow) spread by at most 1.4.
    EXPECT_LT(largest_difference(rounded, resample(image, 47, 95, kernel)), 1.21 / 255) << eight_bit;
  }
}

TEST(Resample, EightBitModeGivesWholeLevelsNearTheExactPicture) {
  const Image image =
      quantized(random_image(24, 36) * 0.2 + 0.4);  // far from black and white: nothing is clamped
  for (const auto& [height, width] : {std::pair{6, 9}, {48, 72}}) {
    const Image out = resample(image, height, width, "matlab-bicubic", true);
    EXPECT_TRUE(at::equal(out, quantized(out)));
    // Half a level for each rounding; the first one's is spread by weights whose absolute values sum to at
    // most 1.3.
    EXPECT_LT(largest_difference(out, resample(image, height, width, "matlab-bicubic")),
              (0.5 * 1.3 + 0.5) / 255);
  }
}

TEST(Resample, ValuesOutsideTheRangeAreKept) {
  const Image image = random_image(4, 4) * 3 - 1;
  EXPECT_TRUE(
      at::equal(resample(image, 8, 8, "nearest"), image.repeat_interleave(2, 1).repeat_interleave(2, 2)));
}

TEST(Resample, WrongRequestsAreRefused) {
  const Image image = random_image(4, 4);
  EXPECT_THAT(refusal([&] { resample(image, 8, 8, "cubic"); }),
              AllOf(HasSubstr("unknown resampling kernel 'cubic'"), HasSubstr("nearest, bilinear"),
                    HasSubstr("matlab-bicubic")));
  EXPECT_THROW(resample(image, 0, 8, "nearest"), std::invalid_argument);
  EXPECT_THROW(resample(image, 8, -1, "nearest"), std::invalid_argument);
  EXPECT_THROW(resample(at::zeros({4, 4}), 8, 8, "nearest"), std::invalid_argument);
}

}  // namespace
}  // namespace upbench::test
