#include "models/diffusion/colour_fix_lab.h"

#include <vector>

#include <ATen/ATen.h>

namespace upbench {
namespace {

constexpr std::int64_t kValues = 256;

// Of sRGB's primaries, each row divided by the white point's X, Y, Z (0.950456, 1, 1.088754).
at::Tensor xyz_of_rgb(const at::TensorOptions& options) {
  return at::tensor({0.412453 / 0.950456, 0.357580 / 0.950456, 0.180423 / 0.950456, 0.212671, 0.715160,
                     0.072169, 0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754},
                    at::kDouble)
      .reshape({3, 3})
      .to(options);
}

at::Tensor mixed(const at::Tensor& matrix, const at::Tensor& planes) {
  return at::matmul(matrix, planes.flatten(1)).reshape(planes.sizes());
}

at::Tensor linear_from_srgb(const at::Tensor& x) {
  return at::where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055).pow(2.4));
}

at::Tensor srgb_from_linear(const at::Tensor& x) {
  return at::where(x <= 0.0031308, x * 12.92, x.clamp_min(0).pow(1 / 2.4) * 1.055 - 0.055);
}

// CIELAB's cube root, straight near zero.
constexpr double kSlope = 7.787, kOffset = 16.0 / 116.0, kStraightBelow = 0.008856;

at::Tensor bent(const at::Tensor& x) {
  return at::where(x > kStraightBelow, x.clamp_min(0).pow(1.0 / 3), x * kSlope + kOffset);
}

at::Tensor unbent(const at::Tensor& f) {
  return at::where(f > kStraightBelow * kSlope + kOffset, f.pow(3), (f - kOffset) / kSlope);
}

at::Tensor luminosity(const at::Tensor& rgb) {
  return rgb[0] * 0.299 + rgb[1] * 0.587 + rgb[2] * 0.114;
}

at::Tensor cumulated(const at::Tensor& counts) {
  return counts.to(at::kDouble).cumsum(0) / counts.sum().to(at::kDouble);
}

}  // namespace

at::Tensor lab_from_rgb(const at::Tensor& rgb) {
  const at::Tensor linear = linear_from_srgb(rgb.to(at::kDouble) / 255);
  const at::Tensor f = bent(mixed(xyz_of_rgb(linear.options()), linear));
  return at::stack({(f[1] * 116 - 16) * 2.55, (f[0] - f[1]) * 500 + 128, (f[1] - f[2]) * 200 + 128})
      .round_()
      .clamp_(0, 255);
}

at::Tensor rgb_from_lab(const at::Tensor& lab) {
  const at::Tensor exact = lab.to(at::kDouble);
  const at::Tensor y = (exact[0] / 2.55 + 16) / 116;
  const at::Tensor f = at::stack({y + (exact[1] - 128) / 500, y, y - (exact[2] - 128) / 200});
  const at::Tensor linear = mixed(at::linalg_inv(xyz_of_rgb(exact.options())), unbent(f));
  return (srgb_from_linear(linear.clamp(0, 1)) * 255).round_();
}

at::Tensor histogram_match(const at::Tensor& values, const at::Tensor& wanted) {
  const auto counts = [](const at::Tensor& x) {
    return at::bincount(x.flatten().to(at::kLong), {}, kValues);
  };
  const at::Tensor wanted_counts = counts(wanted), present = wanted_counts.nonzero().squeeze(1);
  const at::Tensor quantiles = cumulated(counts(values)),
                   wanted_quantiles = cumulated(wanted_counts.index_select(0, present)),
                   wanted_values = present.to(at::kDouble);
  // Straight lines between the points (wanted quantile, wanted value); constant outside.
  const at::Tensor last =
      at::searchsorted(wanted_quantiles, quantiles, /*out_int32=*/false, /*right=*/true) - 1;
  const std::int64_t end = present.size(0) - 1;
  const at::Tensor below = last.clamp(0, end), above = (below + 1).clamp_max(end);
  const at::Tensor x = wanted_quantiles.index_select(0, below), y = wanted_values.index_select(0, below);
  const at::Tensor rise = wanted_values.index_select(0, above) - y,
                   run = wanted_quantiles.index_select(0, above) - x;
  const at::Tensor slope = at::where(run > 0, rise / run, at::zeros_like(run));
  return (slope * (quantiles - x).clamp_min(0) + y).floor_();
}

at::Tensor with_luminosity(const at::Tensor& rgb, const at::Tensor& light) {
  const at::Tensor moved = rgb + (luminosity(light) - luminosity(rgb));
  const at::Tensor grey = luminosity(moved), least = moved.amin(0), most = moved.amax(0);
  // Towards grey until no channel leaves [0, 1].
  const at::Tensor raised = at::where(least < 0, grey + (moved - grey) * grey / (grey - least), moved);
  return at::where(most > 1, grey + (raised - grey) * (1 - grey) / (most - grey), raised);
}

Image matched_lab_histogram(const Image& picture, const Image& like) {
  const auto rounded = [](const Image& x) { return (x.to(at::kDouble).clamp(0, 1) * 255).round_(); };
  const at::Tensor original = rounded(picture), lab = lab_from_rgb(original),
                   wanted = lab_from_rgb(rounded(like));
  std::vector<at::Tensor> channels;
  for (std::int64_t channel = 0; channel < 3; ++channel)
    channels.push_back(histogram_match(lab[channel], wanted[channel])
                           .index_select(0, lab[channel].flatten().to(at::kLong))
                           .reshape(lab[channel].sizes()));
  const at::Tensor matched = rgb_from_lab(at::stack(channels));
  return (rounded(with_luminosity(matched / 255, original / 255)) / 255).to(at::kFloat);
}

}  // namespace upbench
