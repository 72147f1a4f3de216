#include "metrics/ssim_kernel.h"

#include <algorithm>
#include <array>
#include <memory>

#include "datasets/vector_clones.h"

// With s = a + b and d = a - b the formula needs four blurs instead of five and does not cancel where
// pictures are alike:
//   SSIM = (M - E[d]^2)(V - var d) / (M V),   M = (E[s]^2 + E[d]^2) / 2 + C1,   V = (var s + var d) / 2 + C2,
// because 2 E[a]E[b] = E[a]^2 + E[b]^2 - E[d]^2 and 2 cov = var a + var b - var d. The picture is walked in
// strips of columns; the last 11 rows of s and d lie in a ring that fits the second-level cache; blurring and
// formula are fused per row.
namespace upbench {
namespace {

constexpr int kRadius = kSsimWindow / 2;
constexpr int kVector = 16;   // buffer rows hold whole vectors of this many values
constexpr int kStrip = 1024;  // columns of results at a time: long rows suit the prefetcher
constexpr int kWidth = (kStrip + 2 * kRadius + kVector - 1) / kVector * kVector;  // of a buffer row
constexpr int kLanes = 8;  // partial sums of the results

struct alignas(64) Row {
  std::array<float, kWidth> values{};
};

// The ring and the blurred rows of one strip.
struct Workspace {
  std::array<Row, kSsimWindow> sum, difference;  // row y of the picture lies at y modulo 11
  Row blurred_sum, blurred_difference, blurred_sum_square, blurred_difference_square;
  Row result;
  std::array<double, kLanes> totals{};
};

// The subtraction comes first: a product before it could be fused with it, and equal pictures would differ.
UPBENCH_VECTOR_CLONES
void add_channel(const float* __restrict output, const float* __restrict reference, int count, float weight,
                 float* __restrict sum, float* __restrict difference) {
  for (int x = 0; x < count; ++x) {
    sum[x] += weight * (output[x] + reference[x]);
    difference[x] += weight * (output[x] - reference[x]);
  }
}

// E[v] and E[v^2] down the columns of the 11 rows, oldest first.
UPBENCH_VECTOR_CLONES
void blur_columns(const std::array<const float*, kSsimWindow>& rows, int count, const SsimWindow& window,
                  float* __restrict mean, float* __restrict mean_square) {
  const std::array<const float*, kSsimWindow> row = rows;
  for (int x = 0; x < count; ++x) {
    float m = window[kRadius] * row[kRadius][x];
    float q = window[kRadius] * (row[kRadius][x] * row[kRadius][x]);
    for (int i = 0; i < kRadius; ++i) {
      const float a = row[i][x];
      const float b = row[kSsimWindow - 1 - i][x];
      m += window[i] * (a + b);
      q += window[i] * (a * a + b * b);
    }
    mean[x] = m;
    mean_square[x] = q;
  }
}

// Along the row, at x + 5.
inline __attribute__((always_inline)) float blur_at(const float* row, const SsimWindow& window) {
  float m = window[kRadius] * row[kRadius];
  for (int i = 0; i < kRadius; ++i) m += window[i] * (row[i] + row[kSsimWindow - 1 - i]);
  return m;
}

UPBENCH_VECTOR_CLONES
void blur_rows_and_combine(const float* __restrict sum, const float* __restrict difference,
                           const float* __restrict sum_square, const float* __restrict difference_square,
                           int count, const SsimWindow& weights, float* __restrict result) {
  const SsimWindow window = weights;
  for (int x = 0; x < count; ++x) {
    const float s = blur_at(sum + x, window);
    const float d = blur_at(difference + x, window);
    const float variance_s = blur_at(sum_square + x, window) - s * s;
    const float variance_d = blur_at(difference_square + x, window) - d * d;
    const float mean_s = s + 2 * kSsimCentre;
    const float m = 0.5F * (mean_s * mean_s + d * d) + static_cast<float>(kSsimC1);
    const float v = 0.5F * (variance_s + variance_d) + static_cast<float>(kSsimC2);
    result[x] = (m - d * d) * (v - variance_d) / (m * v);
  }
}

UPBENCH_VECTOR_CLONES
void add_results(const float* __restrict result, int count, std::array<double, kLanes>& totals) {
  int x = 0;
  for (; x + kLanes <= count; x += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) totals[lane] += static_cast<double>(result[x + lane]);
  for (; x < count; ++x) totals[0] += static_cast<double>(result[x]);
}

// One row of both pictures, columns [x, x + count), into the ring.
void load_row(const Planes& output, const Planes& reference, const Signal& signal, int x, int y, int count,
              Workspace& work) {
  Row& sum = work.sum[y % kSsimWindow];
  Row& difference = work.difference[y % kSsimWindow];
  sum.values.fill(2 * (static_cast<float>(signal.offset) - kSsimCentre));
  difference.values.fill(0);
  for (int c = 0; c < 3; ++c)
    if (signal.weights[c] != 0)
      add_channel(output.row(c, y) + x, reference.row(c, y) + x, count,
                  static_cast<float>(255 * signal.weights[c]), sum.values.data(), difference.values.data());
}

// The row of results whose windows end at row y.
void finish_row(int y, int results, const SsimWindow& window, Workspace& work) {
  const int inputs =
      (results + 2 * kRadius + kVector - 1) / kVector * kVector;  // what lies beyond is never read back
  std::array<const float*, kSsimWindow> sum, difference;
  for (int i = 0; i < kSsimWindow; ++i) {
    const int slot = (y + 1 + i) % kSsimWindow;
    sum[i] = work.sum[slot].values.data();
    difference[i] = work.difference[slot].values.data();
  }
  blur_columns(sum, inputs, window, work.blurred_sum.values.data(), work.blurred_sum_square.values.data());
  blur_columns(difference, inputs, window, work.blurred_difference.values.data(),
               work.blurred_difference_square.values.data());
  blur_rows_and_combine(work.blurred_sum.values.data(), work.blurred_difference.values.data(),
                        work.blurred_sum_square.values.data(), work.blurred_difference_square.values.data(),
                        results, window, work.result.values.data());
  add_results(work.result.values.data(), results, work.totals);
}

}  // namespace

double ssim(const Planes& output, const Planes& reference, const Signal& signal) {
  static const SsimWindow window = ssim_window();
  const auto work = std::make_unique<Workspace>();
  const int columns = output.width - 2 * kRadius;
  const int rows = output.height - 2 * kRadius;
  for (int x = 0; x < columns; x += kStrip) {
    const int results = std::min(kStrip, columns - x);
    for (int y = 0; y < output.height; ++y) {
      load_row(output, reference, signal, x, y, results + 2 * kRadius, *work);
      if (y >= kSsimWindow - 1) finish_row(y, results, window, *work);
    }
  }
  double total = 0;
  for (double lane : work->totals) total += lane;
  return total / (static_cast<double>(columns) * rows);
}

Score ssim_undefined() {
  return {.flag = ScoreFlag::undefined, .reason = "smaller than the 11x11 window"};
}

Score ssim_score(const Planes& output, const Planes& reference, std::span<const Signal> signals) {
  if (output.width < kSsimWindow || output.height < kSsimWindow) return ssim_undefined();
  double sum = 0;
  for (const Signal& signal : signals) sum += ssim(output, reference, signal);
  return {.value = sum / static_cast<double>(signals.size())};
}

}  // namespace upbench
