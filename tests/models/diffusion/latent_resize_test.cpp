#include "models/diffusion/latent_resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace upbench::test {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

constexpr float kRounding = 2e-5F;  // float32 sums in another order

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

at::Tensor row(std::vector<float> values) {
  return at::tensor(values).view({1, 1, 1, static_cast<std::int64_t>(values.size())});
}

std::vector<float> resized_row(std::vector<float> values, std::int64_t width, LatentResize mode) {
  return values_of(resize_latents(row(std::move(values)), 1, width, mode));
}

at::Tensor random_latents(std::int64_t height, std::int64_t width) {
  at::Generator random = at::detail::createCPUGenerator(11);
  return at::randn({1, 4, height, width}, random);
}

TEST(LatentResize, KnownRows) {
  EXPECT_THAT(resized_row({0, 1}, 4, LatentResize::bilinear), ElementsAre(0, 0.25F, 0.75F, 1));
  EXPECT_THAT(resized_row({1, 2, 3}, 6, LatentResize::nearest), ElementsAre(1, 1, 2, 2, 3, 3));
  // output 1 of 4 from 3: floor(1 x 0.75) = 0, floor(1.5 x 0.75) = 1
  EXPECT_THAT(resized_row({1, 2, 3}, 4, LatentResize::nearest), ElementsAre(1, 1, 2, 3));
  EXPECT_THAT(resized_row({1, 2, 3}, 4, LatentResize::nearest_exact), ElementsAre(1, 2, 2, 3));
}

// One axis by the definition of a kernel: weights at (k - centre), widened when shrinking where `antialias`.
// Places outside repeat the edge, with `antialias` they are left out and the weights shared again.
std::vector<double> slow_row(const std::vector<double>& in, std::int64_t length, double support,
                             const std::function<double(double)>& kernel, bool antialias) {
  const auto last = static_cast<std::int64_t>(in.size()) - 1;
  const double step = static_cast<double>(in.size()) / static_cast<double>(length);
  const double widened = antialias ? std::max(step, 1.0) : 1.0;
  std::vector<double> out;
  for (std::int64_t o = 0; o < length; ++o) {
    const double centre = (static_cast<double>(o) + 0.5) * step - 0.5;
    double sum = 0, weights = 0;
    for (auto k = static_cast<std::int64_t>(std::floor(centre - support * widened)) - 1;
         k <= static_cast<std::int64_t>(std::ceil(centre + support * widened)) + 1; ++k) {
      if (antialias && (k < 0 || k > last)) continue;
      const double weight = kernel((static_cast<double>(k) - centre) / widened);
      sum += weight * in[static_cast<std::size_t>(std::clamp<std::int64_t>(k, 0, last))];
      weights += weight;
    }
    out.push_back(sum / weights);
  }
  return out;
}

double triangle(double x) {
  return std::max(0.0, 1 - std::abs(x));
}

double cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

struct KernelCase {
  LatentResize mode;
  double support;
  std::function<double(double)> kernel;
  bool antialias;
};

TEST(LatentResize, KernelsAreThoseOfTheirDefinition) {
  const std::vector<KernelCase> cases = {
      {LatentResize::bilinear, 1, triangle, false},
      {LatentResize::bilinear_antialiased, 1, triangle, true},
      {LatentResize::bicubic, 2, [](double x) { return cubic(x, -0.75); }, false},
      {LatentResize::bicubic_antialiased, 2, [](double x) { return cubic(x, -0.5); }, true}};
  const std::vector<float> in = {0.3F, -1, 2, 0.5F, 4, -3, 1};
  for (const KernelCase& one : cases)
    for (const std::int64_t length : {14, 10, 9, 5, 3}) {
      const std::vector<double> expected =
          slow_row({in.begin(), in.end()}, length, one.support, one.kernel, one.antialias);
      EXPECT_THAT(resized_row(in, length, one.mode), Pointwise(FloatNear(kRounding), expected))
          << static_cast<int>(one.mode) << " to " << length;
    }
}

// --- bislerp
// -------------------------------------------------------------------------------------------------

using Vector = std::array<double, 4>;

