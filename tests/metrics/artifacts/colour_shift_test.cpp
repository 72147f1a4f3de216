#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/artifacts/catalog.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::constant;
using test::textured;

Detection colour_shift(const Image& output, const Image& base) {
  return detect({.output = &output, .base = &base}, *find_detector("colour-shift"));
}

// sRGB 119 is L* 50.034, 128 is L* 53.585 (CIE 15, D65).
TEST(ColourShift, OfGreysIsTheirDifferenceOfLightness) {
  const Detection found = colour_shift(constant(64, 96, 128.0 / 255), constant(64, 96, 119.0 / 255));
  EXPECT_NEAR(found.value, 53.585 - 50.034, 0.002);  // the expected values are rounded
  EXPECT_NEAR(found.parts.at(0).value, found.value, 1e-3);
}

TEST(ColourShift, IsZeroForThePictureItself) {
  const Image picture = textured(100, 90, 1);
  EXPECT_EQ(colour_shift(picture, picture).value, 0);
}

TEST(ColourShift, OfATileIsFoundWhereItIs) {
  const Image base = constant(128, 128, 0.5);
  Image output = base.clone();
  output.slice(1, 32, 64).slice(2, 64, 96).select(0, 0) += 0.2;
  const Detection found = colour_shift(output, base);
  EXPECT_GT(found.value, 9);
  EXPECT_LT(found.parts.at(0).value, 3);
  ASSERT_EQ(found.boxes.size(), 1u);
  EXPECT_EQ(found.boxes[0].x, 64 - 16);  // a mean reaches one cell of 16 px farther
  EXPECT_EQ(found.boxes[0].y, 32 - 16);
  EXPECT_EQ(found.boxes[0].width, 64);
  EXPECT_EQ(found.boxes[0].height, 64);
}

TEST(ColourShift, GrowsWithTheCastAndComparesWithTheSmallInput) {
  const Image input = textured(40, 40, 2) * 0.8;
  const Image enlarged = input.repeat_interleave(4, 1).repeat_interleave(4, 2);
  double before = detect({.output = &enlarged, .input = &input}, *find_detector("colour-shift")).value;
  EXPECT_LT(before, 0.5);
  for (const double cast : {0.02, 0.05, 0.1}) {
    Image output = enlarged.clone();
    output.select(0, 2) += cast;
    const double value = detect({.output = &output, .input = &input}, *find_detector("colour-shift")).value;
    EXPECT_GT(value, before);
    before = value;
  }
}

TEST(ColourShift, DoesNotApplyWithoutAWitness) {
  const Image output = textured(40, 40, 3);
  EXPECT_THAT(detect({.output = &output}, *find_detector("colour-shift")).missing,
              testing::HasSubstr("needs a base picture"));
}

}  // namespace
}  // namespace upbench
