#include "datasets/codec/png_writer.h"

#include <system_error>

#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

std::vector<std::uint8_t> row_of(int width, int row) {
  std::vector<std::uint8_t> rgb;
  for (int i = 0; i < 3 * width; ++i) rgb.push_back(static_cast<std::uint8_t>(i * 7 + row * 13));
  return rgb;
}

TEST(PngWriter, RowsComeBack) {
  const TemporaryFolder folder;
  PngWriter writer(folder / "a.png", 5, 3);
  std::vector<std::uint8_t> all;
  for (int row = 0; row < 3; ++row) {
    EXPECT_FALSE(std::filesystem::exists(folder / "a.png"));  // not before the last row
    writer.write_row(row_of(5, row));
    const auto rgb = row_of(5, row);
    all.insert(all.end(), rgb.begin(), rgb.end());
  }
  const Raster raster = decode_file(folder / "a.png");
  EXPECT_EQ(raster.width, 5);
  EXPECT_EQ(raster.height, 3);
  EXPECT_EQ(raster.channels, 3);
  EXPECT_EQ(raster.samples, all);
}

TEST(PngWriter, AnUnfinishedFileLeavesNothing) {
  const TemporaryFolder folder;
  {
    PngWriter(folder / "a.png", 5, 3).write_row(row_of(5, 0));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(PngWriter, RefusesOtherRowsAndSides) {
  const TemporaryFolder folder;
  PngWriter writer(folder / "a.png", 5, 1);
  EXPECT_THROW(writer.write_row(row_of(4, 0)), std::invalid_argument);
  writer.write_row(row_of(5, 0));
  EXPECT_THROW(writer.write_row(row_of(5, 0)), std::invalid_argument);
  EXPECT_THROW(PngWriter(folder / "b.png", 0, 1), std::invalid_argument);
  EXPECT_THROW(PngWriter(folder / "b.png", 1, std::int64_t{1} << 31), std::invalid_argument);
  EXPECT_THROW(PngWriter(folder / "no" / "b.png", 1, 1), std::system_error);
}

}  // namespace
}  // namespace upbench::test
