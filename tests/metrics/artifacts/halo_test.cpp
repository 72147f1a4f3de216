#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/metrics/artifacts/scenes.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::found_by;

// Edges of 100 levels, bars of 32 px.
Image bars() {
  const at::Tensor x = at::arange(192, at::kFloat);
  const at::Tensor bright = (x.div(32, "floor").remainder(2) > 0.5).to(at::kFloat);
  return ((bright * 100 + 70) / 255).view({1, 1, 192}).expand({3, 128, 192}).contiguous();
}

// `percent` of the height beyond both sides of each edge, over `width` pixels.
Image overshot(const Image& picture, double percent, int width) {
  Image output = picture.clone();
  for (int edge = 32; edge < 192; edge += 32) {
    const double up = edge % 64 == 32 ? 1 : -1;  // bright begins at 32, 96, 160
    output.slice(2, edge, edge + width) += up * percent / 255;
    output.slice(2, edge - width, edge) -= up * percent / 255;
  }
  return output;
}

TEST(Halo, IsTheOvershootInPercentOfTheEdge) {
  const Image reference = bars();
  for (const double percent : {10.0, 25.0, 60.0}) {
    const Image output = overshot(reference, percent, 2);
    EXPECT_NEAR(test::value_of("halo", output, reference), percent, 1e-3) << percent;
  }
}

TEST(Halo, TellsItsWidth) {
  const Image reference = bars();
  const auto width = [&](int pixels) {
    const Image output = overshot(reference, 30, pixels);
    return found_by("halo", {.output = &output, .reference = &reference}).parts.at(1).value;
  };
  // Only what lies within 3 px of the edge is judged; cells of 8 px lie on each side of it.
  EXPECT_NEAR(width(1), 1, 1e-6);
  EXPECT_NEAR(width(2), 2, 1e-6);
  EXPECT_NEAR(width(3), 3, 1e-6);
}

TEST(Halo, IsNoneOfASharperEdgeWithoutOvershoot) {
  const Image sharp = bars(), soft = test::low_passed(sharp, 1.5);
  EXPECT_LT(test::value_of("halo", sharp, soft), 2);  // 3 px beside a soft edge are not quite flat
  EXPECT_EQ(test::value_of("halo", soft, soft), 0);
}

TEST(Halo, OfUnsharpMaskingGrowsWithItsAmount) {
  const Image reference = test::scene(160, 192, 1);
  double before = 0.5;
  for (const double amount : {0.3, 0.8, 2.0}) {
    const Image output = (reference + amount * (reference - test::low_passed(reference, 1.5))).clamp(0, 1);
    const double value = test::value_of("halo", output, reference);
    EXPECT_GT(value, before) << amount;
    before = value;
  }
}

TEST(Halo, IsSeenAgainstTheInputAlone) {
  const Image reference = bars(), input = test::reduced(reference, 2);
  const Image output = overshot(reference, 30, 4);
  EXPECT_EQ(found_by("halo", {.output = &reference, .input = &input}).value, 0);
  EXPECT_NEAR(found_by("halo", {.output = &output, .input = &input}).value, 30, 0.7);  // input is 8 bit
}

}  // namespace
}  // namespace upbench
