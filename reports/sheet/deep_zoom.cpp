#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "datasets/codec/encode.h"
#include "reports/sheet/write_sheet.h"

namespace upbench {
namespace {

// Mean of 2 x 2 values, of fewer at an odd end.
Raster halved(const Raster& large) {
  Raster small{.width = (large.width + 1) / 2, .height = (large.height + 1) / 2, .samples = {}, .notes = {}};
  small.samples.resize(small.row_bytes() * static_cast<std::size_t>(small.height));
  const auto value = [&](int x, int y, int c) {
    return large
        .samples[static_cast<std::size_t>(y) * large.row_bytes() + static_cast<std::size_t>(3 * x + c)];
  };
  std::size_t at = 0;
  for (int y = 0; y < small.height; ++y)
    for (int x = 0; x < small.width; ++x)
      for (int c = 0; c < 3; ++c) {
        const int right = std::min(2 * x + 1, large.width - 1), below = std::min(2 * y + 1, large.height - 1);
        const int sum =
            value(2 * x, 2 * y, c) + value(right, 2 * y, c) + value(2 * x, below, c) + value(right, below, c);
        small.samples[at++] = static_cast<std::uint8_t>((sum + 2) / 4);
      }
  return small;
}

void put(const Raster& part, int x, int y, Raster& whole) {
  for (int row = 0; row < part.height; ++row)
    std::copy_n(part.samples.begin() + static_cast<std::ptrdiff_t>(row * part.row_bytes()), part.row_bytes(),
                whole.samples.begin() + static_cast<std::ptrdiff_t>((y + row) * whole.row_bytes() +
                                                                    static_cast<std::size_t>(3 * x)));
}

// Not durable one by one, as there may be hundreds of thousands: FILE, which is written last, says that all
// are there.
void write_tile(const std::filesystem::path& file, const std::vector<std::uint8_t>& bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), file.string() + ": cannot be written");
}

// Writes the pyramid below each of its tiles before the tile itself, so that only a tile of each level is at
// hand.
class Pyramid {
 public:
  Pyramid(Sheet& sheet, std::filesystem::path folder, int tile)
      : sheet_(sheet), folder_(std::move(folder)), tile_(tile) {
    while (side(sheet.width(), 0) > 1 || side(sheet.height(), 0) > 1) ++last_;
    for (int level = 0; level <= last_; ++level)
      std::filesystem::create_directories(folder_ / fmt::format("{}", level));
  }
  void write() { tile(0, 0, 0); }

 private:
  // Of the whole, at a level.
  std::int64_t side(std::int64_t full, int level) const {
    const std::int64_t unit = std::int64_t{1} << (last_ - level);
    return (full + unit - 1) / unit;
  }

  Raster tile(int level, std::int64_t column, std::int64_t row) {
    const std::int64_t x = column * tile_, y = row * tile_;
    const int width = static_cast<int>(std::min<std::int64_t>(tile_, side(sheet_.width(), level) - x)),
              height = static_cast<int>(std::min<std::int64_t>(tile_, side(sheet_.height(), level) - y));
    Raster made = level == last_ ? sheet_.draw(x, y, width, height) : halved(four(level + 1, column, row));
    const std::string name = fmt::format("{}/{}_{}.png", level, column, row);
    write_tile(folder_ / name, encode_png(made, {.level = 3, .text = {}}));
    return made;
  }

  // The up to four tiles that one of the level above covers.
  Raster four(int level, std::int64_t column, std::int64_t row) {
    const std::int64_t x = 2 * column * tile_, y = 2 * row * tile_;
    Raster whole{
        .width = static_cast<int>(std::min<std::int64_t>(2 * tile_, side(sheet_.width(), level) - x)),
        .height = static_cast<int>(std::min<std::int64_t>(2 * tile_, side(sheet_.height(), level) - y)),
        .samples = {},
        .notes = {}};
    whole.samples.resize(whole.row_bytes() * static_cast<std::size_t>(whole.height));
    for (const int down : {0, 1})
      for (const int across : {0, 1})
        if (across * tile_ < whole.width && down * tile_ < whole.height)
          put(tile(level, 2 * column + across, 2 * row + down), across * tile_, down * tile_, whole);
    return whole;
  }

  Sheet& sheet_;
  std::filesystem::path folder_;
  int tile_;
  int last_ = 0;  // level, of full size
};

}  // namespace

void write_deep_zoom(Sheet& sheet, const std::filesystem::path& file, int tile) {
  const std::filesystem::path folder = file.parent_path() / (file.stem().string() + "_files");
  Pyramid(sheet, folder, tile).write();
  const std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<Image xmlns=\"http://schemas.microsoft.com/deepzoom/2008\" TileSize=\"{}\" Overlap=\"0\" "
      "Format=\"png\">\n  <Size Width=\"{}\" Height=\"{}\"/>\n</Image>\n",
      tile, sheet.width(), sheet.height());
  write_file_atomically(file, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace upbench
