#include "metrics/device_similarity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/device/pixels.h"
#include "metrics/squared_error.h"
#include "metrics/ssim_kernel.h"
#include "metrics/ssim_window.h"

namespace upbench {
namespace {

static_assert(kSsimWindow == kSsimTaps);

bool is_bytes(const at::Tensor& picture) {
  return picture.scalar_type() == at::kByte;
}

// Rounded, so that equal pictures differ by exactly 0: [3, H, W] of float32.
at::Tensor code_values(const at::Tensor& picture) {
  return is_bytes(picture) ? picture.permute({2, 0, 1}).to(at::kFloat) : picture.mul(255);
}

// Weighted channels, without a multiplication by 0 or 1.
at::Tensor weighted(const at::Tensor& planes, const Signal& signal) {
  at::Tensor sum;
  for (int c = 0; c < 3; ++c) {
    if (signal.weights[c] == 0) continue;
    const at::Tensor part = signal.weights[c] == 1 ? planes[c] : planes[c].mul(signal.weights[c]);
    sum = sum.defined() ? sum.add(part) : part;
  }
  return sum;
}

// Along one dimension, where the window lies inside. Not a convolution: those may compute in TF32.
at::Tensor blurred(const at::Tensor& planes, std::int64_t dim, const SsimWindow& window) {
  const std::int64_t last = kSsimWindow - 1, count = planes.size(dim) - last;
  at::Tensor sum = planes.narrow(dim, last / 2, count).mul(window.back());
  for (std::int64_t i = 0; i < last / 2; ++i)
    sum.add_(planes.narrow(dim, i, count) + planes.narrow(dim, last - i, count),
             window[static_cast<std::size_t>(i)]);
  return sum;
}

// As ssim_kernel.cpp: from sum and difference of the signals, the sum less twice the centre.
at::Tensor sum_of_ssim(const at::Tensor& sum, const at::Tensor& difference) {
  const SsimWindow window = ssim_window();
  const at::Tensor moments =
      blurred(blurred(at::stack({sum, difference, sum.square(), difference.square()}), 1, window), 2, window);
  const at::Tensor d_square = moments[1].square();
  const at::Tensor variance_s = moments[2] - moments[0].square(), variance_d = moments[3] - d_square;
  const at::Tensor m = ((moments[0] + 2 * kSsimCentre).square() + d_square) * 0.5 + kSsimC1;
  const at::Tensor v = (variance_s + variance_d) * 0.5 + kSsimC2;
  return ((m - d_square) * (v - variance_d) / (m * v)).sum(at::kDouble);
}

std::int64_t height_of(const at::Tensor& picture) {
  return picture.size(is_bytes(picture) ? 0 : 1);
}
std::int64_t width_of(const at::Tensor& picture) {
  return picture.size(is_bytes(picture) ? 1 : 2);
}

bool holds_window(const at::Tensor& picture) {
  return std::min(height_of(picture), width_of(picture)) >= kSsimWindow;
}

}  // namespace

at::Tensor similarity_with_kernels(const PixelKernels& table, const at::Tensor& output,
                                   const at::Tensor& reference, std::span<const Signal> signals) {
  if (signals.empty() || signals.size() > kMostSignals)
    throw std::invalid_argument(
        fmt::format("device similarity: {} signals: expected 1 to {}", signals.size(), kMostSignals));
  SimilarityRequest request;
  request.signals = static_cast<int>(signals.size());
  for (std::size_t i = 0; i < signals.size(); ++i) {
    request.offsets[i] = static_cast<float>(signals[i].offset);
    for (std::size_t c = 0; c < 3; ++c) request.weights[i][c] = static_cast<float>(signals[i].weights[c]);
  }
  request.centre = kSsimCentre;
  request.c1 = static_cast<float>(kSsimC1);
  request.c2 = static_cast<float>(kSsimC2);
  const SsimWindow window = ssim_window();
  for (int i = 0; i < kSsimTaps; ++i)
    request.window[i] = window[static_cast<std::size_t>(std::min(i, kSsimTaps - 1 - i))];
  return kernels::similarity(table, output, reference, request);
}

at::Tensor similarity_with_aten(const at::Tensor& output, const at::Tensor& reference,
                                std::span<const Signal> signals) {
  const at::Tensor a = code_values(output), b = code_values(reference);
  const at::Tensor sums = a + b, differences = a - b;
  std::vector<at::Tensor> results;
  for (const Signal& signal : signals) {
    const at::Tensor difference = weighted(differences, signal);
    if (holds_window(output))
      results.push_back(
          sum_of_ssim(weighted(sums, signal).add(2 * (signal.offset - kSsimCentre)), difference));
    else
      results.push_back(at::zeros({}, a.options().dtype(at::kDouble)));
    results.push_back(difference.to(at::kDouble).square().sum());
  }
  return at::stack(results).view({-1, 2});
}

at::Tensor similarity_sums(const at::Tensor& output, const at::Tensor& reference,
                           std::span<const Signal> signals) {
  if (output.sizes() != reference.sizes() || output.scalar_type() != reference.scalar_type())
    throw std::invalid_argument("device similarity: expected two pictures of one size and type");
  const auto* table = kernels_for(kernel_choice().similarity, output);
  if (table == nullptr) return similarity_with_aten(output, reference, signals);
  std::vector<at::Tensor> parts;
  for (std::size_t first = 0; first < signals.size(); first += kMostSignals)
    parts.push_back(similarity_with_kernels(
        *table, output, reference,
        signals.subspan(first, std::min<std::size_t>(kMostSignals, signals.size() - first))));
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

std::vector<Similarity> similarity_of(std::span<const double> sums, std::int64_t height, std::int64_t width) {
  const auto pixels = static_cast<double>(height * width);
  const auto windows = static_cast<double>((height - kSsimWindow + 1) * (width - kSsimWindow + 1));
  const bool holds_one = std::min(height, width) >= kSsimWindow;
  std::vector<Similarity> result;
  for (std::size_t i = 0; i + 1 < sums.size(); i += 2)
    result.push_back({.ssim = holds_one ? sums[i] / windows : std::numeric_limits<double>::quiet_NaN(),
                      .mean_squared_error = sums[i + 1] / pixels});
  return result;
}

std::vector<Similarity> device_similarity(const at::Tensor& output, const at::Tensor& reference,
                                          std::span<const Signal> signals) {
  const at::Tensor sums = similarity_sums(output, reference, signals).cpu();
  return similarity_of({sums.const_data_ptr<double>(), static_cast<std::size_t>(sums.numel())},
                       height_of(output), width_of(output));
}

Score mse_of(std::span<const Similarity> of_signals) {
  double sum = 0;
  for (const Similarity& signal : of_signals) sum += signal.mean_squared_error;
  return {.value = sum / static_cast<double>(of_signals.size())};
}

Score psnr_of(std::span<const Similarity> of_signals) {
  return psnr_score(mse_of(of_signals).value);
}

Score ssim_of(std::span<const Similarity> of_signals) {
  double sum = 0;
  for (const Similarity& signal : of_signals) sum += signal.ssim;
  return std::isnan(sum) ? ssim_undefined() : Score{.value = sum / static_cast<double>(of_signals.size())};
}

}  // namespace upbench
