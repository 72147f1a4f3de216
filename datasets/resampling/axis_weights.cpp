#include "datasets/resampling/axis_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
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

// The weights of one output, over consecutive inputs.
struct Row {
  int first = 0;
  std::vector<double> weights;
};

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
Row filter_row(int input, double centre, double stretch, const Filter& filter, Parts& parts) {
  const double radius = filter.radius * stretch;
  const auto from = static_cast<std::int64_t>(std::floor(centre - radius));
  const auto to = static_cast<std::int64_t>(std::ceil(centre + radius));
  Row row;
  row.first = input;
  int last = -1;
  parts.clear();
  for (std::int64_t at = from; at <= to; ++at) {
    // A sinc at whole numbers is 1e-17 rather than 0.
    constexpr double kNothing = 1e-12;
    const double weight = filter.value((static_cast<double>(at) - centre) / stretch);
    const auto source = static_cast<int>(inside(at, input, filter.border));
    if (std::abs(weight) < kNothing || source < 0) continue;
    parts.emplace_back(source, weight);
    row.first = std::min(row.first, source);
    last = std::max(last, source);
  }
  row.weights.assign(static_cast<std::size_t>(last - row.first) + 1, 0.0);
  double sum = 0;
  for (const auto& [source, weight] : parts) sum += weight;
  for (const auto& [source, weight] : parts)
    row.weights[static_cast<std::size_t>(source - row.first)] += weight / sum;
  return row;
}

// Brings rows of different lengths to one, moving a row's start left where it would reach beyond the picture.
AxisWeights packed(const std::vector<Row>& rows, int input) {
  AxisWeights axis;
  for (const Row& row : rows) axis.taps = std::max(axis.taps, static_cast<int>(row.weights.size()));
  const auto taps = static_cast<std::size_t>(axis.taps);
  axis.weights.assign(rows.size() * taps, 0.0);
  for (std::size_t o = 0; o < rows.size(); ++o) {
    const int first = std::min(rows[o].first, input - axis.taps);
    axis.first.push_back(first);
    std::copy(rows[o].weights.begin(), rows[o].weights.end(),
              axis.weights.begin() + static_cast<std::ptrdiff_t>(o * taps) + (rows[o].first - first));
  }
  return axis;
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
  std::vector<Row> rows;
  rows.reserve(static_cast<std::size_t>(output));
  Parts parts;
  for (int o = 0; o < output; ++o)
    rows.push_back(filter_row(input, (o + 0.5) * step - 0.5, stretch, filter, parts));
  return packed(rows, input);
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
  std::vector<Row> rows;
  rows.reserve(static_cast<std::size_t>(output));
  for (std::int64_t o = 0; o < output; ++o) {
    const std::int64_t from = o * input / output, to = ((o + 1) * input + output - 1) / output;
    rows.push_back({.first = static_cast<int>(from),
                    .weights = std::vector<double>(static_cast<std::size_t>(to - from),
                                                   1.0 / static_cast<double>(to - from))});
  }
  return packed(rows, input);
}

AxisWeights pillow_weights(int input, int output, double radius, double (*filter)(double)) {
  const double step = static_cast<double>(input) / output, stretch = std::max(1.0, step);
  const double reach = radius * stretch, shrink = 1.0 / stretch;
  std::vector<Row> rows;
  rows.reserve(static_cast<std::size_t>(output));
  for (int o = 0; o < output; ++o) {
    const double centre = (o + 0.5) * step;
    Row row;
    row.first = std::max(0, static_cast<int>(centre - reach + 0.5));
    const int to = std::min(input, static_cast<int>(centre + reach + 0.5));
    double sum = 0;
    for (int x = 0; x < to - row.first; ++x) {
      row.weights.push_back(filter((x + row.first - centre + 0.5) * shrink));
      sum += row.weights.back();
    }
    for (double& weight : row.weights) weight /= sum;
    rows.push_back(std::move(row));
  }
  return packed(rows, input);
}

AxisWeights area_weights(int input, int output) {
  std::vector<Row> rows;
  rows.reserve(static_cast<std::size_t>(output));
  for (std::int64_t o = 0; o < output; ++o) {
    // In units of 1 / output of an input pixel everything is a whole number.
    const std::int64_t from = o * input, to = from + input;
    Row row;
    row.first = static_cast<int>(from / output);
    for (std::int64_t at = row.first; at * output < to; ++at) {
      const std::int64_t covered = std::min(to, (at + 1) * output) - std::max(from, at * output);
      row.weights.push_back(static_cast<double>(covered) / input);
    }
    rows.push_back(std::move(row));
  }
  return packed(rows, input);
}

}  // namespace upbench
