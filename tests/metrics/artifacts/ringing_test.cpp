#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/metrics/artifacts/scenes.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::found_by;
using test::value_of;

constexpr int kEdge = 96;

// Grey, with a vertical edge of 120 levels in the middle.
Image edge() {
  Image picture = test::constant(160, 192, 60.0 / 255);
  picture.slice(2, kEdge) += 120.0 / 255;
  return picture;
}

// Waves of 5 px beside the edge, in percent of its height, from 2 to 12 px away.
Image ringing(double percent) {
  Image picture = edge();
  for (int distance = 2; distance < 12; ++distance) {
    const double by = percent / 100 * 120 / 255 * std::sin(2 * std::numbers::pi * (distance + 0.5) / 5);
    picture.select(2, kEdge + distance) += by;
    picture.select(2, kEdge - 1 - distance) -= by;
  }
  return picture;
}

TEST(Ringing, OfAWaveIsItsDeviation) {
  const Image reference = edge();
  for (const double percent : {6.0, 12.0, 24.0})
    // A sine's deviation is 0.71 of its height; the Gaussian of sigma 2.5 leaves all of it, windows of 5 px
    // hold one whole wave, those at the ends of the waves less.
    EXPECT_NEAR(value_of("ringing", ringing(percent), reference), percent / std::numbers::sqrt2,
                0.15 * percent)
        << percent;
}

TEST(Ringing, HasItsPlaceBesideTheEdge) {
  const Image reference = edge(), output = ringing(20);
  const Detection found = found_by("ringing", {.output = &output, .reference = &reference});
  ASSERT_FALSE(found.boxes.empty());
  EXPECT_GE(found.boxes[0].x, kEdge - 16);
  EXPECT_LE(found.boxes[0].x + found.boxes[0].width, kEdge + 16);
}

TEST(Ringing, IsNotBlurSharpnessOrNoise) {
  const Image reference = edge();
  EXPECT_LT(value_of("ringing", test::low_passed(reference, 1), reference), 0.5);
  // An overshoot of one pixel is a halo.
  Image halo = reference.clone();
  halo.select(2, kEdge) += 20.0 / 255;
  EXPECT_LT(value_of("ringing", halo, reference), 0.5);
  // Noise is the same away from edges; of 5 x 5 px its deviation varies by a seventh.
  const Image noisy = reference + test::grey_noise(reference, 4, 1);
  EXPECT_LT(value_of("ringing", noisy, reference), 2.5);
}

TEST(Ringing, OfAnInputIsSeenAgainstIt) {
  const Image reference = edge(), input = test::reduced(reference, 2), output = ringing(20);
  EXPECT_GT(found_by("ringing", {.output = &output, .input = &input}).value,
            found_by("ringing", {.output = &reference, .input = &input}).value + 5);
}

TEST(Ringing, NeedsEdges) {
  const Image flat = test::constant(96, 96, 0.5);
  EXPECT_EQ(found_by("ringing", {.output = &flat, .reference = &flat}).missing,
            "too few flat places beside edges");
}

}  // namespace
}  // namespace upbench
