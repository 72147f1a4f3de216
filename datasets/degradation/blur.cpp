#include "datasets/degradation/blur.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/resampling/passes.h"

namespace upbench {
namespace {

// x to the right, y down, from the centre.
double mahalanobis_squared(const BlurSettings& settings, double x, double y) {
  const double sigma2 = settings.sigma2 == 0 ? settings.sigma : settings.sigma2;
  const double angle = settings.angle * std::numbers::pi / 180;
  const double along = (x * std::cos(angle) + y * std::sin(angle)) / settings.sigma;
  const double across = (y * std::cos(angle) - x * std::sin(angle)) / sigma2;
  return along * along + across * across;
}

double low_pass(double cutoff, double radius) {
  const double omega = cutoff * std::numbers::pi;
  if (radius == 0) return omega * omega / (4 * std::numbers::pi);
  return omega * std::cyl_bessel_j(1, omega * radius) / (2 * std::numbers::pi * radius);
}

double value(const BlurSettings& settings, double x, double y) {
  switch (settings.kind) {
    case BlurKind::gaussian:
      return std::exp(-0.5 * mahalanobis_squared(settings, x, y));
    case BlurKind::generalised:
      return std::exp(-0.5 * std::pow(mahalanobis_squared(settings, x, y), settings.beta));
    case BlurKind::plateau:
      return 1 / (1 + std::pow(mahalanobis_squared(settings, x, y), settings.beta));
    case BlurKind::sinc:
      return low_pass(settings.cutoff, std::hypot(x, y));
  }
  return 0;
}

// Where position `at` lies after mirroring at both ends as often as needed.
std::size_t mirrored(int at, int length) {
  if (length == 1) return 0;
  const int period = 2 * (length - 1), phase = (at % period + period) % period;
  return static_cast<std::size_t>(phase < length ? phase : period - phase);
}

}  // namespace

BlurKernel blur_kernel(const BlurSettings& settings, double share) {
  const int radius = settings.size / 2;
  std::vector<double> values;
  double sum = 0;
  for (int y = -radius; y <= radius; ++y)
    for (int x = -radius; x <= radius; ++x) sum += values.emplace_back(value(settings, x, y));
  for (double& weight : values) weight *= share / sum;
  values[values.size() / 2] += 1 - share;
  return {.size = settings.size, .weights = {values.begin(), values.end()}};
}

void filter_reflected(const float* in, int planes, int height, int width, const BlurKernel& kernel,
                      float* out) {
  const int radius = kernel.size / 2;
  const auto row_length = static_cast<std::size_t>(width),
             plane_size = row_length * static_cast<std::size_t>(height);
  const std::size_t computed = (row_length + kBlurStep - 1) / kBlurStep * kBlurStep;
  const std::size_t padded_width = computed + static_cast<std::size_t>(kernel.size);
  const auto padded_height = static_cast<std::size_t>(height + 2 * radius);
  std::vector<float> padded(padded_height * padded_width), result(computed);
  std::vector<std::size_t> columns;
  for (int x = -radius; x < width + radius; ++x) columns.push_back(mirrored(x, width));
  std::vector<const float*> rows(static_cast<std::size_t>(kernel.size));
  for (int plane = 0; plane < planes; ++plane, in += plane_size) {
    for (std::size_t y = 0; y < padded_height; ++y) {
      const float* row = in + mirrored(static_cast<int>(y) - radius, height) * row_length;
      std::transform(columns.begin(), columns.end(),
                     padded.begin() + static_cast<std::ptrdiff_t>(y * padded_width),
                     [row](std::size_t x) { return row[x]; });
    }
    for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y, out += row_length) {
      for (std::size_t ky = 0; ky < rows.size(); ++ky) rows[ky] = padded.data() + (y + ky) * padded_width;
      passes().blur_row(rows.data(), row_length, kernel.weights.data(), rows.size(), result.data());
      std::copy_n(result.begin(), row_length, out);
    }
  }
}

}  // namespace upbench
