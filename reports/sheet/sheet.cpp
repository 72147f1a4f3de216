#include "reports/sheet/sheet.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/sheet/label.h"

namespace upbench {
namespace {

constexpr int kLeastWidth = 160, kLeastHeight = 24;  // of an entry's picture: room for a word
constexpr int kLines = 2;
constexpr std::uint8_t kPaper = 255, kMissing = 224;

// Copies what of a picture (grey or RGB) at (left, top) lies on `onto`, whose corner is (x, y).
void paste(const std::uint8_t* samples, int width, int height, int channels, std::int64_t left,
           std::int64_t top, std::int64_t x, std::int64_t y, Raster& onto) {
  const std::int64_t first = std::max<std::int64_t>(0, y - top),
                     last = std::min<std::int64_t>(height, y + onto.height - top);
  const std::int64_t begin = std::max<std::int64_t>(0, x - left),
                     end = std::min<std::int64_t>(width, x + onto.width - left);
  for (std::int64_t row = first; row < last; ++row)
    for (std::int64_t column = begin; column < end; ++column) {
      const std::uint8_t* from = samples + (row * width + column) * channels;
      std::uint8_t* to = onto.samples.data() + ((row + top - y) * onto.width + column + left - x) * 3;
      for (int c = 0; c < 3; ++c) to[c] = from[channels == 3 ? c : 0];
    }
}

// Columns or rows that [begin, end) touches, from their borders.
std::pair<std::size_t, std::size_t> touched(const std::vector<std::int64_t>& borders, std::int64_t begin,
                                            std::int64_t end) {
  const auto first = std::ranges::upper_bound(borders, begin) - borders.begin() - 1;
  const auto last = std::ranges::lower_bound(borders, end) - borders.begin();
  return {static_cast<std::size_t>(std::max<std::ptrdiff_t>(first, 0)),
          std::min(static_cast<std::size_t>(last), borders.size() - 1)};
}

}  // namespace

Sheet::Sheet(std::vector<SheetEntry> entries, std::size_t columns, std::size_t most_decoded_bytes)
    : entries_(std::move(entries)), cache_(most_decoded_bytes) {
  if (entries_.empty() || columns == 0 || entries_.size() % columns != 0)
    throw std::invalid_argument(
        fmt::format("sheet: {} pictures in {} columns, expected full rows", entries_.size(), columns));
  std::vector<std::int64_t> widths(columns, kLeastWidth), heights(entries_.size() / columns, kLeastHeight);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto &width = widths[i % columns], &height = heights[i / columns];
    width = std::max<std::int64_t>(width, entries_[i].width);
    height = std::max<std::int64_t>(height, entries_[i].height);
  }
  lefts_ = tops_ = {0};
  for (const std::int64_t width : widths) lefts_.push_back(lefts_.back() + width + kGap);
  for (const std::int64_t height : heights)
    tops_.push_back(tops_.back() + height + kLines * kLabelHeight + kGap);
}

Raster Sheet::draw(std::int64_t x, std::int64_t y, int width, int height) {
  if (x < 0 || y < 0 || width < 1 || height < 1 || x + width > this->width() || y + height > this->height())
    throw std::invalid_argument(fmt::format("sheet: {}x{} at ({}, {}) is outside of {}x{}", width, height, x,
                                            y, this->width(), this->height()));
  Raster raster{.width = width, .height = height, .samples = {}, .notes = {}};
  raster.samples.assign(raster.row_bytes() * static_cast<std::size_t>(height), kPaper);
  const auto [first_row, last_row] = touched(tops_, y, y + height);
  const auto [first_column, last_column] = touched(lefts_, x, x + width);
  for (std::size_t row = first_row; row < last_row; ++row)
    for (std::size_t column = first_column; column < last_column; ++column)
      draw_entry(column, row, x, y, raster);
  return raster;
}

void Sheet::draw_entry(std::size_t column, std::size_t row, std::int64_t x, std::int64_t y, Raster& onto) {
  const SheetEntry& entry = entries_[row * columns() + column];
  const std::int64_t left = lefts_[column] + kGap / 2;
  std::int64_t top = tops_[row] + kGap / 2;
  const int room = static_cast<int>(lefts_[column + 1] - lefts_[column]) - kGap;
  for (const std::string* line : {&entry.method, &entry.picture}) {
    if (top < y + onto.height && top + kLabelHeight > y)
      paste(draw_label(*line, room).data(), room, kLabelHeight, 1, left, top, x, y, onto);
    top += kLabelHeight;
  }
  const auto picture = entry.file.empty() ? nullptr : cache_.get(entry.file);
  const bool fits = picture && picture->width == entry.width && picture->height == entry.height;
  if (fits) {
    paste(picture->samples.data(), picture->width, picture->height, 3, left, top, x, y, onto);
    return;
  }
  const int height = std::max(entry.height, kLeastHeight);
  const std::vector<std::uint8_t> grey(static_cast<std::size_t>(room), kMissing);
  for (int line = 0; line < height; ++line) paste(grey.data(), room, 1, 1, left, top + line, x, y, onto);
  const std::string why = !entry.missing.empty() ? entry.missing : "the picture is gone or damaged";
  paste(draw_label(why, room).data(), room, kLabelHeight, 1, left, top + 2, x, y, onto);
}

}  // namespace upbench
