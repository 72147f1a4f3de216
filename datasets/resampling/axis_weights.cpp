#include "datasets/resampling/axis_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

namespace upbench {
namespace {

double cubic(double distance, double a) {
  const double d = std::abs(distance);
  if (d >= 2) return 0;
  if (d >= 1) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return ((a + 2) * d - (a + 3)) * d * d + 1;
}

double sinc(double x) {
  const double angle = std::numbers::pi * x;
  return x == 0 ? 1 : std::sin(angle) / angle;
}

double lanczos(double distance, double radius) {
  return std::abs(distance) >= radius ? 0 : sinc(distance) * sinc(distance / radius);
}

// The weights of each output, over consecutive inputs.
class Rows {
 public:
  explicit Rows(int outputs) { rows_.reserve(static_cast<std::size_t>(outputs)); }

  // The weights of the next output for inputs from `first` on: zeros, to be filled before the next call.
  std::span<double> add(int first, int count) {
    rows_.push_back({first, count});
    weights_.resize(weights_.size() + static_cast<std::size_t>(count));
    return std::span(weights_).last(static_cast<std::size_t>(count));
  }

  // All brought to one length, a row's start moved left where it would reach beyond the picture.
  AxisWeights packed(int input) const;

 private:
  struct Row {
    int first, count;
  };
  std::vector<Row> rows_;
  std::vector<double> weights_;
};

AxisWeights Rows::packed(int input) const {
  AxisWeights axis;
  for (const Row& row : rows_) axis.taps = std::max(axis.taps, row.count);
  axis.first.reserve(rows_.size());
  axis.weights.assign(rows_.size() * static_cast<std::size_t>(axis.taps), 0.0);
  auto from = weights_.begin();
  auto to = axis.weights.begin();
  for (const Row& row : rows_) {
    axis.first.push_back(std::min(row.first, input - axis.taps));
    std::copy(from, from + row.count, to + (row.first - axis.first.back()));
    from += row.count;
    to += axis.taps;
  }
  return axis;
}

// Where position `at`, possibly outside, is read: -1 for nowhere.
std::int64_t inside(std::int64_t at, std::int64_t input, Border border) {
  if (at >= 0 && at < input) return at;
  switch (border) {
    case Border::replicate:
      return std::clamp<std::int64_t>(at, 0, input - 1);
    case Border::mirror: {
      const std::int64_t period = 2 * input, phase = (at % period + period) % period;
      return phase < input ? phase : period - 1 - phase;
    }
    case Border::cut_off:
      break;
  }
  return -1;
}

using Parts = std::vector<std::pair<int, double>>;  // where a weight falls, and the weight

// `parts` is room to work in.
void add_filter_row(int input, double centre, double stretch, const Filter& filter, Parts& parts,
                    Rows& rows) {
  const double radius = filter.radius * stretch;
  const auto from = static_cast<std::int64_t>(std::floor(centre - radius));
  const auto to = static_cast<std::int64_t>(std::ceil(centre + radius));
  int first = input, last = -1;
  parts.clear();
  for (std::int64_t at = from; at <= to; ++at) {
    // A sinc at whole numbers is 1e-17 rather than 0.
    constexpr double kNothing = 1e-12;
    const double weight = filter.value((static_cast<double>(at) - centre) / stretch);
    const auto source = static_cast<int>(inside(at, input, filter.border));
    if (std::abs(weight) < kNothing || source < 0) continue;
    parts.emplace_back(source, weight);
    first = std::min(first, source);
    last = std::max(last, source);
  }
  double sum = 0;
  for (const auto& [source, weight] : parts) sum += weight;
  const std::span<double> row = rows.add(first, last - first + 1);
  for (const auto& [source, weight] : parts) row[static_cast<std::size_t>(source - first)] += weight / sum;
}

// One input for each output.
template <typename Source>
AxisWeights one_each(int output, Source source) {
  AxisWeights axis;
  axis.first.reserve(static_cast<std::size_t>(output));
  for (int o = 0; o < output; ++o) axis.first.push_back(source(o));
  axis.weights.assign(axis.first.size(), 1.0);
  return axis;
}

}  // namespace

double box(double distance) {
  return distance > -0.5 && distance <= 0.5 ? 1 : 0;
}
double hamming(double distance) {
  if (std::abs(distance) >= 1) return 0;
  return sinc(distance) * (0.54 + 0.46 * std::cos(std::numbers::pi * distance));
}
double triangle(double distance) {
  return std::max(0.0, 1 - std::abs(distance));
}
double cubic_a50(double distance) {
  return cubic(distance, -0.5);
}
double cubic_a75(double distance) {
  return cubic(distance, -0.75);
}
double lanczos3(double distance) {
  return lanczos(distance, 3);
}
double lanczos4(double distance) {
  return lanczos(distance, 4);
}

AxisWeights filter_weights(int input, int output, const Filter& filter) {
  const double step = static_cast<double>(input) / output;
  const double stretch = filter.antialias ? std::max(1.0, step) : 1.0;
  Rows rows(output);
  Parts parts;
  for (int o = 0; o < output; ++o)
    add_filter_row(input, (o + 0.5) * step - 0.5, stretch, filter, parts, rows);
  return rows.packed(input);
}

AxisWeights nearest_weights(int input, int output) {
  return one_each(output, [=](int o) { return static_cast<int>(std::int64_t{o} * input / output); });
}

AxisWeights torch_nearest_weights(int input, int output) {
  const float ratio = static_cast<float>(input) / static_cast<float>(output);
  return one_each(output, [=](int o) {
    if (output == input) return o;
    if (output == 2 * input) return o / 2;
    return std::min(static_cast<int>(static_cast<float>(o) * ratio), input - 1);
  });
}

AxisWeights torch_nearest_exact_weights(int input, int output) {
  const float ratio = static_cast<float>(input) / static_cast<float>(output);
  return one_each(output, [=](int o) {
    if (output == input) return o;
    if (output == 2 * input) return o / 2;
    return std::min(static_cast<int>(static_cast<float>((o + 0.5) * ratio)), input - 1);
  });
}

AxisWeights pillow_nearest_weights(int input, int output) {
  const double ratio = static_cast<double>(input) / output;
  double at = ratio * 0.5 - ratio;
  return one_each(output, [=](int) mutable { return std::min(static_cast<int>(at += ratio), input - 1); });
}

AxisWeights touched_area_weights(int input, int output) {
  Rows rows(output);
  for (std::int64_t o = 0; o < output; ++o) {
    const std::int64_t from = o * input / output, to = ((o + 1) * input + output - 1) / output;
    const auto count = static_cast<int>(to - from);
    std::ranges::fill(rows.add(static_cast<int>(from), count), 1.0 / count);
  }
  return rows.packed(input);
}

AxisWeights pillow_weights(int input, int output, double radius, double (*filter)(double)) {
  const double step = static_cast<double>(input) / output, stretch = std::max(1.0, step);
  const double reach = radius * stretch, shrink = 1.0 / stretch;
  Rows rows(output);
  for (int o = 0; o < output; ++o) {
    const double centre = (o + 0.5) * step;
    const int first = std::max(0, static_cast<int>(centre - reach + 0.5));
    const int to = std::min(input, static_cast<int>(centre + reach + 0.5));
    const std::span<double> row = rows.add(first, to - first);
    double sum = 0;
    for (int x = first; x < to; ++x)
      sum += row[static_cast<std::size_t>(x - first)] = filter((x - centre + 0.5) * shrink);
    for (double& weight : row) weight /= sum;
  }
  return rows.packed(input);
}

AxisWeights area_weights(int input, int output) {
  Rows rows(output);
  for (std::int64_t o = 0; o < output; ++o) {
    // In units of 1 / output of an input pixel everything is a whole number.
    const std::int64_t from = o * input, to = from + input;
    const std::int64_t first = from / output, end = (to + output - 1) / output;
    const std::span<double> row = rows.add(static_cast<int>(first), static_cast<int>(end - first));
    for (std::int64_t at = first; at < end; ++at) {
      const std::int64_t covered = std::min(to, (at + 1) * output) - std::max(from, at * output);
      row[static_cast<std::size_t>(at - first)] = static_cast<double>(covered) / input;
    }
  }
  return rows.packed(input);
}

}  // namespace upbench
