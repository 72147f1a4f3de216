#include "metrics/lpips_kernel.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

TEST(LpipsKernel, DistanceOfOrthogonalPixelsIsTheSumOfTheirWeights) {
  // |a| = 5 along channel 0, |b| = 2 along channel 17: (1 - 0)^2 and (0 - 1)^2, whatever the lengths.
  std::vector<float> a(32), b(32), weights(32, 0.0F);
  a[0] = 5;
  b[17] = -2;
  weights[0] = 0.25F;
  weights[17] = 0.5F;
  EXPECT_NEAR(weighted_distance(a.data(), b.data(), weights.data(), 1, 32), 0.75, 1e-7);  // float32
}

TEST(LpipsKernel, PixelsOfNothingAreAtNoDistance) {
  const std::vector<float> nothing(3 * 16), weights(16, 1.0F);
  EXPECT_EQ(weighted_distance(nothing.data(), nothing.data(), weights.data(), 3, 16), 0);
  std::vector<float> some = nothing;
  some[5] = 7;
  EXPECT_NEAR(weighted_distance(some.data(), nothing.data(), weights.data(), 3, 16), 1, 1e-7);  // float32
}

TEST(LpipsKernel, DistanceIsTheFormulaInFloat64) {
  constexpr std::size_t kPixels = 37, kChannels = 48;
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(1);
  const at::Tensor a = at::rand({kPixels, kChannels}, generator),
                   b = at::rand({kPixels, kChannels}, generator), weights = at::rand({kChannels}, generator);
  const auto unit = [](const at::Tensor& x) {
    const at::Tensor wide = x.to(at::kDouble);
    return wide / (wide.square().sum(1, true).sqrt() + 1e-10);
  };
  const double expected = ((unit(a) - unit(b)).square() * weights.to(at::kDouble)).sum().item<double>();
  EXPECT_NEAR(weighted_distance(a.const_data_ptr<float>(), b.const_data_ptr<float>(),
                                weights.const_data_ptr<float>(), kPixels, kChannels),
              expected, 1e-6 * expected);  // float32 sums of 48 terms
}

TEST(LpipsKernel, NormalisesChannelsAsTheLpipsPackage) {
  const Image picture = test::textured(9, 21, 1).narrow(2, 2, 17);  // rows are not adjacent
  std::vector<float> made(9 * 17 * 3);
  normalise_rows(planes_of(picture), 0, 4, made.data());
  normalise_rows(planes_of(picture), 4, 9, made.data() + 4 * 17 * 3);
  const at::Tensor shift = at::tensor({-0.030, -0.088, -0.188}), scale = at::tensor({0.458, 0.448, 0.450});
  const at::Tensor expected = (picture.permute({1, 2, 0}).to(at::kDouble) * 2 - 1 - shift) / scale;
  const at::Tensor difference = at::from_blob(made.data(), {9, 17, 3}, at::kFloat).to(at::kDouble) - expected;
  EXPECT_LT(difference.abs().max().item<double>(), 5e-7);  // two roundings of values up to 2.7 in float32
}

}  // namespace
}  // namespace upbench
