#pragma once

// SSIM and squared error of one signal in one pass, as metrics/ssim_kernel.cpp has it (sum and difference of
// the pictures, four blurs). A block of threads walks down a strip of columns: each row is loaded once,
// blurred along the row out of shared memory, and added to the ten windows that are still open above it; no
// picture of intermediate values exists.
#include "datasets/device/kernel_table.h"
#include "datasets/device/layout_math.h"
#include "datasets/device/portable.h"

namespace upbench {

inline constexpr int kSsimMargin = kSsimTaps - 1;  // of rows and of columns that have no window of their own
inline constexpr int kSimilarityThreads = 128;     // columns that a block loads
inline constexpr int kStripColumns = kSimilarityThreads - kSsimMargin;  // windows among them

// How a picture is divided; depends on its size alone, so that sums have one order on every GPU.
struct SimilarityGrid {
  int strips = 0, chunks = 0, rows = 0;  // rows: windows that begin in a chunk
};

UPBENCH_HD int divided_up(int value, int by) {
  return (value + by - 1) / by;
}

UPBENCH_HD int at_least_one(int value) {
  return value > 1 ? value : 1;
}

UPBENCH_HD SimilarityGrid similarity_grid(int height, int width, int signals) {
  SimilarityGrid grid;
  grid.strips = at_least_one(divided_up(width - kSsimMargin, kStripColumns));
  grid.rows = 128;  // few rows are loaded twice; halved until some 500 blocks are there to be run
  const int windows = at_least_one(height - kSsimMargin);
  while (grid.rows > 16 && grid.strips * divided_up(windows, grid.rows) * signals < 512) grid.rows /= 2;
  grid.chunks = divided_up(windows, grid.rows);
  return grid;
}

// Weighted sum (less twice the centre, which keeps squares small) and difference of both pictures at one
// place.
struct SignalPair {
  float sum, difference;
};

template <typename Element>
UPBENCH_HD float code_value(Element element) {
  return rounded_product(255.0F, static_cast<float>(element));
}
template <>
UPBENCH_HD float code_value<std::uint8_t>(std::uint8_t element) {
  return static_cast<float>(element);
}

// Code values are rounded before they are subtracted, so that equal pictures differ by exactly 0.
template <typename Element>
UPBENCH_HD SignalPair signal_pair(const SimilarityRequest& request, int signal, int y, int x) {
  const auto* output = static_cast<const Element*>(request.output.data);
  const auto* reference = static_cast<const Element*>(request.reference.data);
  SignalPair pair{};
  pair.sum = 2 * (request.offsets[signal] - request.centre);
  for (int c = 0; c < 3; ++c) {
    const float weight = request.weights[signal][c];
    if (weight == 0) continue;
    const float a = code_value(output[offset_of(request.output, c, y, x)]);
    const float b = code_value(reference[offset_of(request.reference, c, y, x)]);
    pair.sum += weight * (a + b);
    pair.difference += weight * (a - b);
  }
  return pair;
}

// Windows of one quantity that a thread has open down its column; [k] lacks k + 1 more rows.
struct OpenWindows {
  float partial[kSsimMargin] = {};

  // Takes the next row in; returns the window that this row completes.
  UPBENCH_HD float push(const float (&window)[kSsimTaps], float value) {
    const float complete = partial[0] + window[kSsimTaps - 1] * value;
    UPBENCH_UNROLL
    for (int k = 0; k + 1 < kSsimMargin; ++k)
      partial[k] = partial[k + 1] + window[kSsimMargin - 1 - k] * value;
    partial[kSsimMargin - 1] = window[0] * value;
    return complete;
  }
};

// What a thread carries down its column. Its sums are float64: single terms are float32, some thousand of
// them are added.
struct SimilarityColumn {
  OpenWindows sum, difference, sum_square, difference_square;
  SimilaritySums totals{};

  // row: of this thread's column and the ten to its right. complete: eleven rows have been seen.
  UPBENCH_HD void add_row(const SimilarityRequest& request, const SignalPair* row, bool complete) {
    const float (&window)[kSsimTaps] = request.window;
    // The two taps of equal weight are added first: fewer products, fewer roundings.
    const SignalPair centre = row[kSsimMargin / 2];
    const float weight = window[kSsimMargin / 2];
    float s = weight * centre.sum, d = weight * centre.difference;
    float ss = weight * (centre.sum * centre.sum), dd = weight * (centre.difference * centre.difference);
    UPBENCH_UNROLL
    for (int i = 0; i < kSsimMargin / 2; ++i) {
      const SignalPair a = row[i], b = row[kSsimMargin - i];
      s += window[i] * (a.sum + b.sum);
      d += window[i] * (a.difference + b.difference);
      ss += window[i] * (a.sum * a.sum + b.sum * b.sum);
      dd += window[i] * (a.difference * a.difference + b.difference * b.difference);
    }
    s = sum.push(window, s);
    d = difference.push(window, d);
    ss = sum_square.push(window, ss);
    dd = difference_square.push(window, dd);
    if (!complete) return;
    const float variance_s = ss - s * s, variance_d = dd - d * d, mean_s = s + 2 * request.centre;
    const float m = 0.5F * (mean_s * mean_s + d * d) + request.c1;
    const float v = 0.5F * (variance_s + variance_d) + request.c2;
    totals.similarity += static_cast<double>((m - d * d) * (v - variance_d) / (m * v));
  }
};

// One block's share of the picture, in the order in which a block does it: for each row load() by every
// thread, a barrier, then step() by every thread. Rows alternate between two buffers, so one barrier a row is
// enough.
template <typename Element>
struct SimilarityBlock {
  const SimilarityRequest& request;
  int signal, first_x, first_y;
  int height, width;  // of the picture
  int strips, chunks, strip, chunk, rows;

  UPBENCH_HD SimilarityBlock(const SimilarityRequest& what, int which_signal, int which_strip,
                             int which_chunk)
      : request(what),
        signal(which_signal),
        height(what.output.height),
        width(what.output.width),
        strip(which_strip),
        chunk(which_chunk) {
    const SimilarityGrid grid = similarity_grid(height, width, what.signals);
    strips = grid.strips;
    chunks = grid.chunks;
    first_x = strip * kStripColumns;
    first_y = chunk * grid.rows;
    const int left = height - first_y;
    rows = left < grid.rows + kSsimMargin ? left : grid.rows + kSsimMargin;
    own_rows = chunk + 1 == chunks ? rows : grid.rows;
  }

  // Every pixel's squared error is counted once: by the strip and the chunk that begin it, or by the last.
  UPBENCH_HD void load(int thread, int row, SignalPair* buffer, SimilarityColumn& column) const {
    const int x = first_x + thread;
    SignalPair pair{};
    if (x < width) pair = signal_pair<Element>(request, signal, first_y + row, x);
    buffer[thread] = pair;
    if (row < own_rows && (thread < kStripColumns || strip + 1 == strips))
      column.totals.squared_error += static_cast<double>(pair.difference * pair.difference);
  }

  UPBENCH_HD void step(int thread, int row, const SignalPair* buffer, SimilarityColumn& column) const {
    if (thread < kStripColumns && first_x + thread + kSsimMargin < width)
      column.add_row(request, buffer + thread, row >= kSsimMargin);
  }

 private:
  int own_rows;
};

}  // namespace upbench
