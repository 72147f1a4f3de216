#include "datasets/codec/orientation.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr std::uint32_t kOrientationTag = 0x0112, kShortType = 3;
constexpr std::size_t kTiffHeader = 8, kEntry = 12;

bool exchanges_sides(int orientation) {
  return orientation >= 5;
}

std::string applied(int orientation) {
  return fmt::format("EXIF orientation {} applied", orientation);
}

// Where the pixel that is shown at (x, y) lies in a stored picture of width x height. Linear in x and y.
std::pair<std::ptrdiff_t, std::ptrdiff_t> stored_position(int orientation, std::ptrdiff_t x, std::ptrdiff_t y,
                                                          std::ptrdiff_t width, std::ptrdiff_t height) {
  const std::ptrdiff_t right = width - 1, bottom = height - 1;
  switch (orientation) {
    case 2:
      return {right - x, y};
    case 3:
      return {right - x, bottom - y};
    case 4:
      return {x, bottom - y};
    case 5:
      return {y, x};
    case 6:
      return {y, bottom - x};
    case 7:
      return {right - y, bottom - x};
    case 8:
      return {right - y, x};
    default:
      return {x, y};
  }
}

}  // namespace

int read_orientation(Bytes exif, std::vector<std::string>& notes) {
  const auto broken = [&notes] {
    notes.push_back("EXIF block is broken: orientation unknown, taken as upright");
    return 1;
  };
  if (exif.size() < kTiffHeader) return broken();
  const bool little = exif[0] == 'I' && exif[1] == 'I', big = exif[0] == 'M' && exif[1] == 'M';
  if (!little && !big) return broken();
  const auto word = [&](std::size_t at) {
    return little ? little_endian_16(exif, at) : big_endian_16(exif, at);
  };
  const auto offset = [&](std::size_t at) {
    return little ? little_endian_32(exif, at) : big_endian_32(exif, at);
  };

  const std::size_t directory = offset(4);
  if (word(2) != 42 || directory > exif.size() - 2) return broken();
  const std::size_t entries = word(directory);
  if (entries * kEntry > exif.size() - directory - 2) return broken();
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntry;
    if (word(entry) != kOrientationTag) continue;
    const std::uint32_t value = word(entry + 8);
    if (word(entry + 2) == kShortType && value >= 1 && value <= 8) return static_cast<int>(value);
    notes.push_back(fmt::format("EXIF orientation {} is not one of 1 to 8: taken as upright", value));
    return 1;
  }
  return 1;
}

void apply_orientation(Raster& raster, int orientation) {
  if (orientation == 1) return;
  const std::size_t pixel = raster.row_bytes() / static_cast<std::size_t>(raster.width);
  const auto index = [&](std::ptrdiff_t x, std::ptrdiff_t y) {
    const auto [column, row] = stored_position(orientation, x, y, raster.width, raster.height);
    return row * raster.width + column;
  };
  const std::ptrdiff_t first = index(0, 0), right = index(1, 0) - first, down = index(0, 1) - first;

  const std::vector<std::uint8_t> stored = std::move(raster.samples);
  raster.samples.resize(stored.size());
  if (exchanges_sides(orientation)) std::swap(raster.width, raster.height);
  std::uint8_t* out = raster.samples.data();
  for (int y = 0; y < raster.height; ++y) {
    std::ptrdiff_t source = first + y * down;
    for (int x = 0; x < raster.width; ++x, source += right, out += pixel) {
      std::memcpy(out, stored.data() + static_cast<std::size_t>(source) * pixel, pixel);
    }
  }
  raster.notes.push_back(applied(orientation));
}

void apply_orientation(RasterHeader& header, int orientation) {
  if (orientation == 1) return;
  if (exchanges_sides(orientation)) std::swap(header.width, header.height);
  header.notes.push_back(applied(orientation));
}

}  // namespace upbench
