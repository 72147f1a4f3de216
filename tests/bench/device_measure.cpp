#include "tests/bench/device_measure.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "datasets/device/module.h"
#include "harness/device.h"

namespace upbench::bench {
namespace {

constexpr double kQueueSeconds = 0.02, kLeastSeconds = 0.1;
constexpr double kMostCalls = 100;

std::string chosen = "cuda:0";
std::optional<std::chrono::steady_clock::time_point> deadline;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Seconds of one call of `calls` that are queued together.
class Stopwatch {
 public:
  explicit Stopwatch(const DeviceStream& stream) : stream_(stream) {}

  double seconds(const std::function<void()>& work, int calls) {
    begin_.record(stream_);
    for (int i = 0; i < calls; ++i) work();
    end_.record(stream_);
    end_.synchronize();
    return end_.seconds_since(begin_) / calls;
  }

 private:
  const DeviceStream& stream_;
  DeviceEvent begin_{chosen, true}, end_{chosen, true};
};

}  // namespace

void choose_device(const std::string& name) {
  chosen = name;
}

const std::string& device() {
  return chosen;
}

bool on_gpu() {
  return chosen != "cpu";
}

at::TensorOptions there() {
  return at::TensorOptions(at::Device(chosen));
}

const PixelKernels& kernels_of_module() {
  return cuda_module().module->kernels;
}

void limit_time(double seconds) {
  deadline =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

void measure(benchmark::State& state, const Cost& cost, const std::function<void()>& work) {
  const at::NoGradGuard no_gradients;
  synchronize(chosen);  // what the benchmark made before is on another stream
  const DeviceStream stream(chosen);
  const StreamScope scope(stream);
  Stopwatch watch(stream);
  watch.seconds(work, 1);  // chooses algorithms, records graphs, takes memory
  const double first = std::max(watch.seconds(work, 1), 1e-9);
  const int calls = static_cast<int>(std::clamp(kQueueSeconds / first, 1.0, kMostCalls));
  for (auto _ : state) {
    std::vector<double> samples;
    for (double spent = 0; spent < kLeastSeconds; spent += samples.back() * calls)
      samples.push_back(std::max(watch.seconds(work, calls), 1e-9));
    state.SetIterationTime(median(std::move(samples)));
  }
  for (const auto& [name, value] :
       {std::pair("bytes", cost.bytes), std::pair("flop", cost.flop), std::pair("bus_bytes", cost.bus_bytes)})
    if (value > 0) state.counters[name] = value;
}

void guarded(benchmark::State& state, const Run& run) {
  if (deadline && std::chrono::steady_clock::now() > *deadline) {
    state.SkipWithError("no time was left");
    return;
  }
  try {
    run(state);
  } catch (const std::exception& error) {
    state.SkipWithError(device_error_text(error).c_str());
  }
}

void require_same(const at::Tensor& found, const at::Tensor& expected, const std::string& way) {
  const double difference = ((found - expected).abs().max() / expected.abs().max()).item<double>();
  if (!(difference < 1e-3))
    throw std::runtime_error(
        fmt::format("{}: differs by {:.2g} of the largest value, expected less than 0.001", way, difference));
}

}  // namespace upbench::bench
