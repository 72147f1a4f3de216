#include "datasets/degradation/blur.h"

#include <cmath>
#include <complex>
#include <numbers>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

const std::vector<BlurSettings> kShapes{
    {.sigma = 1.2},
    {.sigma = 2.5, .sigma2 = 0.6, .angle = 33, .size = 15},
    {.kind = BlurKind::generalised, .sigma = 1.7, .sigma2 = 0.9, .angle = -70, .beta = 0.6},
    {.kind = BlurKind::plateau, .sigma = 1.1, .sigma2 = 2.2, .angle = 120, .beta = 1.8, .size = 9},
    {.kind = BlurKind::sinc, .cutoff = 0.4},
    {.kind = BlurKind::sinc, .cutoff = 1, .size = 7},
};

TEST(BlurKernel, SumsToOneAndIsThePointReflectionOfItself) {
  for (const BlurSettings& shape : kShapes) {
    const BlurKernel kernel = blur_kernel(shape);
    ASSERT_EQ(kernel.weights.size(), static_cast<std::size_t>(shape.size * shape.size));
    double sum = 0;
    for (const float weight : kernel.weights) sum += weight;
    EXPECT_NEAR(sum, 1, 1e-6);  // 441 weights rounded to float32
    const int last = shape.size - 1;
    for (int y = 0; y <= last; ++y)
      for (int x = 0; x <= last; ++x)
        EXPECT_FLOAT_EQ(kernel.at(y, x), kernel.at(last - y, last - x)) << to_string(shape.kind);
  }
}

TEST(BlurKernel, SmallKernelsAreThoseComputedByHand) {
  // Squared distances 0, 1, 2 occur 1, 4, 4 times.
  const BlurKernel gaussian = blur_kernel({.sigma = 1, .size = 3});
  EXPECT_NEAR(gaussian.at(1, 1), 0.20417996, 1e-7);  // 1 / (1 + 4 e^-0.5 + 4 e^-1)
  EXPECT_NEAR(gaussian.at(0, 1), 0.12384140, 1e-7);
  const BlurKernel plateau = blur_kernel({.kind = BlurKind::plateau, .sigma = 1, .size = 3});
  EXPECT_NEAR(plateau.at(1, 1), 3.0 / 13, 1e-7);  // 1 / (1 + 4 / 2 + 4 / 3)
  EXPECT_NEAR(plateau.at(0, 0), 1.0 / 13, 1e-7);
  const BlurKernel generalised =
      blur_kernel({.kind = BlurKind::generalised, .sigma = 1, .beta = 2, .size = 3});
  EXPECT_NEAR(generalised.at(1, 1), 0.25205019, 1e-7);  // 1 / (1 + 4 e^-0.5 + 4 e^-2)
  const BlurKernel sinc = blur_kernel({.kind = BlurKind::sinc, .cutoff = 0.5, .size = 3});
  EXPECT_NEAR(sinc.at(1, 1) / sinc.at(1, 2), 1.385614, 1e-5);  // (pi / 2) / (2 J1(pi / 2)), J1 = 0.566824
}

struct Moments {
  double xx = 0, yy = 0, xy = 0;
};

Moments moments(const BlurKernel& kernel) {
  Moments sum;
  const int radius = kernel.size / 2;
  for (int y = -radius; y <= radius; ++y) {
    for (int x = -radius; x <= radius; ++x) {
      const double weight = kernel.at(y + radius, x + radius);
      sum.xx += weight * x * x;
      sum.yy += weight * y * y;
      sum.xy += weight * x * y;
    }
  }
  return sum;
}

// From sigma 1.2 on, a sampled Gaussian has the variance of the continuous one to more digits than these
// (the difference is about 8 pi^2 sigma^4 exp(-2 pi^2 sigma^2)), and a tail cut at 6 sigma weighs nothing.
TEST(BlurKernel, VariancesOfAGaussianAreItsSigmas) {
  const Moments round = moments(blur_kernel({.sigma = 1.5}));
  EXPECT_NEAR(round.xx, 2.25, 1e-5);
  EXPECT_NEAR(round.yy, 2.25, 1e-5);
  EXPECT_NEAR(round.xy, 0, 1e-6);
  const Moments upright = moments(blur_kernel({.sigma = 1.6, .sigma2 = 1.2, .angle = 90}));
  EXPECT_NEAR(upright.yy, 2.56, 1e-5);
  EXPECT_NEAR(upright.xx, 1.44, 1e-5);
  // Turned by 45 degrees from the rows downwards, as image coordinates turn: the covariance is (1.6^2 -
  // 1.2^2) / 2.
  EXPECT_NEAR(moments(blur_kernel({.sigma = 1.6, .sigma2 = 1.2, .angle = 45})).xy, 0.56, 1e-5);
}

// Written as BasicSR writes it: the inverse of U diag(sx^2, sy^2) U^T.
double quadratic_form(const BlurSettings& shape, double x, double y) {
  const double angle = shape.angle * std::numbers::pi / 180, c = std::cos(angle), s = std::sin(angle);
  const double dx = shape.sigma * shape.sigma, dy = shape.sigma2 * shape.sigma2;
  const double a = c * c * dx + s * s * dy, b = c * s * (dx - dy), d = s * s * dx + c * c * dy;
  return (d * x * x - 2 * b * x * y + a * y * y) / (a * d - b * b);
}

