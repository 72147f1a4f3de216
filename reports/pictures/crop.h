#pragma once

#include <vector>

#include "datasets/codec/raster.h"

namespace upbench {

// Pixels from the top left corner.
struct Rect {
  int x = 0, y = 0, width = 0, height = 0;
  bool operator==(const Rect&) const = default;
};

// The rectangle of that size around the centre, moved and cut so that it lies in a picture of width x height.
Rect rect_around(double x, double y, int side, int width, int height);

// What both cover; width or height 0 where they share nothing.
Rect intersection(const Rect& a, const Rect& b);

// Shared area over the smaller one's area.
double overlap(const Rect& a, const Rect& b);

// Of 8-bit RGB; the rectangle lies inside. Throws std::invalid_argument.
Raster crop(const Raster& raster, const Rect& rect);

// Squared differences of two RGB pictures of one size, summed over blocks of kBlock x kBlock pixels.
struct ErrorBlocks {
  static constexpr int kBlock = 8;
  int columns = 0, rows = 0;
  std::vector<double> sums;  // row by row; those at the right and lower edge hold fewer pixels
};
ErrorBlocks error_blocks(const Raster& output, const Raster& reference);

// The square of about `side` pixels in which `of` has most error beyond what the least of `others` has there;
// with no others, most error. All of one size.
struct Window {
  Rect rect;
  double excess = 0;  // summed squared difference
};
Window worst_window(const ErrorBlocks& of, const std::vector<const ErrorBlocks*>& others, int side, int width,
                    int height);

}  // namespace upbench
