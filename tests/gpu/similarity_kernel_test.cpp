#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "datasets/device/pixels.h"
#include "datasets/image.h"
#include "metrics/device_similarity.h"
#include "metrics/squared_error.h"
#include "metrics/ssim_kernel.h"
#include "tests/metrics/pictures.h"
#include "where.h"

namespace upbench {
namespace {

UPBENCH_ON_BOTH(SimilarityKernel);

struct Size {
  int height, width;
};
// Smaller than a window, one window, strips and chunks that end anywhere, more than one of each.
constexpr Size kSizes[] = {{1, 1},    {7, 40},   {11, 11},  {11, 200}, {300, 11}, {26, 128},
                           {27, 129}, {75, 118}, {64, 119}, {64, 246}, {65, 247}, {200, 333}};

std::vector<Similarity> means(const at::Tensor& sums, Size size) {
  const at::Tensor here = sums.cpu();
  const double windows = (size.height - 10.0) * (size.width - 10.0), pixels = 1.0 * size.height * size.width;
  std::vector<Similarity> list;
  for (std::int64_t i = 0; i < here.size(0); ++i)
    list.push_back({here[i][0].item<double>() / windows, here[i][1].item<double>() / pixels});
  return list;
}

// Both in float32 of magnitude 65 000 before a cancellation, in another order. The emulation is 1.2e-6 off
// for a single window, 1.3e-7 for 200; fused multiply-adds on a GPU round otherwise again.
constexpr double kSsimTolerance = 4e-6;
// Each difference and each square is rounded to float32 once.
constexpr double kErrorTolerance = 2e-7;

void expect_twin(const std::vector<Similarity>& found, const Image& output, const Image& reference,
                 std::span<const Signal> signals) {
  const Planes a = planes_of(output), b = planes_of(reference);
  for (std::size_t i = 0; i < signals.size(); ++i) {
    const double error = mean_squared_error(a, b, signals[i]);
    EXPECT_NEAR(found[i].mean_squared_error, error, kErrorTolerance * error);
    if (a.height < kSsimWindow || a.width < kSsimWindow) continue;
    EXPECT_NEAR(found[i].ssim, ssim(a, b, signals[i]), kSsimTolerance);
  }
}

TEST_P(SimilarityKernel, IsTheCpusOnPicturesOfEverySize) {
  for (const Size size : kSizes) {
    SCOPED_TRACE(testing::Message() << size.height << " x " << size.width);
    const Image reference = test::textured(size.height, size.width, 1),
                output = test::noisy(reference, 20, 2);
    const auto there = output.to(device()), to = reference.to(device());
    expect_twin(means(similarity_with_kernels(table(), there, to, kRgbSignals), size), output, reference,
                kRgbSignals);
    expect_twin(means(similarity_with_kernels(table(), there, to, {&kLumaSignal, 1}), size), output,
                reference, {&kLumaSignal, 1});
  }
}

TEST_P(SimilarityKernel, OfBytesIsThatOfTheirValues) {
  const Size size{91, 140};
  const Image reference = test::textured(size.height, size.width, 3), output = test::noisy(reference, 9, 4);
  const at::Tensor a = bytes_of_image(output).to(device()), b = bytes_of_image(reference).to(device());
  const auto found = means(similarity_with_kernels(table(), a, b, kRgbSignals), size);
  expect_twin(found, output, reference, kRgbSignals);
  // 255 x (code / 255) rounds to the code, so both ways see the same numbers.
  const auto values =
      means(similarity_with_kernels(table(), output.to(device()), reference.to(device()), kRgbSignals), size);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].mean_squared_error, values[i].mean_squared_error);
    EXPECT_EQ(found[i].ssim, values[i].ssim);
  }
}

TEST_P(SimilarityKernel, OfEqualPicturesIsExactlyOneAndZero) {
  at::Generator random = at::detail::createCPUGenerator(11);
  const Image picture = at::rand({3, 80, 130}, random).to(device());  // not of 8 bit
  for (const auto& signals : {std::span<const Signal>(kRgbSignals), std::span<const Signal>(&kLumaSignal, 1)})
    for (const Similarity& found :
         means(similarity_with_kernels(table(), picture, picture, signals), {80, 130})) {
      EXPECT_EQ(found.ssim, 1.0);
      EXPECT_EQ(found.mean_squared_error, 0.0);
    }
}

TEST_P(SimilarityKernel, IsSymmetric) {
  const Image a = test::textured(60, 70, 5).to(device()), b = test::textured(60, 70, 6).to(device());
  EXPECT_TRUE(at::equal(similarity_with_kernels(table(), a, b, kRgbSignals),
                        similarity_with_kernels(table(), b, a, kRgbSignals)));
}

TEST_P(SimilarityKernel, ReadsPartsOfPictures) {
  const Image reference = test::textured(80, 90, 7), output = test::noisy(reference, 15, 8);
  const auto cut = [](const Image& image) { return image.narrow(1, 4, 72).narrow(2, 4, 82); };
  const auto found = means(
      similarity_with_kernels(table(), cut(output.to(device())), cut(reference.to(device())), kRgbSignals),
      {72, 82});
  expect_twin(found, cut(output), cut(reference), kRgbSignals);
}

TEST_P(SimilarityKernel, OnFlatBrightPicturesStaysPrecise) {
  const Image a = test::constant(64, 64, 250 / 255.0), b = test::constant(64, 64, 251 / 255.0);
  expect_twin(means(similarity_with_kernels(table(), a.to(device()), b.to(device()), kRgbSignals), {64, 64}),
              a, b, kRgbSignals);
}

// What runs while the kernel is not chosen, on either device.
TEST_P(SimilarityKernel, AtenIsTheCpusAsWell) {
  for (const Size size : kSizes) {
    const Image reference = test::textured(size.height, size.width, 1),
                output = test::noisy(reference, 20, 2);
    const auto there = output.to(device()), to = reference.to(device());
    expect_twin(means(similarity_with_aten(there, to, kRgbSignals), size), output, reference, kRgbSignals);
    expect_twin(device_similarity(there, to, {&kLumaSignal, 1}), output, reference, {&kLumaSignal, 1});
  }
}

TEST_P(SimilarityKernel, AtenOfEqualPicturesIsExactlyOneAndZero) {
  at::Generator random = at::detail::createCPUGenerator(11);
  const Image picture = at::rand({3, 40, 50}, random).to(device());
  for (const Similarity& found : device_similarity(picture, picture, kRgbSignals)) {
    EXPECT_EQ(found.ssim, 1.0);
    EXPECT_EQ(found.mean_squared_error, 0.0);
  }
}

TEST(DeviceSimilarity, HasNoSsimBelowTheWindow) {
  const Image picture = at::zeros({3, 10, 30});
  const auto found = device_similarity(picture, picture, kRgbSignals);
  EXPECT_TRUE(std::isnan(found[0].ssim));
  EXPECT_EQ(found[0].mean_squared_error, 0);
}

TEST(DeviceSimilarity, RefusesPicturesOfTwoSizes) {
  EXPECT_THROW(device_similarity(at::zeros({3, 20, 20}), at::zeros({3, 20, 21}), kRgbSignals),
               std::invalid_argument);
}

}  // namespace
}  // namespace upbench
