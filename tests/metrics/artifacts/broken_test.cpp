#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "tests/metrics/artifacts/scenes.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::found_by;
using test::part;
using test::scene;

constexpr double kTile = 64;  // px

double part_of(const Detection& found, const std::string& name) {
  for (const ArtifactPart& figure : found.parts)
    if (figure.name == name) return figure.value;
  ADD_FAILURE() << name;
  return 0;
}

class Broken : public testing::Test {
 protected:
  Detection by_reference() const { return found_by("broken", {.output = &output, .reference = &reference}); }
  Detection by_input() const { return found_by("broken", {.output = &output, .input = &input}); }
  Image tile() { return part(output, 64, 128, 64, 64); }
  static void expect_tile(const Detection& found, double tolerance) {
    EXPECT_NEAR(found.value, kTile, tolerance);
    ASSERT_EQ(found.boxes.size(), 1u);
    EXPECT_NEAR(found.boxes[0].x, 64, 8);
    EXPECT_NEAR(found.boxes[0].y, 128, 8);
    EXPECT_NEAR(found.boxes[0].width, 64, 16);
    EXPECT_NEAR(found.boxes[0].height, 64, 16);
  }

  // Flat places of two tiles agree by chance; windows reach over the edges.
  static void expect_in_tile(const Detection& found) {
    EXPECT_GT(found.value, 0.55 * kTile);
    EXPECT_LT(found.value, 1.25 * kTile);
    ASSERT_FALSE(found.boxes.empty());
    const ArtifactBox& box = found.boxes[0];
    EXPECT_GE(box.x, 64 - 28);
    EXPECT_GE(box.y, 128 - 28);
    EXPECT_LE(box.x + box.width, 128 + 28);
    EXPECT_LE(box.y + box.height, 192 + 28);
  }

  const Image reference = scene(256, 256, 1), input = test::reduced(reference, 2);
  Image output = reference.clone();
};

TEST_F(Broken, NothingIsOfACleanPicture) {
  EXPECT_EQ(by_reference().value, 0);
  EXPECT_EQ(by_input().value, 0);
  EXPECT_EQ(found_by("broken", {.output = &output}).value, 0);
}

TEST_F(Broken, NotANumberIsCountedByItsArea) {
  tile().fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_NEAR(part_of(by_reference(), "NaN or infinite"), kTile, 1e-9);
  expect_tile(by_reference(), 1);
  const Detection alone = found_by("broken", {.output = &output});
  EXPECT_NEAR(alone.value, kTile, 1e-9);
}

TEST_F(Broken, BlackAndConstantTilesAreCountedByTheirArea) {
  for (const double level : {0.0, 0.5, 1.0}) {
    tile().fill_(level);
    EXPECT_NEAR(part_of(by_reference(), "constant"), kTile, 1e-9) << level;
    EXPECT_NEAR(part_of(by_input(), "constant"), kTile, 1e-9) << level;
    expect_tile(by_input(), 5);
  }
}

TEST_F(Broken, AStaleTileIsFound) {
  tile().copy_(part(reference, 128, 32, 64, 64));
  expect_in_tile(by_reference());
  expect_in_tile(by_input());
}

TEST_F(Broken, ATileOfAnotherPictureIsFound) {
  tile().copy_(part(scene(256, 256, 2), 64, 128, 64, 64));
  expect_in_tile(by_reference());
}

TEST_F(Broken, ACopyIsFoundWithNothingButTheOutput) {
  tile().copy_(part(reference, 150, 33, 64, 64));
  const Detection found = found_by("broken", {.output = &output});
  // Of two equal places nobody can say which is the copy: the later one is named.
  EXPECT_NEAR(found.value, kTile, 4);
}

