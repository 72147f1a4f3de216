#include "reports/pictures/crop.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

namespace upbench {
namespace {

// Sums over any rectangle of blocks from four corners.
class SummedBlocks {
 public:
  explicit SummedBlocks(const ErrorBlocks& blocks) : stride_(static_cast<std::size_t>(blocks.columns) + 1) {
    sums_.assign(stride_ * (static_cast<std::size_t>(blocks.rows) + 1), 0);
    std::size_t next = 0;
    for (std::size_t y = 1; y <= static_cast<std::size_t>(blocks.rows); ++y)
      for (std::size_t x = 1; x < stride_; ++x)
        sums_[y * stride_ + x] = blocks.sums[next++] + sums_[y * stride_ + x - 1] +
                                 sums_[(y - 1) * stride_ + x] - sums_[(y - 1) * stride_ + x - 1];
  }
  double of(std::size_t x, std::size_t y, std::size_t columns, std::size_t rows) const {
    return sums_[(y + rows) * stride_ + x + columns] - sums_[y * stride_ + x + columns] -
           sums_[(y + rows) * stride_ + x] + sums_[y * stride_ + x];
  }

 private:
  std::size_t stride_;
  std::vector<double> sums_;
};

}  // namespace

Rect rect_around(double x, double y, int side, int width, int height) {
  const int w = std::min(side, width), h = std::min(side, height);
  return {.x = std::clamp(static_cast<int>(x) - w / 2, 0, width - w),
          .y = std::clamp(static_cast<int>(y) - h / 2, 0, height - h),
          .width = w,
          .height = h};
}

Rect intersection(const Rect& a, const Rect& b) {
  const int x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  return {x, y, std::max(0, std::min(a.x + a.width, b.x + b.width) - x),
          std::max(0, std::min(a.y + a.height, b.y + b.height) - y)};
}

double overlap(const Rect& a, const Rect& b) {
  const Rect both = intersection(a, b);
  if (both.width == 0 || both.height == 0) return 0;
  return double(both.width) * both.height / std::min(double(a.width) * a.height, double(b.width) * b.height);
}

Raster crop(const Raster& raster, const Rect& rect) {
  if (rect.x < 0 || rect.y < 0 || rect.width < 1 || rect.height < 1 || rect.x + rect.width > raster.width ||
      rect.y + rect.height > raster.height)
    throw std::invalid_argument(fmt::format("crop of {}x{} at {},{}: expected inside {}x{}", rect.width,
                                            rect.height, rect.x, rect.y, raster.width, raster.height));
  Raster part{.width = rect.width, .height = rect.height};
  for (int y = 0; y < rect.height; ++y) {
    const auto row = raster.samples.begin() + static_cast<std::ptrdiff_t>(raster.row_bytes()) * (rect.y + y) +
                     std::ptrdiff_t{3} * rect.x;
    part.samples.insert(part.samples.end(), row, row + std::ptrdiff_t{3} * rect.width);
  }
  return part;
}

ErrorBlocks error_blocks(const Raster& output, const Raster& reference) {
  constexpr int kBlock = ErrorBlocks::kBlock;
  if (output.width != reference.width || output.height != reference.height)
    throw std::invalid_argument(fmt::format("error of {}x{} to {}x{}: expected one size", output.width,
                                            output.height, reference.width, reference.height));
  ErrorBlocks blocks{.columns = (output.width + kBlock - 1) / kBlock,
                     .rows = (output.height + kBlock - 1) / kBlock,
                     .sums = {}};
  blocks.sums.assign(static_cast<std::size_t>(blocks.columns) * static_cast<std::size_t>(blocks.rows), 0);
  std::size_t at = 0;
  for (int y = 0; y < output.height; ++y) {
    double* sums =
        blocks.sums.data() + static_cast<std::size_t>(y / kBlock) * static_cast<std::size_t>(blocks.columns);
    for (int x = 0; x < output.width; ++x, at += 3) {
      int squared = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        const int difference = output.samples[at + c] - reference.samples[at + c];
        squared += difference * difference;
      }
      sums[x / kBlock] += squared;
    }
  }
  return blocks;
}

Window worst_window(const ErrorBlocks& of, const std::vector<const ErrorBlocks*>& others, int side, int width,
                    int height) {
  const int span = std::max(1, side / ErrorBlocks::kBlock);
  const auto columns = static_cast<std::size_t>(std::min(span, of.columns));
  const auto rows = static_cast<std::size_t>(std::min(span, of.rows));
  const SummedBlocks own(of);
  std::vector<SummedBlocks> rivals;
  for (const ErrorBlocks* other : others) rivals.emplace_back(*other);
  double most = -std::numeric_limits<double>::infinity();
  std::size_t best_x = 0, best_y = 0;
  for (std::size_t y = 0; y + rows <= static_cast<std::size_t>(of.rows); ++y)
    for (std::size_t x = 0; x + columns <= static_cast<std::size_t>(of.columns); ++x) {
      double least = rivals.empty() ? 0 : std::numeric_limits<double>::infinity();
      for (const SummedBlocks& rival : rivals) least = std::min(least, rival.of(x, y, columns, rows));
      const double excess = own.of(x, y, columns, rows) - least;
      if (excess > most) {
        most = excess;
        best_x = x;
        best_y = y;
      }
    }
  const double centre = ErrorBlocks::kBlock / 2.0;
  return {rect_around(centre * static_cast<double>(2 * best_x + columns),
                      centre * static_cast<double>(2 * best_y + rows), side, width, height),
          most};
}

}  // namespace upbench
