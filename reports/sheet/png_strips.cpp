#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "datasets/codec/png_writer.h"
#include "reports/sheet/write_sheet.h"

namespace upbench {
namespace {

constexpr std::int64_t kBandBytes = 16'000'000;  // that are drawn at once

using Range = std::pair<std::size_t, std::size_t>;  // of columns or rows, the end not in it

// As many as fit into `most` pixels, at least one each.
template <class Border>
std::vector<Range> shared_out(std::size_t count, std::int64_t most, const Border& border) {
  std::vector<Range> parts;
  for (std::size_t begin = 0; begin < count;) {
    std::size_t end = begin + 1;
    while (end < count && border(end + 1) - border(begin) <= most) ++end;
    parts.emplace_back(begin, end);
    begin = end;
  }
  return parts;
}

void write_strip(Sheet& sheet, const std::filesystem::path& file, const Range& columns, const Range& rows) {
  const std::int64_t left = sheet.left(columns.first), width = sheet.left(columns.second) - left,
                     top = sheet.top(rows.first), bottom = sheet.top(rows.second);
  PngWriter writer(file, width, bottom - top);
  const std::int64_t band = std::max<std::int64_t>(1, kBandBytes / (3 * width));
  for (std::int64_t y = top; y < bottom; y += band) {
    const Raster lines =
        sheet.draw(left, y, static_cast<int>(width), static_cast<int>(std::min(band, bottom - y)));
    for (std::size_t row = 0; row < static_cast<std::size_t>(lines.height); ++row)
      writer.write_row(std::span(lines.samples).subspan(row * lines.row_bytes(), lines.row_bytes()));
  }
}

}  // namespace

std::vector<std::filesystem::path> write_png_strips(Sheet& sheet, const std::filesystem::path& file,
                                                    int most_side) {
  const auto column_parts =
      shared_out(sheet.columns(), most_side, [&](std::size_t column) { return sheet.left(column); });
  const auto row_parts = shared_out(sheet.rows(), most_side, [&](std::size_t row) { return sheet.top(row); });
  std::vector<std::filesystem::path> files;
  for (std::size_t r = 0; r < row_parts.size(); ++r)
    for (std::size_t c = 0; c < column_parts.size(); ++c) {
      std::string name = file.stem().string();
      if (row_parts.size() * column_parts.size() > 1) name += fmt::format("-{}", r + 1);
      if (column_parts.size() > 1) name += fmt::format("-{}", c + 1);
      files.push_back(file.parent_path() / (name + ".png"));
      write_strip(sheet, files.back(), column_parts[c], row_parts[r]);
    }
  return files;
}

}  // namespace upbench