// The original lies later in the picture than its copy, and both at its edges.
TEST_F(Broken, BesideAWitnessTheCopyIsNamedAndNotTheOriginal) {
  part(output, 0, 0, 48, 48).copy_(part(reference, 208, 208, 48, 48));
  for (const Detection& found : {by_reference(), by_input()}) {
    EXPECT_NEAR(part_of(found, "repeated") + part_of(found, "of another place"), 48, 20);
    ASSERT_FALSE(found.boxes.empty());
    EXPECT_LE(found.boxes[0].x + found.boxes[0].width, 76);
    EXPECT_LE(found.boxes[0].y + found.boxes[0].height, 76);
  }
  EXPECT_GT(part_of(by_reference(), "repeated"), 30) << "flat windows do not count";
}

// A picture that repeats itself may do so in the output, too.
TEST_F(Broken, ACopyThatTheReferenceHasTooIsNotBroken) {
  Image twice = reference.clone();
  part(twice, 0, 0, 96, 96).copy_(part(reference, 128, 128, 96, 96));
  EXPECT_EQ(found_by("broken", {.output = &twice, .reference = &twice}).value, 0);
  const Image small = test::reduced(twice, 2);
  EXPECT_EQ(found_by("broken", {.output = &twice, .input = &small}).value, 0);
}

TEST_F(Broken, SpecksAreFound) {
  Image grey = test::constant(256, 256, 0.5);
  Image specked = grey.clone();
  for (const auto& [x, y] : {std::pair(20, 30), std::pair(100, 200), std::pair(240, 128)})
    part(specked, x, y, 1, 1).fill_(x == 100 ? 0.0 : 1.0);
  const Detection found = found_by("broken", {.output = &specked, .reference = &grey});
  EXPECT_NEAR(part_of(found, "specks"), std::sqrt(3 * 16), 1e-9);
}

TEST_F(Broken, ACheckerboardIsFoundByItsPeriod) {
  for (const int period : {2, 4}) {
    const at::Tensor x = at::arange(256).view({1, 1, -1}), y = at::arange(256).view({1, -1, 1});
    const at::Tensor on = (x.div(period / 2, "floor") + y.div(period / 2, "floor")).remainder(2);
    output = quantized(reference + (on.to(at::kFloat) - 0.5) * (8.0 / 255));
    EXPECT_GT(part_of(by_reference(), "checkerboard"), 200) << period;
    EXPECT_GT(by_reference().value, 200) << period;
    // A picture that has this pattern is not broken.
    EXPECT_EQ(found_by("broken", {.output = &output, .reference = &output}).value, 0) << period;
  }
}

TEST_F(Broken, AnotherSizeIsAllOfIt) {
  EXPECT_EQ(found_by("broken", {.output = &output, .expected_width = 256, .expected_height = 256}).value, 0);
  EXPECT_EQ(found_by("broken", {.output = &output, .expected_width = 512, .expected_height = 256}).value,
            256);
}

// One tile of 64 px, in a picture of 0.1 and of 9 megapixels.
TEST_F(Broken, ATileIsAsBrokenInALargePicture) {
  Image large = at::zeros({3, 3000, 3000});
  large.slice(1, 0, 256).slice(2, 0, 256).copy_(reference);
  const Image truth = large.clone();
  part(large, 64, 128, 64, 64).fill_(0.5);
  EXPECT_NEAR(found_by("broken", {.output = &large, .reference = &truth}).value, kTile, 1);
}

TEST_F(Broken, FlatAreasOfThePictureAreNotConstantTiles) {
  Image drawing = scene(256, 256, 3);
  part(drawing, 0, 0, 128, 256).fill_(1);
  EXPECT_EQ(found_by("broken", {.output = &drawing, .reference = &drawing}).value, 0);
  const Image small = test::reduced(drawing, 2);
  EXPECT_EQ(found_by("broken", {.output = &drawing, .input = &small}).value, 0);
  EXPECT_EQ(found_by("broken", {.output = &drawing}).value, 0);
}

}  // namespace
}  // namespace upbench
