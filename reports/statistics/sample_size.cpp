#include "reports/statistics/sample_size.h"

#include <algorithm>
#include <cmath>

#include "reports/statistics/distributions.h"

namespace upbench {
namespace {

struct Quantiles {
  explicit Quantiles(const PowerOptions& options)
      : alpha(normal_quantile(1 - options.alpha / 2)), power(normal_quantile(options.power)) {}
  double alpha, power;
};

}  // namespace

std::size_t pictures_for_difference(double difference, double deviation, const PowerOptions& options) {
  const Quantiles z(options);
  const double ratio = (z.alpha + z.power) * deviation / difference;
  return static_cast<std::size_t>(std::max(2.0, std::ceil(ratio * ratio + z.alpha * z.alpha / 2)));
}

double difference_found(std::size_t pictures, double deviation, const PowerOptions& options) {
  const Quantiles z(options);
  // With two pictures the correction would leave none: then what one picture beyond it finds.
  const double left = std::max(1.0, static_cast<double>(pictures) - z.alpha * z.alpha / 2);
  return (z.alpha + z.power) * deviation / std::sqrt(left);
}

std::size_t pictures_for_rates(double first, double second, const PowerOptions& options) {
  const Quantiles z(options);
  const double middle = (first + second) / 2;
  const double sum = z.alpha * std::sqrt(2 * middle * (1 - middle)) +
                     z.power * std::sqrt(first * (1 - first) + second * (1 - second));
  const double ratio = sum / (first - second);
  return static_cast<std::size_t>(std::ceil(ratio * ratio));
}

std::size_t pictures_for_paired_rates(double difference, double discordant, const PowerOptions& options) {
  const Quantiles z(options);
  const double squared = difference * difference;
  const double sum = z.alpha * std::sqrt(discordant) + z.power * std::sqrt(discordant - squared);
  return static_cast<std::size_t>(std::ceil(sum * sum / squared));
}

}  // namespace upbench
