// How time and memory grow with the picture, on one thread: every metric of the catalog on pairs of 0.06 to
// 16 megapixels, networks on inputs that give outputs of these sizes, one of them also in tiles of 128.
//   metric/NAME/SIDE, network/NAME/SIDE, tiles/NAME/SIDE; SIDE of the (output) picture
// Counters: pixels/s, of networks FLOP/s (overlaps of tiles are in it), and peak_bytes, the tensors alive at
// once beside the pictures given (weights are not in it). Networks: compact-x4 of the program, and two of
// $UPBENCH_ASSETS where they are. scripts/performance_page.py makes the curves of docs/performance.md from
// it.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "datasets/allocator.h"
#include "datasets/image.h"
#include "harness/timing/tensor_memory.h"
#include "metrics/catalog.h"
#include "models/catalog.h"
#include "models/upscale.h"
#include "tests/bench/counters.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

constexpr int kTile = 128, kContext = 8;

// Measured in the first repetition: at the largest sizes a lap takes a minute.
template <class Work>
std::uint64_t peak_of(const std::string& name, Work work) {
  static std::map<std::string, std::uint64_t> known;
  const auto [entry, fresh] = known.try_emplace(name);
  if (fresh) entry->second = peak_tensor_bytes("cpu", work);
  return entry->second;
}

void report(benchmark::State& state, std::uint64_t peak_bytes, double flop = 0) {
  count_work(state, square(state.range(0)), flop);
  state.counters["peak_bytes"] = static_cast<double>(peak_bytes);
}

Image random_picture(std::int64_t side) {
  at::manual_seed(1);
  return quantized(at::rand({3, side, side}));
}

void run_metric(benchmark::State& state, const Metric& metric) {
  const c10::InferenceMode no_gradients;
  at::set_num_threads(1);
  std::string reason;
  const ScoreFunction score = metric.make(reason);
  if (!score) return state.SkipWithError(reason.c_str());
  const Image reference = random_picture(state.range(0));
  const Image output = quantized((3 * reference + random_picture(state.range(0)).flip({2})) / 4);
  const std::uint64_t peak =
      peak_of(fmt::format("{}/{}", metric.name, state.range(0)), [&] { score(output, reference); });
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(score(output, reference));
  report(state, peak);
}

// Input pixels that the network is given; those that tiles share, more than once.
double pixels_read(std::int64_t side, int scale, const TileSettings& tile) {
  const TilePlan plan = plan_tiles(static_cast<int>(side), static_cast<int>(side), scale, tile);
  const auto length = [](const std::vector<TileAxis>& axes) {
    double sum = 0;
    for (const TileAxis& axis : axes) sum += axis.read.size();
    return sum;
  };
  return length(plan.rows) * length(plan.cols);
}

void run_network(benchmark::State& state, const std::string& name, const UpscalerPtr& network,
                 const TileSettings& tile) {
  const c10::InferenceMode no_gradients;
  at::set_num_threads(1);
  const Image input = random_picture(state.range(0) / network->info().scale);
  const UpscaleOptions options{.tile = tile};
  upscale(*network, random_picture(32), {});  // what the first call makes of the weights is kept
  const std::uint64_t peak =
      peak_of(fmt::format("{}/{}", name, state.range(0)), [&] { upscale(*network, input, options); });
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(upscale(*network, input, options));
  const UpscalerInfo& info = network->info();
  report(state, peak, 2 * info.macs_per_pixel * pixels_read(input.size(1), info.scale, tile));
}

template <class... Arguments>
void add(const std::string& name, const Arguments&... arguments) {
  benchmark::RegisterBenchmark(name.c_str(), arguments...)
      ->RangeMultiplier(2)
      ->Range(256, 4096)
      ->Unit(benchmark::kMillisecond);
}

void add_network(const std::string& name, const UpscalerPtr& network, const TileSettings& tile = {}) {
  add(name, run_network, name, network, tile);
}

void add_all() {
  for (const Metric& metric : metrics()) add("metric/" + metric.name, run_metric, metric);
  const UpscalerPtr compact = load_upscaler({.parts = {{"compact-x4", 1.0}}, .label = "compact-x4"}, {});
  add_network("network/compact-x4", compact);
  add_network("tiles/compact-x4", compact, {.tile = kTile, .context = kContext});
  if (test::assets().empty()) return;
  const std::filesystem::path weights = test::assets() / "weights/upscalers";
  for (const char* file : {"srvgg/realesr-animevideov3.pth", "pan/PANx4_DF2K.pth"})
    if (std::filesystem::exists(weights / file))
      add_network("network/" + std::filesystem::path(file).stem().string(),
                  load_upscaler_file(weights / file));
}

}  // namespace
}  // namespace upbench

int main(int argc, char** argv) {
  upbench::keep_freed_memory();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  upbench::add_all();
  benchmark::RunSpecifiedBenchmarks();
}
