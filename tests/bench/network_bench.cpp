#include <algorithm>
#include <filesystem>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "datasets/allocator.h"
#include "models/catalog.h"
#include "tests/support/assets.h"
#include "tests/support/processor_time.h"

namespace upbench {
namespace {

double seconds_of(int threads, const std::function<void()>& work) {
  const double start = test::clock_of(threads);
  work();
  return test::clock_of(threads) - start;
}

// FLOP/s of a product of matrices or of a 3x3 convolution by its definition, whichever is faster.
class Arithmetic {
 public:
  explicit Arithmetic(at::ScalarType type)
      : a_(at::rand({kSide, kSide}).to(type)),
        out_(at::empty_like(a_)),
        x_(at::rand({1, kChannels, kChannels, kChannels}).to(type, false, true, kFormat)),
        weight_(at::rand({kChannels, kChannels, 3, 3}).to(type, false, true, kFormat)) {}

  double flops_per_second(int threads) {
    const double product =
        2.0 * kSide * kSide * kSide / seconds_of(threads, [&] { at::mm_out(out_, a_, a_); });
    const double convolution = 18.0 * kChannels * kChannels * kChannels * kChannels /
                               seconds_of(threads, [&] { at::conv2d(x_, weight_, {}, 1, 1); });
    return std::max(product, convolution);
  }

 private:
  static constexpr std::int64_t kSide = 2048, kChannels = 128;
  static constexpr auto kFormat = at::MemoryFormat::ChannelsLast;
  at::Tensor a_, out_, x_, weight_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Arguments: side of the input, threads. Every pass over the picture is followed by plain arithmetic, so that
// both see the same state of the machine.
void run_network(benchmark::State& state, const std::filesystem::path& file, Precision precision) {
  const c10::InferenceMode no_gradients;
  const std::int64_t side = state.range(0);
  const auto threads = static_cast<int>(state.range(1));
  at::set_num_threads(threads);
  const UpscalerPtr network = load_upscaler_file(file)->to("cpu", precision);
  const UpscalerInfo& info = network->info();
  const int scale = info.scale != 0 ? info.scale : info.scales.back();
  const at::Tensor picture = at::rand({1, 3, side, side});
  Arithmetic arithmetic(precision == Precision::bf16 ? at::kBFloat16 : at::kFloat);
  arithmetic.flops_per_second(threads);
  network->forward(picture, scale);

  const double pixels = static_cast<double>(side * side), work = 2 * info.macs_per_pixel * pixels;
  std::vector<double> seconds, peaks;
  for ([[maybe_unused]] auto _ : state) {
    seconds.push_back(seconds_of(threads, [&] { network->forward(picture, scale); }));
    peaks.push_back(arithmetic.flops_per_second(threads));
    state.SetIterationTime(seconds.back());
  }
  const double typical = median(seconds), peak = median(peaks);
  state.counters["pixels/s"] = pixels / typical;  // of the input
  state.counters["FLOP/s"] = work / typical;
  state.counters["peak"] = peak;  // FLOP/s
  state.counters["share"] = work / typical / peak;
}

void register_networks(const std::filesystem::path& weights) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(weights)) {
    const std::string ending = entry.path().extension();
    if (ending == ".pth" || ending == ".pt" || ending == ".safetensors") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) {
    for (const auto& [prefix, precision] : {std::pair{"fp32", Precision::fp32}, {"bf16", Precision::bf16}}) {
      const std::string name = fmt::format("{}/{}", prefix, std::filesystem::path(file).stem().string());
      benchmark::RegisterBenchmark(name.c_str(), run_network, file, precision)
          ->ArgNames({"side", "threads"})
          ->ArgsProduct({{64, 128, 256}, {1, 2}})
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime();
    }
  }
}

}  // namespace
}  // namespace upbench

int main(int argc, char** argv) {
  upbench::keep_freed_memory();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (upbench::test::assets().empty()) {
    fmt::print(stderr, "needs the assets (real weights): set UPBENCH_ASSETS to their folder\n");
    return 2;
  }
  upbench::register_networks(upbench::test::assets() / "weights/upscalers");
  benchmark::RunSpecifiedBenchmarks();
}
