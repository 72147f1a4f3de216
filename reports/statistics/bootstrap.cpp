#include "reports/statistics/bootstrap.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "reports/statistics/descriptive.h"
#include "reports/statistics/random.h"

namespace upbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int kBlock = 250;  // resamples drawn from one stream, whichever thread takes them

double mean_at(std::span<const double> values, std::span<const std::uint32_t> drawn) {
  double sum = 0;
  for (const std::uint32_t i : drawn) sum += values[i];
  return sum / static_cast<double>(drawn.size());
}

double median_at(std::span<const double> values, std::span<const std::uint32_t> drawn) {
  thread_local std::vector<double> chosen;
  chosen.clear();
  for (const std::uint32_t i : drawn) chosen.push_back(values[i]);
  return partial_median(chosen);
}

// The statistic without each value, in O(n) and O(n log n).
std::vector<double> means_without_each(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  std::vector<double> without;
  for (const double value : values) without.push_back((sum - value) / static_cast<double>(values.size() - 1));
  return without;
}

std::vector<double> medians_without_each(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const std::size_t left = sorted.size() - 1, half = left / 2;
  std::vector<double> without;
  for (const double value : values) {
    const auto gone = static_cast<std::size_t>(std::ranges::lower_bound(sorted, value) - sorted.begin());
    const auto at = [&](std::size_t i) { return sorted[i < gone ? i : i + 1]; };
    without.push_back(left % 2 == 1 ? at(half) : (at(half - 1) + at(half)) / 2);
  }
  return without;
}

}  // namespace

void for_each_resample(std::size_t count, const BootstrapOptions& options,
                       const std::function<void(std::size_t, std::span<const std::uint32_t>)>& visit) {
  const int blocks = (options.resamples + kBlock - 1) / kBlock;
  std::atomic<int> next = 0;
  const auto work = [&] {
    std::vector<std::uint32_t> drawn(count);
    for (int block = next++; block < blocks; block = next++) {
      Random random(options.seed, static_cast<std::uint64_t>(block));
      const int end = std::min(options.resamples, (block + 1) * kBlock);
      for (int i = block * kBlock; i < end; ++i) {
        for (std::uint32_t& index : drawn) index = random.below(static_cast<std::uint32_t>(count));
        visit(static_cast<std::size_t>(i), drawn);
      }
    }
  };
  const int wanted =
      options.threads > 0 ? options.threads : static_cast<int>(std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (int i = 1; i < std::min(wanted, blocks); ++i) helpers.emplace_back(work);
  work();
}

std::vector<double> resampled(std::size_t count, const BootstrapOptions& options,
                              const std::function<double(std::span<const std::uint32_t>)>& statistic) {
  std::vector<double> replicates(static_cast<std::size_t>(options.resamples));
  for_each_resample(count, options, [&](std::size_t i, std::span<const std::uint32_t> drawn) {
    replicates[i] = statistic(drawn);
  });
  return replicates;
}

Interval bca_interval(std::vector<double> replicates, double value, std::span<const double> without_each,
                      double confidence) {
  const auto total = static_cast<double>(replicates.size());
  double below = 0;  // equal ones count half
  for (const double replicate : replicates) below += replicate < value ? 1 : replicate == value ? 0.5 : 0;
  const auto [least, greatest] = std::ranges::minmax(replicates);
  if (least == greatest) return {least, least};
  // A value beyond every replicate has no bias that could be measured: as if half a replicate lay beyond it.
  const double share = std::clamp(below / total, 0.5 / total, 1 - 0.5 / total);
  const double bias = normal_quantile(share);
  double cubes = 0, squares = 0;
  const double centre = mean(without_each);
  for (const double left_out : without_each) {
    const double difference = centre - left_out;
    cubes += difference * difference * difference;
    squares += difference * difference;
  }
  const double acceleration = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
  std::ranges::sort(replicates);
  const auto end = [&](double probability) {
    const double z = bias + normal_quantile(probability);
    const double adjusted = normal_cdf(bias + z / (1 - acceleration * z));
    return quantile(replicates, std::clamp(adjusted, 0.0, 1.0));
  };
  const double tail = (1 - confidence) / 2;
  return {end(tail), end(1 - tail)};
}

namespace {

double value_of(std::span<const double> values, Average average) {
  return average == Average::mean ? mean(values) : median(values);
}

struct Replicated {
  std::vector<double> replicates, without_each;
};

Replicated replicate(std::span<const double> values, Average average, const BootstrapOptions& options) {
  const bool means = average == Average::mean;
  return {resampled(values.size(), options,
                    [&](std::span<const std::uint32_t> drawn) {
                      return means ? mean_at(values, drawn) : median_at(values, drawn);
                    }),
          means ? means_without_each(values) : medians_without_each(values)};
}

}  // namespace

double expanded_quantile(std::size_t count, double confidence) {
  const auto n = static_cast<double>(count);
  return std::sqrt(n / (n - 1)) * student_quantile((1 + confidence) / 2, n - 1);
}

double expanded_confidence(std::size_t count, double confidence) {
  return 2 * normal_cdf(expanded_quantile(count, confidence)) - 1;
}

Interval hull_interval(const std::vector<double>& replicates, double value,
                       std::span<const double> without_each, std::size_t count, double confidence) {
  const double expanded = expanded_confidence(count, confidence), tail = (1 - expanded) / 2;
  const Interval bca = bca_interval(replicates, value, without_each, expanded);
  return {std::min(bca.low, quantile(replicates, tail)), std::max(bca.high, quantile(replicates, 1 - tail))};
}

Interval bca_interval(std::span<const double> values, Average average, const BootstrapOptions& options) {
  const Replicated all = replicate(values, average, options);
  return bca_interval(all.replicates, value_of(values, average), all.without_each, options.confidence);
}

Estimate bootstrap(std::span<const double> values, Average average, const BootstrapOptions& options) {
  if (values.empty()) return {kNone, {kNone, kNone}};
  const double value = value_of(values, average);
  if (values.size() < 2) return {value, {kNone, kNone}};
  const Replicated all = replicate(values, average, options);
  return {value, hull_interval(all.replicates, value, all.without_each, values.size(), options.confidence)};
}

}  // namespace upbench