TEST(BlurKernel, EqualsTheFormulasWithACovarianceMatrix) {
  for (const BlurSettings& shape : kShapes) {
    if (shape.sigma2 == 0) continue;
    std::vector<double> expected;
    double sum = 0;
    const int radius = shape.size / 2;
    for (int y = -radius; y <= radius; ++y) {
      for (int x = -radius; x <= radius; ++x) {
        const double q = std::pow(quadratic_form(shape, x, y), shape.beta);
        sum += expected.emplace_back(shape.kind == BlurKind::plateau ? 1 / (q + 1) : std::exp(-0.5 * q));
      }
    }
    const BlurKernel kernel = blur_kernel(shape);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(kernel.weights[i], expected[i] / sum, 1e-7) << to_string(shape.kind);  // float32
  }
}

double response(const BlurKernel& kernel, double frequency) {  // along the rows, 1: Nyquist
  double sum = 0;
  const int radius = kernel.size / 2;
  for (int y = 0; y < kernel.size; ++y)
    for (int x = 0; x < kernel.size; ++x)
      sum += kernel.at(y, x) * std::cos(frequency * std::numbers::pi * (x - radius));
  return sum;
}

TEST(BlurKernel, SincPassesBelowItsCutoffAndStopsAbove) {
  const BlurKernel kernel = blur_kernel({.kind = BlurKind::sinc, .cutoff = 0.5});
  EXPECT_NEAR(response(kernel, 0), 1, 1e-6);
  constexpr double kRipple = 0.16;  // of a low-pass cut off at 21 pixels
  for (const double low : {0.1, 0.2, 0.3, 0.35}) EXPECT_NEAR(response(kernel, low), 1, kRipple) << low;
  for (const double high : {0.65, 0.7, 0.8, 0.9, 1.0})
    EXPECT_NEAR(response(kernel, high), 0, kRipple) << high;
  EXPECT_NEAR(response(kernel, 0.5), 0.5, kRipple);
}

TEST(BlurKernel, AShareMixesItWithThePicture) {
  const BlurSettings shape{.kind = BlurKind::sinc, .cutoff = 0.4, .size = 9};
  const BlurKernel whole = blur_kernel(shape), third = blur_kernel(shape, 1.0 / 3);
  EXPECT_NEAR(third.at(4, 4), 2.0 / 3 + whole.at(4, 4) / 3, 1e-7);
  EXPECT_NEAR(third.at(4, 5), whole.at(4, 5) / 3, 1e-7);
}

Image filtered(const Image& image, const BlurKernel& kernel) {
  at::Tensor out = at::empty_like(image);
  filter_reflected(image.const_data_ptr<float>(), 3, static_cast<int>(image.size(1)),
                   static_cast<int>(image.size(2)), kernel, out.mutable_data_ptr<float>());
  return out;
}

// A kernel without any symmetry: a flipped one would be found.
TEST(FilterReflected, EqualsTorchsReflectionPadAndConvolution) {
  for (const auto& [height, width] : {std::pair{23, 40}, {12, 129}, {70, 64}, {11, 11}}) {
    const Image image = to_image(random_raster(width, height));
    for (const int size : {3, 9, 21}) {
      BlurKernel kernel{.size = size};
      for (int i = 0; i < size * size; ++i)
        kernel.weights.push_back(static_cast<float>((i * 37 % 101 - 30)) /
                                 static_cast<float>(size * size * 20));
      const at::Tensor weights =
          at::from_blob(kernel.weights.data(), {1, 1, size, size}, at::kFloat).expand({3, 1, size, size});
      const std::int64_t radius = size / 2;
      const at::Tensor expected =
          at::conv2d(at::reflection_pad2d(image.unsqueeze(0), {radius, radius, radius, radius}), weights,
                     /*bias=*/at::Tensor(), /*stride=*/at::IntArrayRef{1}, /*padding=*/at::IntArrayRef{0},
                     /*dilation=*/at::IntArrayRef{1}, /*groups=*/3)[0];
      // Sums of up to 441 products in float32, in another order.
      EXPECT_LT((filtered(image, kernel) - expected).abs().max().item<double>(), 5e-6)
          << width << "x" << height << " " << size;
    }
  }
}

TEST(FilterReflected, PicturesSmallerThanTheKernelAreMirroredAgainAndAgain) {
  const BlurKernel kernel = blur_kernel({.sigma = 3});
  for (const auto& [height, width] : {std::pair{1, 1}, {2, 5}, {7, 3}}) {
    const Image image = at::full({3, height, width}, 0.25F);
    EXPECT_LT((filtered(image, kernel) - image).abs().max().item<double>(), 1e-6);  // float32
  }
  // Two pixels alternate for ever: a mean of them, weighted by the even and the odd columns.
  const Image pair = at::tensor({0.0F, 1.0F}).expand({3, 1, 2}).contiguous();
  const BlurKernel three{.size = 3, .weights = {0, 0, 0, 0.25F, 0.5F, 0.25F, 0, 0, 0}};
  EXPECT_FLOAT_EQ(filtered(pair, three)[0][0][0].item<float>(), 0.5F);
}

}  // namespace
}  // namespace upbench::test
