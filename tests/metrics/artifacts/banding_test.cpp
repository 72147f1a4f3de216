#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "tests/metrics/artifacts/scenes.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::found_by;
using test::value_of;

// Climbs by a level every 4 px to the right.
Image ramp() {
  const at::Tensor row = 60 + at::arange(256, at::kFloat) / 4;
  return quantized((row / 255).expand({3, 160, 256}).contiguous());
}

Image in_steps(const Image& picture, double levels) {
  return quantized((picture * 255 / levels).floor() * (levels / 255));
}

TEST(Banding, IsTheHeightOfTheSteps) {
  const Image reference = ramp();
  for (const double levels : {4.0, 8.0, 16.0})
    // The ramp itself has steps of one level, and 7 of 8 neighbours, to the right or below, are equal. With
    // steps of `levels`, 1 - 1 / (8 levels) of them are.
    EXPECT_NEAR(value_of("banding", in_steps(reference, levels), reference),
                levels * (1 - 1 / (8 * levels)) - 7.0 / 8, 0.15 * levels)
        << levels;
}

TEST(Banding, IsNotWhatTheReferenceHas) {
  const Image banded = in_steps(ramp(), 8);
  EXPECT_EQ(value_of("banding", banded, banded), 0);
  EXPECT_LT(value_of("banding", ramp(), in_steps(ramp(), 2)), 0.2);
}

TEST(Banding, IsNotNoiseBlurOrTone) {
  const Image reference = ramp();
  EXPECT_LT(value_of("banding", quantized(reference + test::grey_noise(reference, 3, 1)), reference), 0.5);
  EXPECT_LT(value_of("banding", quantized(test::low_passed(reference, 2)), reference), 0.2);
  EXPECT_LT(value_of("banding", quantized(reference * 0.9 + 0.05), reference), 0.5);
}

TEST(Banding, IsFoundInOneChannelAndAgainstAnInput) {
  const Image reference = ramp(), input = test::reduced(reference, 2);
  Image output = reference.clone();
  output[2].copy_(in_steps(reference, 8)[2]);
  EXPECT_GT(value_of("banding", output, reference), 5);
  EXPECT_GT(found_by("banding", {.output = &output, .input = &input}).value, 5);
  EXPECT_LT(found_by("banding", {.output = &reference, .input = &input}).value, 0.5);
}

TEST(Banding, NeedsASmoothSlope) {
  const Image flat = test::constant(96, 96, 0.5);
  EXPECT_EQ(found_by("banding", {.output = &flat, .reference = &flat}).missing,
            "no smooth slope, on which bands could show");
}

}  // namespace
}  // namespace upbench
