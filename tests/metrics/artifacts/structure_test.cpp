#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "tests/metrics/artifacts/scenes.h"
#include "tests/metrics/pictures.h"

// Hallucination, drift, texture loss, noise residue.
namespace upbench {
namespace {

using test::found_by;
using test::part;
using test::scene;
using test::value_of;

Image band_noise(const Image& like, double levels, std::uint64_t seed) {
  const Image noise = test::grey_noise(like, 1, seed);
  const Image band = test::low_passed(noise, 0.8) - test::low_passed(noise, 2);
  return band / band.std() * (levels / 255);
}

TEST(Hallucination, OfInventedTextureIsItsContrast) {
  const Image reference = test::constant(160, 192, 0.5);
  for (const double levels : {6.0, 14.0}) {
    const Image output = reference + band_noise(reference, levels, 1);
    EXPECT_NEAR(value_of("hallucination", output, reference), levels, 0.3 * levels);  // windows of 11 px vary
    EXPECT_NEAR(found_by("hallucination", {.output = &output, .reference = &reference}).parts.at(0).value,
                levels, 0.1 * levels);
  }
}

TEST(Hallucination, IsNotWhatFollowsFromTheReference) {
  const Image reference = scene(160, 192, 2);
  EXPECT_EQ(value_of("hallucination", reference, reference), 0);
  const Image sharp = (reference + 1.0 * (reference - test::low_passed(reference, 1.0))).clamp(0, 1);
  EXPECT_LT(value_of("hallucination", sharp, reference), 4);
  EXPECT_LT(value_of("hallucination", test::low_passed(reference, 1.5), reference), 2);
}

TEST(Hallucination, GrowsAndHasItsPlace) {
  const Image reference = scene(160, 192, 3);
  double before = 1;
  for (const double levels : {8.0, 16.0, 32.0}) {
    Image output = reference.clone();
    part(output, 64, 48, 64, 64) += part(band_noise(reference, levels, 4), 64, 48, 64, 64);
    output = output.clamp(0, 1);
    const Detection found = found_by("hallucination", {.output = &output, .reference = &reference});
    EXPECT_GT(found.value, before);
    before = found.value;
    ASSERT_FALSE(found.boxes.empty());
    EXPECT_GE(found.boxes[0].x + found.boxes[0].width, 64);
    EXPECT_LE(found.boxes[0].x, 128);
  }
}

TEST(Hallucination, IsJudgedByAFidelityResultOrTheInput) {
  const Image truth = scene(160, 192, 5), input = test::reduced(truth, 2);
  const Image fidelity = test::low_passed(truth, 1.2);
  const Image wild = (fidelity + band_noise(truth, 20, 6)).clamp(0, 1);
  EXPECT_GT(found_by("hallucination", {.output = &wild, .fidelity = &fidelity}).value, 12);
  EXPECT_LT(found_by("hallucination", {.output = &truth, .fidelity = &fidelity}).value, 8);
  EXPECT_GT(found_by("hallucination", {.output = &wild, .input = &input}).value, 4);
  EXPECT_LT(found_by("hallucination", {.output = &truth, .input = &input}).value, 1);
}

Image shifted(const Image& image, int right, int down) {
  return at::roll(image, {down, right}, {1, 2});
}

TEST(Drift, IsTheDisplacementInPixels) {
  const Image base = scene(192, 192, 7);
  EXPECT_EQ(found_by("drift", {.output = &base, .base = &base}).value, 0);
  for (const auto& [right, down] : {std::pair(2, 0), std::pair(0, 3), std::pair(3, 4)}) {
    const Image output = shifted(base, right, down);
    EXPECT_NEAR(found_by("drift", {.output = &output, .base = &base}).parts.at(0).value,
                std::hypot(right, down), 0.25)  // of the median; what rolled over the border is not judged
        << right << " " << down;
  }
}

TEST(Drift, IsSeenAgainstTheInput) {
  const Image truth = scene(192, 192, 8), input = test::reduced(truth, 2);
  EXPECT_LT(found_by("drift", {.output = &truth, .input = &input}).value, 0.2);
  const Image output = shifted(truth, 3, 0);
  EXPECT_NEAR(found_by("drift", {.output = &output, .input = &input}).parts.at(0).value, 3, 0.3);
}

TEST(Drift, IsNeitherNoiseNorTone) {
  const Image base = scene(192, 192, 9);
  const Image noisy = quantized(base + test::grey_noise(base, 8, 10)), darker = base * 0.9;
  EXPECT_LT(found_by("drift", {.output = &noisy, .base = &base}).value, 0.5);
  EXPECT_LT(found_by("drift", {.output = &darker, .base = &base}).value, 0.5);
}

TEST(TextureLoss, IsTheMissingShareOfContrast) {
  const Image reference = test::constant(160, 192, 0.5) + band_noise(test::constant(160, 192, 0.5), 15, 11);
  for (const double left : {1.0, 0.75, 0.4}) {
    const Image output = 0.5 + (reference - 0.5) * left;
    EXPECT_NEAR(value_of("texture-loss", output, reference), 100 * (1 - left), 0.5) << left;  // 8 bit
  }
}

TEST(TextureLoss, GrowsWithBlurAndKnowsTheInput) {
  const Image reference = scene(160, 192, 12), input = test::reduced(reference, 2);
  double before = 0, before_input = -1;
  for (const double sigma : {0.8, 1.6, 3.0}) {
    const Image output = test::low_passed(reference, sigma);
    EXPECT_GT(value_of("texture-loss", output, reference), before);
    before = value_of("texture-loss", output, reference);
    const double value = found_by("texture-loss", {.output = &output, .input = &input}).value;
    EXPECT_GT(value, before_input);
    before_input = value;
  }
  EXPECT_EQ(value_of("texture-loss", reference, reference), 0);
  EXPECT_LT(found_by("texture-loss", {.output = &reference, .input = &input}).value, 1);  // 8-bit input
}

TEST(NoiseResidue, IsTheStandardDeviation) {
  const Image reference = test::constant(160, 192, 0.5);
  for (const double sigma : {3.0, 8.0, 20.0}) {
    const Image output = reference + test::grey_noise(reference, sigma, 13);
    EXPECT_NEAR(value_of("noise-residue", output, reference), sigma, 0.05 * sigma) << sigma;
  }
}

TEST(NoiseResidue, IsNotGrainThatThePictureHas) {
  const Image reference = quantized(scene(160, 192, 14) + test::grey_noise(scene(160, 192, 14), 8, 15));
  const Image input = test::reduced(reference, 2);
  EXPECT_EQ(value_of("noise-residue", reference, reference), 0);
  EXPECT_LT(found_by("noise-residue", {.output = &reference, .input = &input}).value, 3);
}

}  // namespace
}  // namespace upbench
