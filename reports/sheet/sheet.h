#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/codec/raster.h"
#include "reports/sheet/picture_cache.h"

namespace upbench {

// One picture of a contact sheet, pixel for pixel, with what stands above it.
struct SheetEntry {
  std::filesystem::path file;   // empty: there is none
  int width = 0, height = 0;    // of the picture
  std::string method, picture;  // two lines of text; the second with the score
  std::string missing;          // why there is no picture, where there is none
};

// A grid of labelled pictures: a column a method, a row a picture of the set. Nothing is drawn before it is
// asked for, and what is drawn is not kept: the memory is that of the cache, whatever the size.
class Sheet {
 public:
  static constexpr int kGap = 8;                                 // pixels around entries
  static constexpr std::size_t kMostDecodedBytes = 256'000'000;  // that are kept

  // Row by row, `columns` a row; not empty.
  Sheet(std::vector<SheetEntry> entries, std::size_t columns,
        std::size_t most_decoded_bytes = kMostDecodedBytes);

  std::int64_t width() const { return lefts_.back(); }
  std::int64_t height() const { return tops_.back(); }
  std::size_t columns() const { return lefts_.size() - 1; }
  std::size_t rows() const { return tops_.size() - 1; }
  std::int64_t left(std::size_t column) const { return lefts_[column]; }  // of its gap; [columns()]: the end
  std::int64_t top(std::size_t row) const { return tops_[row]; }
  std::size_t decoded() const { return cache_.decoded(); }

  // 8-bit RGB of a rectangle, which lies inside.
  Raster draw(std::int64_t x, std::int64_t y, int width, int height);

 private:
  void draw_entry(std::size_t column, std::size_t row, std::int64_t x, std::int64_t y, Raster& onto);

  std::vector<SheetEntry> entries_;
  std::vector<std::int64_t> lefts_, tops_;
  PictureCache cache_;
};

}  // namespace upbench
