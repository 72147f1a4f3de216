#include "reports/gate/picture_change.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/encode.h"
#include "reports/statistics/random.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;
using Kind = PictureChange::Kind;

constexpr int kWidth = 72, kHeight = 60;

// A texture that is known between the pixels too; every channel another one. Values within [0.1, 0.9].
double texture(double x, double y, int channel) {
  double sum = 0;
  for (int k = 1; k <= 4; ++k)
    sum += std::sin(0.17 * k * x + 0.9 * k * channel + k) * std::cos(0.13 * k * y + 1.3 * channel - k) / 4;
  return 0.5 + 0.4 * sum;
}

// value(x, y, channel), rounded to 8 bits as a kept picture is.
PicturePlanes picture(const std::function<double(int, int, int)>& value) {
  PicturePlanes planes{.width = kWidth, .height = kHeight, .rgb = {}};
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x)
        planes.rgb[c].push_back(static_cast<float>(std::lround(255 * value(x, y, c))) / 255);
  return planes;
}

PicturePlanes base() {
  return picture([](int x, int y, int c) { return texture(x, y, c); });
}

TEST(PictureChange, EqualPicturesHaveNoDifferenceToExplain) {
  EXPECT_TRUE(explain_difference(base(), base()).empty());
}

TEST(PictureChange, HalfAPixelToTheRightIsFound) {
  const PicturePlanes now = picture([](int x, int y, int c) { return texture(x - 0.5, y, c); });
  const PictureChange change = explain_difference(base(), now).at(0);
  EXPECT_EQ(change.kind, Kind::shift);
  EXPECT_NEAR(change.right, 0.5, 0.01);  // interpolation of a smooth texture in 8 bits
  EXPECT_NEAR(change.down, 0, 0.01);
  EXPECT_GT(change.explained, 0.95);
  EXPECT_THAT(change.text, HasSubstr("half a pixel: 0.50 px right"));
}

TEST(PictureChange, WholeAndFractionalShiftsOfBothAxesAreFound) {
  const PicturePlanes now = picture([](int x, int y, int c) { return texture(x + 2.25, y - 3, c); });
  const PictureChange change = explain_difference(base(), now).at(0);
  EXPECT_EQ(change.kind, Kind::shift);
  EXPECT_NEAR(change.right, -2.25, 0.02);
  EXPECT_NEAR(change.down, 3, 0.02);
  EXPECT_EQ(change.text, "shifted by 2.25 px left and 3.00 px down");
}

TEST(PictureChange, SwappedChannelsExplainEverything) {
  const PicturePlanes now = picture([](int x, int y, int c) { return texture(x, y, 2 - c); });
  const PictureChange change = explain_difference(base(), now).at(0);
  EXPECT_EQ(change.kind, Kind::channels);
  EXPECT_EQ(change.explained, 1);
  EXPECT_EQ(change.text, "R and B swapped");
}

TEST(PictureChange, RotatedChannelsSayWhichHoldsWhich) {
  const PicturePlanes now = picture([](int x, int y, int c) { return texture(x, y, (c + 1) % 3); });
  EXPECT_EQ(explain_difference(base(), now).at(0).text, "channels rotated: R holds G, G holds B, B holds R");
}

TEST(PictureChange, GammaRangeAndColourBalanceAreToldApart) {
  const auto text = [](const std::function<double(double, int)>& tone) {
    const PicturePlanes now = picture([&](int x, int y, int c) { return tone(texture(x, y, c), c); });
    const PictureChange change = explain_difference(base(), now).at(0);
    EXPECT_EQ(change.kind, Kind::tone);
    EXPECT_GT(change.explained, 0.95);  // the rest is rounding
    return change.text;
  };
  EXPECT_EQ(text([](double value, int) { return std::pow(value, 1.2); }), "gamma 1.20");
  EXPECT_THAT(text([](double value, int) { return value * 219 / 255 + 16.0 / 255; }),
              HasSubstr("full written as limited"));
  EXPECT_THAT(text([](double value, int) { return std::clamp((value * 255 - 16) / 219, 0.0, 1.0); }),
              HasSubstr("limited (16..235) stretched to full"));
  EXPECT_THAT(text([](double value, int c) { return c == 0 ? value : value - 0.05; }),
              HasSubstr("colour balance"));
}

TEST(PictureChange, ErrorsBesideBoundariesAreThoseOfTiles) {
  Random random(5);
  const PicturePlanes now = picture([&](int x, int y, int c) {
    const bool near = std::abs(x + 0.5 - 36) < 3 || std::abs(y + 0.5 - 30) < 3;
    return std::clamp(texture(x, y, c) + (near ? 0.08 : 0.004) * random.normal(), 0.0, 1.0);
  });
  const std::vector<BoundaryRow> boundaries{{.stage = "upscale", .vertical = true, .position = 36},
                                            {.stage = "upscale", .vertical = false, .position = 30}};
  const PictureChange change = explain_difference(base(), now, boundaries).at(0);
  EXPECT_EQ(change.kind, Kind::tile_borders);
  EXPECT_TRUE(is_telling(change));
  EXPECT_THAT(change.text, HasSubstr("within 4 px"));
  for (const PictureChange& other : explain_difference(base(), now))
    EXPECT_FALSE(is_telling(other)) << other.text;
}

TEST(PictureChange, NoiseIsNamedNothing) {
  Random random(6);
  const PicturePlanes now = picture(
      [&](int x, int y, int c) { return std::clamp(texture(x, y, c) + 0.03 * random.normal(), 0.0, 1.0); });
  const std::vector<BoundaryRow> boundaries{{.stage = "upscale", .vertical = true, .position = 36}};
  for (const PictureChange& change : explain_difference(base(), now, boundaries))
    EXPECT_FALSE(is_telling(change)) << change.text << " " << change.explained;
}

TEST(PictureChange, OtherOrTinySizesAreRefused) {
  PicturePlanes small{.width = 8, .height = 8, .rgb = {}};
  for (auto& plane : small.rgb) plane.assign(64, 0.5f);
  EXPECT_THROW(explain_difference(base(), small), std::invalid_argument);
  EXPECT_THROW(explain_difference(small, small), std::invalid_argument);
}

TEST(PictureChange, GreyAndSixteenBitPicturesAreRead) {
  const test::TemporaryFolder folder;
  Raster grey{.width = 2, .height = 1, .channels = 1, .bit_depth = 8, .samples = {0, 255}};
  write_file_atomically(folder / "grey.png", encode_png(grey));
  const PicturePlanes planes = read_planes(folder / "grey.png");
  for (const auto& plane : planes.rgb) EXPECT_EQ(plane, (std::vector<float>{0, 1}));
  Raster deep{
      .width = 1, .height = 1, .channels = 3, .bit_depth = 16, .samples = {0xFF, 0xFF, 0, 0, 0, 0x80}};
  write_file_atomically(folder / "deep.png", encode_png(deep));
  const PicturePlanes colours = read_planes(folder / "deep.png");
  EXPECT_EQ(colours.rgb[0].at(0), 1);
  EXPECT_EQ(colours.rgb[1].at(0), 0);
  EXPECT_NEAR(colours.rgb[2].at(0), 0x8000 / 65535.0, 1e-7);  // float32
}

}  // namespace
}  // namespace upbench
