// Networks of random weights: time does not depend on them.
//   network/NAME/PRECISION/WAY/SIDE/BATCH   WAY: eager, graph (replayed) or fast (algorithms searched)
//   tiled/NAME/PRECISION/TILE/SIDE          a picture through upscale(), as a trial has it
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "harness/plan/estimate.h"
#include "harness/timing/tensor_memory.h"
#include "models/network_upscaler.h"
#include "models/networks/rrdb.h"
#include "models/networks/span.h"
#include "models/networks/srvgg.h"
#include "models/tiling/tile_batches.h"
#include "models/upscale.h"
#include "tests/bench/counters.h"
#include "tests/bench/device_groups.h"
#include "tests/bench/device_measure.h"
#include "tests/models/networks/random_network.h"

namespace upbench::bench {
namespace {

Layout layout_by_name(const std::string& name) {
  if (name == "rrdb23") return rrdb_layout({}, RrdbSpelling::basicsr);
  if (name == "rrdb6") return rrdb_layout({.blocks = 6}, RrdbSpelling::basicsr);
  if (name == "srvgg32") return srvgg_layout(64, 32, 4);
  if (name == "span") return span_layout({});
  throw std::invalid_argument("no network " + name);
}

// On the CPU; made once.
const UpscalerPtr& network(const std::string& name) {
  static std::map<std::string, UpscalerPtr> known;
  UpscalerPtr& made = known[name];
  if (!made) {
    LoadedNetwork loaded;
    loaded.weights = test::random_tensors(layout_by_name(name), 1);
    loaded.match = recognise(loaded.weights);
    made = make_network_upscaler(name, std::move(loaded));
  }
  return made;
}

// Peak memory of one call, and what has to be there at least: weights, input and output.
void count_memory(benchmark::State& state, const Upscaler& placed, const at::Tensor& input,
                  const Setting& setting) {
  const at::NoGradGuard no_gradients;
  at::Tensor output;
  const std::uint64_t made =
      peak_tensor_bytes(device(), [&] { output = placed.forward(input, placed.info().scale); });
  const double given = static_cast<double>(placed.info().parameters) *
                           static_cast<double>(c10::elementSize(dtype_of(setting.precision))) +
                       static_cast<double>(input.nbytes());
  state.counters["peak_bytes"] = given + static_cast<double>(made);
  state.counters["least_bytes"] = given + static_cast<double>(output.nbytes());
}

void run_network(benchmark::State& state, const std::string& name, const Setting& setting, bool graph,
                 bool fast) {
  const auto side = state.range(0), batch = state.range(1);
  const SettingsScope scope(
      DeviceSettings{.tf32 = setting.tf32, .search_algorithms = fast, .deterministic = !fast});
  const UpscalerPtr placed = network(name)->to(device(), setting.precision);
  const int scale = placed->info().scale;
  const at::Tensor input = at::rand({batch, 3, side, side}, there());
  GraphPool pool(device(), graph ? 1 : 0);
  const auto forward = [&](const at::Tensor& x) { return placed->forward(x, scale); };
  const double flop = 2 * placed->info().macs_per_pixel * square(side) * static_cast<double>(batch);
  measure(state, {.flop = flop}, [&] { pool.run(name, input, forward, placed); });
  if (graph && !pool.why_eager().empty()) state.SetLabel("eager: " + pool.why_eager());
  if (!graph) count_memory(state, *placed, input, setting);
}

// flop: of the picture alone; what tiles compute twice is above it. tile 0: the whole picture at once.
void run_tiled(benchmark::State& state, const std::string& name, const Setting& setting, int tile) {
  constexpr int kContext = 16;
  constexpr std::size_t kGraphs = 16;  // a shape each: inner tiles, those at borders
  const auto side = state.range(0);
  const SettingsScope scope(DeviceSettings{.tf32 = setting.tf32});
  const UpscalerPtr placed = network(name)->to(device(), setting.precision);
  const UpscalerInfo& info = placed->info();
  const Image picture = at::rand({3, side, side}, there());
  GraphPool pool(device(), kGraphs);
  const auto forward = [&](const at::Tensor& x) { return placed->forward(x, info.scale); };
  UpscaleOptions options;
  if (tile > 0) {
    options.tile = {.tile = tile, .context = kContext};
    options.batch = tiles_at_once(square(tile + 2 * kContext),
                                  activation_bytes_per_pixel(info.macs_per_pixel, info.scale),
                                  static_cast<double>(device_memory(device()).free));
    options.forward = [&](const at::Tensor& batch) { return pool.run(name, batch, forward, placed); };
  }
  measure(state, {.flop = 2 * info.macs_per_pixel * square(side)},
          [&] { upscale(*placed, picture, options); });
  if (tile > 0 && !pool.why_eager().empty()) state.SetLabel("eager: " + pool.why_eager());
}

}  // namespace

std::vector<std::string> network_names() {
  return {"rrdb23", "srvgg32", "span", "rrdb6"};
}

void add_network(const std::string& name) {
  if (!on_gpu()) {  // small, to see that it works
    add(fmt::format("network/{}/fp32/eager", name), run_network, name, kFp32, false, false)->Args({32, 1});
    return;
  }
  const std::vector<std::int64_t> tile{64, 16}, middle{128, 4}, whole{256, 1}, large{256, 8};
  for (const Setting& setting : {kFp16, kBf16, kTf32, kFp32}) {
    const std::string base = fmt::format("network/{}/{}/", name, setting.name);
    if (setting.precision != Precision::fp32) {
      for (const auto& shape : {large, whole, middle, tile, std::vector<std::int64_t>{64, 1}})
        add(base + "graph", run_network, name, setting, true, false)->Args(shape);
      add(base + "fast", run_network, name, setting, true, true)->Args(large);
    }
    for (const auto& shape : {whole, large})
      add(base + "eager", run_network, name, setting, false, false)->Args(shape);
  }
}

void add_pipeline() {
  const Setting& setting = on_gpu() ? kFp16 : kFp32;
  for (const char* name : {"srvgg32", "rrdb23"})
    for (const int tile : {0, on_gpu() ? 128 : 32})
      add(fmt::format("tiled/{}/{}/{}", name, setting.name, tile > 0 ? std::to_string(tile) : "none"),
          run_tiled, std::string(name), setting, tile)
          ->Arg(on_gpu() ? 512 : 48);
}

void write_networks(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const std::string& name : network_names())
    write_safetensors(folder / (name + ".safetensors"), test::random_tensors(layout_by_name(name), 1));
}

}  // namespace upbench::bench
