#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/metrics/artifacts/scenes.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::found_by;
using test::scene;

const std::vector<TileBoundary> kCross = {{true, 96, 0}, {false, 80, 0}};

// Right of the vertical boundary brighter by so many levels.
Image stepped(const Image& picture, double levels) {
  Image output = picture.clone();
  output.slice(2, 96) += levels / 255;
  return output;
}

double level_part(const Detection& found) {
  return found.parts.at(2).value;
}

TEST(Seam, OfAToneStepIsItsHeight) {
  const Image reference = test::constant(160, 192, 100.0 / 255);
  for (const double height : {2.0, 6.0, 20.0}) {
    const Image output = stepped(reference, height);
    const Detection found =
        found_by("seam", {.output = &output, .reference = &reference, .boundaries = kCross});
    EXPECT_NEAR(level_part(found), height, 1e-3) << height;  // luma of float32
    // A step of one pixel's width against a null that is rounding alone.
    EXPECT_NEAR(found.parts.at(1).value, height / 0.15, 0.1) << height;
    ASSERT_FALSE(found.boxes.empty());
    EXPECT_EQ(found.boxes[0].x, 88);
    EXPECT_EQ(found.boxes[0].width, 16);
    EXPECT_EQ(found.boxes[0].height, 160);
  }
}

TEST(Seam, IsNothingWithoutTilesOrWithoutDefects) {
  const Image reference = scene(160, 192, 3), output = stepped(reference, 8);
  EXPECT_EQ(found_by("seam", {.output = &output, .reference = &reference, .boundaries_known = true}).value,
            0);
  EXPECT_EQ(found_by("seam", {.output = &reference, .reference = &reference, .boundaries = kCross}).value, 0);
}

TEST(Seam, IgnoresRealEdgesOnABoundary) {
  Image reference = scene(160, 192, 4);
  reference.slice(2, 96, 120) += 40.0 / 255;
  reference = reference.clamp(0, 1);
  // An honest enlargement is less sharp there than the truth.
  const Image output = test::low_passed(reference, 1.0);
  EXPECT_LT(found_by("seam", {.output = &output, .reference = &reference, .boundaries = kCross}).value, 0.5);
}

TEST(Seam, GrowsWithTheStepAndIsSeenAgainstTheInputToo) {
  const Image reference = scene(160, 192, 5), input = test::reduced(reference, 2);
  double before = -1;
  for (const double height : {0.0, 3.0, 6.0, 12.0}) {
    const Image output = stepped(reference, height);
    const double value = found_by("seam", {.output = &output, .input = &input, .boundaries = kCross}).value;
    EXPECT_GT(value, before) << height;
    before = height == 0 ? std::max(value, 0.3) : value;
  }
}

TEST(Seam, OfDetailThatBreaksAtTheBoundaryIsFound) {
  const Image reference = scene(160, 192, 6);
  Image output = reference.clone();
  // The right tile was made from a context that was missing: its first columns are another's.
  output.slice(2, 96, 99) = reference.slice(2, 99, 102).flip({2});
  const Detection found =
      found_by("seam", {.output = &output, .reference = &reference, .boundaries = kCross});
  EXPECT_GT(found.value, 1);
  EXPECT_LT(
      found_by("seam",
               {.output = &output, .reference = &reference, .boundaries = {{true, 60, 0}, {false, 80, 0}}})
          .value,
      0.5);
}

TEST(Seam, OfASoftTransitionIsFoundBesideIt) {
  const Image reference = test::constant(160, 192, 0.4);
  Image output = reference.clone();
  output.slice(2, 88, 104) += (at::arange(16, at::kFloat) + 0.5) / 16 * (8.0 / 255);
  output.slice(2, 104) += 8.0 / 255;
  const Detection found =
      found_by("seam", {.output = &output, .reference = &reference, .boundaries = {{true, 96, 8}}});
  EXPECT_NEAR(level_part(found), 8, 0.5);
  EXPECT_GT(found.value, 1);
}

TEST(Seam, IsSearchedForWhereBoundariesAreUnknown) {
  const Image reference = scene(160, 192, 8), output = stepped(reference, 10);
  EXPECT_EQ(found_by("seam", {.output = &reference, .reference = &reference}).value, 0);
  const Detection found = found_by("seam", {.output = &output, .reference = &reference});
  EXPECT_GT(found.value, 1);
  ASSERT_EQ(found.boxes.size(), 1u);
  EXPECT_EQ(found.boxes[0].x, 88);
  // With nothing but the output.
  const Image plain = test::low_passed(scene(160, 192, 9), 2), cut = stepped(plain, 10);
  EXPECT_EQ(found_by("seam", {.output = &plain}).value, 0);
  EXPECT_GT(found_by("seam", {.output = &cut}).value, 1);
}

TEST(Seam, IsTheSameForTheTurnedPicture) {
  const Image reference = scene(160, 192, 10), output = stepped(reference, 5);
  const Image turned_reference = reference.transpose(1, 2).contiguous(),
              turned = output.transpose(1, 2).contiguous();
  EXPECT_DOUBLE_EQ(
      found_by("seam", {.output = &output, .reference = &reference, .boundaries = {{true, 96, 0}}}).value,
      found_by("seam", {.output = &turned, .reference = &turned_reference, .boundaries = {{false, 96, 0}}})
          .value);
}

}  // namespace
}  // namespace upbench
