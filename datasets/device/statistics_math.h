#pragma once

#include <cmath>

#include "datasets/device/kernel_table.h"
#include "datasets/device/portable.h"

namespace upbench {

inline constexpr int kStatisticsBlocks = 64;  // partial results for each picture of a batch

UPBENCH_HD TileStatistics no_statistics() {
  TileStatistics none{};
  none.least = INFINITY;
  none.greatest = -INFINITY;
  return none;
}

UPBENCH_HD void add_value(TileStatistics& statistics, float value) {
  if (!(fabsf(value) < INFINITY)) {  // NaN compares false
    ++statistics.non_finite;
    return;
  }
  statistics.least = fminf(statistics.least, value);
  statistics.greatest = fmaxf(statistics.greatest, value);
  statistics.sum += static_cast<double>(value);
  statistics.sum_of_squares += static_cast<double>(value) * static_cast<double>(value);
  if (value < 0 || value > 1) ++statistics.outside;
}

UPBENCH_HD TileStatistics combined(const TileStatistics& a, const TileStatistics& b) {
  TileStatistics both{};
  both.least = fminf(a.least, b.least);
  both.greatest = fmaxf(a.greatest, b.greatest);
  both.sum = a.sum + b.sum;
  both.sum_of_squares = a.sum_of_squares + b.sum_of_squares;
  both.non_finite = a.non_finite + b.non_finite;
  both.outside = a.outside + b.outside;
  return both;
}

}  // namespace upbench
