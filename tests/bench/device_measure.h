#pragma once

// What the device benchmarks share: the device, how its time is taken, the settings that are compared.
#include <functional>
#include <string>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "datasets/device/kernel_table.h"
#include "harness/device_runtime.h"
#include "models/upscaler.h"

namespace upbench::bench {

// The device under test, "cuda:0" or "cpu"; chosen before benchmarks are added.
void choose_device(const std::string& name);
const std::string& device();
bool on_gpu();
at::TensorOptions there();
const PixelKernels& kernels_of_module();  // where the CUDA module is loaded

// From now on: a benchmark that would begin later is left out and says so.
void limit_time(double seconds);

// What one call needs at least: traffic of the device's memory, arithmetic (2 FLOP a multiply-accumulate),
// traffic between host and device. 0: none, or not known.
struct Cost {
  double bytes = 0, flop = 0, bus_bytes = 0;
};

// The device's own time for `work`, as the benchmark's only iteration. Short work is queued many times over:
// what counts is its rate, not how long a queue that was empty takes to begin. Slow work is called three
// times in all. Sets the counters bytes, flop and bus_bytes.
void measure(benchmark::State& state, const Cost& cost, const std::function<void()>& work);

using Run = std::function<void(benchmark::State&)>;

// Runs a benchmark; what it throws (memory that runs out, say) is its error, and the others go on.
void guarded(benchmark::State& state, const Run& run);

template <typename Function, typename... Arguments>
auto* add(const std::string& name, Function function, Arguments... arguments) {
  const Run run = [=](benchmark::State& state) { function(state, arguments...); };
  return benchmark::RegisterBenchmark(name.c_str(), [run](benchmark::State& state) { guarded(state, run); })
      ->UseManualTime()
      ->Iterations(1)
      ->Unit(benchmark::kMicrosecond);
}

struct Setting {
  const char* name;
  Precision precision;
  bool tf32;
};
inline constexpr Setting kFp32{"fp32", Precision::fp32, false}, kTf32{"tf32", Precision::fp32, true},
    kFp16{"fp16", Precision::fp16, false}, kBf16{"bf16", Precision::bf16, false};

// LibTorch's switches until the end of the scope, its defaults afterwards.
class SettingsScope {
 public:
  explicit SettingsScope(const DeviceSettings& settings) { apply(settings); }
  ~SettingsScope() { apply({}); }
  SettingsScope(const SettingsScope&) = delete;
  SettingsScope& operator=(const SettingsScope&) = delete;
};

// Throws unless two ways to compute the same agree to a thousandth of the largest value.
void require_same(const at::Tensor& found, const at::Tensor& expected, const std::string& way);

}  // namespace upbench::bench
