#include "harness/timing/peaks.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "harness/device.h"
#include "harness/device_runtime.h"

namespace upbench {
namespace {

constexpr int kRuns = 5;  // the first ones warm up

// Seconds of the fastest run.
double fastest(const std::string& device, const std::function<void()>& work) {
  double best = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    synchronize(device);
    const auto start = std::chrono::steady_clock::now();
    work();
    synchronize(device);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

at::Tensor random(const std::string& device, at::ScalarType type, at::IntArrayRef shape) {
  return at::rand(shape, at::TensorOptions().device(device)).to(type);
}

double product_flops(const std::string& device, at::ScalarType type, std::int64_t side) {
  const at::Tensor a = random(device, type, {side, side}), b = random(device, type, {side, side});
  at::Tensor out = at::empty_like(a);
  const double flops = 2.0 * static_cast<double>(side * side * side);
  return flops / fastest(device, [&] { at::mm_out(out, a, b); });
}

double convolution_flops(at::ScalarType type) {
  constexpr std::int64_t kChannels = 128, kSide = 128;
  const auto format = at::MemoryFormat::ChannelsLast;
  const at::Tensor x = random("cpu", type, {1, kChannels, kSide, kSide}).contiguous(format),
                   weight = random("cpu", type, {kChannels, kChannels, 3, 3}).contiguous(format);
  const double flops = 2.0 * 9 * kChannels * kChannels * kSide * kSide;
  return flops / fastest("cpu", [&] { at::conv2d(x, weight, {}, 1, 1); });
}

// See Peaks.
double arithmetic_flops(const std::string& device, at::ScalarType type) {
  if (device != "cpu") return product_flops(device, type, 8192);  // large enough for the full rate
  constexpr std::int64_t kTry = 192, kSide = 1536;                // a tenth of a second on one core
  constexpr double kSlow = 5e9;  // no instructions for the type: larger ones take a minute
  if (const double tried = product_flops("cpu", type, kTry); tried < kSlow) return tried;
  return std::max(product_flops("cpu", type, kSide), convolution_flops(type));
}

}  // namespace

Peaks measure_peaks(const std::string& device, int threads) {
  const c10::InferenceMode inference;
  const bool cpu = device == "cpu";
  set_operator_threads(threads);
  Peaks peaks;
  peaks.fp32_flops = arithmetic_flops(device, at::kFloat);
  peaks.bf16_flops = arithmetic_flops(device, at::kBFloat16);
  if (!cpu) {
    peaks.fp16_flops = arithmetic_flops(device, at::kHalf);
    const DeviceSettings before = settings_in_force();
    DeviceSettings settings = before;
    settings.tf32 = true;
    apply(settings);
    peaks.tf32_flops = arithmetic_flops(device, at::kFloat);
    apply(before);
  }
  const std::int64_t floats = (cpu ? 32 : 256) << 20;
  const at::Tensor from = at::ones({floats}, at::TensorOptions().device(device));
  at::Tensor to = at::empty_like(from);
  peaks.copy_bytes_per_s =
      2.0 * static_cast<double>(from.nbytes()) / fastest(device, [&] { to.copy_(from); });
  return peaks;
}

double peak_flops(const Peaks& peaks, const std::string& precision) {
  if (precision == "bf16") return peaks.bf16_flops;
  if (precision == "fp16") return peaks.fp16_flops;
  if (precision == "tf32") return peaks.tf32_flops;
  return precision == "fp32" ? peaks.fp32_flops : 0;
}

nlohmann::json to_json(const Peaks& peaks) {
  return {{"fp32_flops", peaks.fp32_flops},
          {"bf16_flops", peaks.bf16_flops},
          {"fp16_flops", peaks.fp16_flops},
          {"tf32_flops", peaks.tf32_flops},
          {"copy_bytes_per_s", peaks.copy_bytes_per_s}};
}

}  // namespace upbench