double length_of(const Vector& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

Vector slow_between(const Vector& a, const Vector& b, double share) {
  const double a_length = length_of(a), b_length = length_of(b);
  double cosine = 0;
  Vector from{}, to{}, made{};
  for (std::size_t c = 0; c < 4; ++c) {
    from[c] = a_length == 0 ? 0 : a[c] / a_length;
    to[c] = b_length == 0 ? 0 : b[c] / b_length;
    cosine += from[c] * to[c];
  }
  if (cosine > 1 - 1e-5) return a;
  const double angle = std::acos(cosine), length = a_length * (1 - share) + b_length * share;
  for (std::size_t c = 0; c < 4; ++c)
    made[c] = cosine < -1 + 1e-5
                  ? a[c] * (1 - share) + b[c] * share
                  : length * (std::sin((1 - share) * angle) * from[c] + std::sin(share * angle) * to[c]) /
                        std::sin(angle);
  return made;
}

// [1, 4, h, w] along its width.
at::Tensor slow_bislerp_along(const at::Tensor& in, std::int64_t width) {
  at::Tensor out = at::zeros({1, 4, in.size(2), width});
  const auto from = in.accessor<float, 4>();
  auto to = out.accessor<float, 4>();
  const std::int64_t last = in.size(3) - 1;
  for (std::int64_t y = 0; y < in.size(2); ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const double place = std::clamp(
          (static_cast<double>(x) + 0.5) * static_cast<double>(in.size(3)) / static_cast<double>(width) - 0.5,
          0.0, static_cast<double>(last));
      const auto left = static_cast<std::int64_t>(place);
      const std::int64_t right = std::min(left + 1, last);
      Vector a{}, b{};
      for (std::size_t c = 0; c < 4; ++c) {
        a[c] = from[0][static_cast<std::int64_t>(c)][y][left];
        b[c] = from[0][static_cast<std::int64_t>(c)][y][right];
      }
      const Vector made = slow_between(a, b, place - static_cast<double>(left));
      for (std::size_t c = 0; c < 4; ++c)
        to[0][static_cast<std::int64_t>(c)][y][x] = static_cast<float>(made[c]);
    }
  return out;
}

TEST(Bislerp, IsThatOfASlowLoop) {
  for (const auto& [height, width] : {std::pair{10, 14}, {5, 14}, {7, 3}, {8, 11}}) {
    const at::Tensor in = random_latents(5, 7);
    const at::Tensor expected =
        slow_bislerp_along(slow_bislerp_along(in, width).transpose(2, 3).contiguous(), height)
            .transpose(2, 3);
    EXPECT_THAT(values_of(resize_latents(in, height, width, LatentResize::bislerp)),
                Pointwise(FloatNear(kRounding), values_of(expected)))
        << height << " x " << width;
  }
}

// Half way between two directions at a right angle, lengths 1 and 3: length 2 at 45 degrees.
TEST(Bislerp, LengthsGoLinearlyAndDirectionsAlongTheCircle) {
  const at::Tensor in = at::tensor({1.0F, 0.0F, 0.0F, 3.0F}).view({1, 2, 1, 2});
  const at::Tensor middle = resize_latents(in, 1, 3, LatentResize::bislerp).select(3, 1).flatten();
  const float side = 2 / std::numbers::sqrt2_v<float>;
  EXPECT_THAT(values_of(middle), ElementsAre(FloatNear(side, 1e-6F), FloatNear(side, 1e-6F)));
}

TEST(Bislerp, EqualDirectionsKeepTheFirstAndOppositeOnesAreLinear) {
  const auto middle = [](float second) {
    return resize_latents(row({1, second}), 1, 3, LatentResize::bislerp).select(3, 1).item<float>();
  };
  EXPECT_FLOAT_EQ(middle(3), 1) << "not 2";
  EXPECT_FLOAT_EQ(middle(-1), 0);
  EXPECT_FLOAT_EQ(middle(0), 0.35355338F) << "length 0.5, and the direction half way to none: cos 45 degrees";
}

TEST(LatentResize, NamesAreKnownAndOthersRefused) {
  EXPECT_EQ(latent_resizes().size(), 7u);
  for (const LatentResizeRow& one : latent_resizes()) {
    EXPECT_EQ(parse_latent_resize(one.name), one.mode);
    EXPECT_TRUE(is_latent_resize(one.name));
  }
  EXPECT_FALSE(is_latent_resize("lanczos"));
  EXPECT_THROW(parse_latent_resize("latent-cubic"), std::invalid_argument);
  EXPECT_THROW(resize_latents(at::zeros({4, 2, 2}), 4, 4, LatentResize::bilinear), std::invalid_argument);
  EXPECT_THROW(resize_latents(at::zeros({1, 4, 2, 2}), 0, 4, LatentResize::bilinear), std::invalid_argument);
}

}  // namespace
}  // namespace upbench::test
