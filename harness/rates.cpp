#include "harness/rates.h"

#include <algorithm>
#include <chrono>

#include <ATen/ops/conv2d.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>

#include "harness/device.h"

namespace upbench {
namespace {

// 3x3, 64 to 64 channels at 128x128: the usual layer of the networks here.
constexpr int kChannels = 64, kSide = 128, kKernel = 3, kRuns = 4;
constexpr double kMacs = 1.0 * kChannels * kChannels * kKernel * kKernel * kSide * kSide;

}  // namespace

Rates measure_rates(const std::string& device, int threads) {
  const c10::InferenceMode inference;
  const bool side_by_side = device == "cpu";  // trials run side by side, one thread each
  set_operator_threads(side_by_side ? 1 : threads);
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  const at::Tensor input = at::ones({1, kChannels, kSide, kSide}, options);
  const at::Tensor weight = at::ones({kChannels, kChannels, kKernel, kKernel}, options);
  double best = 1e9;
  for (int run = 0; run < kRuns; ++run) {  // the first ones warm up
    const auto start = std::chrono::steady_clock::now();
    at::conv2d(input, weight, {}, 1, 1);
    synchronize(device);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  Rates rates;
  rates.macs_per_second = kMacs / best;
  rates.parallel = side_by_side ? threads : 1;
  return rates;
}

}  // namespace upbench
