// What a device does with pixels and networks: our kernels beside ATen's operators, networks of random
// weights with and without graphs. Arguments: --device cuda:0 (default) or cpu, Google Benchmark's own, or
// --write-networks FOLDER, which writes the networks as checkpoints and measures nothing.
//   build/upbench_device_bench --device cuda:0 --benchmark_out=device.json
// Counters: bytes and flop of one iteration, as the task itself needs them (2 FLOP a multiply-accumulate).
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "datasets/device/module.h"
#include "datasets/device/pixels.h"
#include "harness/device.h"
#include "harness/device_runtime.h"
#include "harness/timing/peaks.h"
#include "metrics/catalog.h"
#include "metrics/device_similarity.h"
#include "models/network_upscaler.h"
#include "models/networks/rrdb.h"
#include "models/networks/srvgg.h"
#include "models/padding.h"
#include "models/tiling/tile_merge.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

std::string device = "cuda:0";

bool on_gpu() {
  return device != "cpu";
}

at::TensorOptions there() {
  return at::TensorOptions(at::Device(device));
}

struct Cost {
  double bytes = 0, flop = 0;  // of one call
};

// The device's own time for `work`. Short work is queued many times over: what counts is its rate, not how
// long a queue that was empty takes to begin.
void measure(benchmark::State& state, Cost cost, const std::function<void()>& work) {
  const at::NoGradGuard no_gradients;
  const DeviceStream stream(device);
  const StreamScope scope(stream);
  const int calls = on_gpu() ? 20 : 1;
  for (int i = 0; i < 3; ++i) work();
  DeviceEvent begin(device, true), end(device, true);
  for (auto _ : state) {
    begin.record(stream);
    for (int i = 0; i < calls; ++i) work();
    end.record(stream);
    end.synchronize();
    state.SetIterationTime(end.seconds_since(begin) / calls);
  }
  if (cost.bytes > 0) state.counters["bytes"] = cost.bytes;
  if (cost.flop > 0) state.counters["flop"] = cost.flop;
}

double square(std::int64_t side) {
  return static_cast<double>(side * side);
}

const PixelKernels& kernels_of_module() {
  return cuda_module().module->kernels;
}

void layout_up(benchmark::State& state, bool kernel) {
  const auto side = state.range(0);
  const at::Tensor bytes = at::randint(256, {side, side, 3}, there().dtype(at::kByte));
  measure(state, {.bytes = 15 * square(side)},
          [&] { kernel ? kernels::image_of_bytes(kernels_of_module(), bytes) : image_of_bytes(bytes); });
}

void layout_down(benchmark::State& state, bool kernel) {
  const auto side = state.range(0);
  const Image image = at::rand({3, side, side}, there());
  measure(state, {.bytes = 15 * square(side)},
          [&] { kernel ? kernels::bytes_of_image(kernels_of_module(), image) : bytes_of_image(image); });
}

void similarity(benchmark::State& state, bool kernel, bool bytes) {
  const auto side = state.range(0);
  const at::Tensor a = bytes ? at::randint(256, {side, side, 3}, there().dtype(at::kByte))
                             : at::rand({3, side, side}, there());
  const at::Tensor b = a.clone();
  // 735 FLOP a pixel of three channels: four blurs of 11 taps, squares, formula (docs/gpu.md).
  const double pixels = square(side);
  measure(state, {.bytes = (bytes ? 6 : 24) * pixels, .flop = 735 * pixels}, [&] {
    kernel ? similarity_with_kernels(kernels_of_module(), a, b, kRgbSignals)
           : similarity_with_aten(a, b, kRgbSignals);
  });
}

// Every metric of signals of one output, as a trial asks for them: two passes (with and without the border)
// and the transfer of their results.
void scores(benchmark::State& state, bool kernel) {
  const auto side = state.range(0);
  const Scorer scorer(
      {parse_metric("psnr-y"), parse_metric("ssim-y"), parse_metric("psnr-rgb"), parse_metric("ssim-rgb@b0")},
      4);
  const Image output = at::rand({3, side, side}, there()), reference = at::rand({3, side, side}, there());
  set_kernel_choice(parse_kernel_choice(kernel ? "similarity,layout" : "none"));
  measure(state, {.bytes = 24 * square(side)}, [&] { scorer.score(output, reference); });
  set_kernel_choice({});
}

constexpr std::int64_t kTile = 256, kTiles = 16;  // a batch of tiles cut from a picture

void gather(benchmark::State& state, bool kernel) {
  const Image image = at::rand({3, 1024, 1024}, there());
  std::vector<TileSource> sources;
  for (int i = 0; i < kTiles; ++i) sources.push_back({i / 4 * 250, i % 4 * 250, 250, 250});
  const at::Tensor list = kernels::on_device(std::span<const TileSource>(sources), image.device());
  const at::Tensor into = at::empty({kTiles, 3, kTile, kTile}, there());
  measure(state, {.bytes = 24.0 * kTiles * kTile * kTile}, [&] {
    if (kernel) return kernels::gather_tiles(kernels_of_module(), image, list, 0, 0, into);
    std::vector<at::Tensor> tiles;
    for (const TileSource& tile : sources)
      tiles.push_back(image.narrow(1, tile.y, tile.height).narrow(2, tile.x, tile.width));
    padded(at::stack(tiles), {.size_multiple = 64});
  });
}

void scatter(benchmark::State& state, bool kernel) {
  const TilePlan plan = plan_tiles(904, 904, 1, {.tile = 256, .overlap = 40, .mode = TileMode::half_sine});
  std::vector<TileTarget> targets;
  std::vector<float> row_weights, column_weights;
  for (const TileAxis& row : plan.rows)
    for (const TileAxis& column : plan.cols) {
      targets.push_back({row.keep.begin, column.keep.begin, row.keep.size(), column.keep.size(),
                         row.keep.begin - row.read.begin, column.keep.begin - column.read.begin,
                         static_cast<int>(row_weights.size()), static_cast<int>(column_weights.size())});
      row_weights.insert(row_weights.end(), row.weights.begin(), row.weights.end());
      column_weights.insert(column_weights.end(), column.weights.begin(), column.weights.end());
    }
  const at::Tensor batch = at::rand({static_cast<std::int64_t>(targets.size()), 3, 320, 320}, there());
  const at::Tensor list = kernels::on_device(std::span<const TileTarget>(targets), batch.device());
  const at::Tensor rows = at::tensor(row_weights).to(batch.device()),
                   columns = at::tensor(column_weights).to(batch.device());
  double kept = 0;
  for (const TileTarget& target : targets) kept += static_cast<double>(target.height) * target.width;
  measure(state, {.bytes = 12 * (kept + 904.0 * 904)}, [&] {
    if (kernel) {
      const Image image = at::zeros({3, 904, 904}, there());
      return kernels::scatter_tiles(kernels_of_module(), batch, list, 0, rows, columns, 0, 904, image);
    }
    TileMerge merge(plan, batch.options());
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const TileAxis &row = plan.rows[i / plan.cols.size()], &column = plan.cols[i % plan.cols.size()];
      merge.add(
          i / plan.cols.size(), i % plan.cols.size(),
          batch[static_cast<std::int64_t>(i)].narrow(1, 0, row.read.size()).narrow(2, 0, column.read.size()));
    }
  });
}

void statistics(benchmark::State& state, bool kernel) {
  const at::Tensor batch = at::rand({kTiles, 3, 4 * kTile, 4 * kTile}, there());
  measure(state, {.bytes = 4.0 * static_cast<double>(batch.numel())}, [&] {
    if (kernel) {
      kernels::tile_statistics(kernels_of_module(), batch);
      return;
    }
    for (std::int64_t i = 0; i < kTiles; ++i) at::aminmax(batch[i]);
  });
}

void copy(benchmark::State& state, bool up) {
  const auto side = state.range(0);
  StagingPool pool(device, 1);
  const StagingPool::Lease lease = pool.acquire(static_cast<std::size_t>(3 * side * side));
  const at::Tensor host = lease.bytes({side, side, 3}),
                   far = at::zeros({side, side, 3}, there().dtype(at::kByte));
  measure(state, {.bytes = 3 * square(side)}, [&] {
    const at::Tensor& into = up ? far : host;
    into.copy_(up ? host : far, /*non_blocking=*/true);
  });
}

Layout layout_of(std::string_view name) {
  if (name == "rrdb23") return rrdb_layout({}, RrdbSpelling::basicsr);
  if (name == "rrdb6") return rrdb_layout({.blocks = 6}, RrdbSpelling::basicsr);
  return srvgg_layout(64, 32, 4);
}

constexpr const char* kNetworks[] = {"rrdb23", "rrdb6", "srvgg32"};

// Random weights: time does not depend on them.
UpscalerPtr network(std::string_view name) {
  LoadedNetwork loaded;
  loaded.weights = test::random_tensors(layout_of(name), 1);
  loaded.match = recognise(loaded.weights);
  return make_network_upscaler(std::string(name), std::move(loaded));
}

struct Setting {
  const char* name;
  Precision precision;
  bool tf32;
};
constexpr Setting kSettings[] = {{"fp32", Precision::fp32, false},
                                 {"tf32", Precision::fp32, true},
                                 {"fp16", Precision::fp16, false},
                                 {"bf16", Precision::bf16, false}};

void run_network(benchmark::State& state, const std::string& name, const Setting& setting, bool graph,
                 bool fast) {
  const auto side = state.range(0), batch = state.range(1);
  apply({.tf32 = setting.tf32, .search_algorithms = fast, .deterministic = !fast});
  const UpscalerPtr placed = network(name)->to(device, setting.precision);
  const at::Tensor input = at::rand({batch, 3, side, side}, there());
  GraphPool pool(device, graph ? 1 : 0);
  const double flop = 2 * placed->info().macs_per_pixel * square(side) * static_cast<double>(batch);
  measure(state, {.flop = flop}, [&] {
    pool.run(name, input, [&](const at::Tensor& x) { return placed->forward(x, placed->info().scale); });
  });
  if (graph && !pool.replays()) state.SetLabel("eager: " + pool.why_eager());
  apply({});
}

template <typename Function, typename... Arguments>
auto* add(const std::string& name, Function function, Arguments... arguments) {
  return benchmark::RegisterBenchmark(name.c_str(), function, arguments...)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

void register_pixels() {
  for (const bool kernel : {false, true}) {
    if (kernel && (!on_gpu() || !cuda_module().module)) continue;
    const std::string way = kernel ? "kernel" : "aten";
    add("layout_up/" + way, layout_up, kernel)->Arg(1024)->Arg(4096);
    add("layout_down/" + way, layout_down, kernel)->Arg(1024)->Arg(4096);
    add("similarity_u8/" + way, similarity, kernel, true)->Arg(256)->Arg(1024)->Arg(4096);
    add("similarity_f32/" + way, similarity, kernel, false)->Arg(1024);
    add("scores/" + way, scores, kernel)->Arg(256)->Arg(1024);
    add("gather/" + way, gather, kernel);
    add("scatter/" + way, scatter, kernel);
    add("statistics/" + way, statistics, kernel);
  }
  add("copy_up", copy, true)->Arg(1024)->Arg(4096);
  add("copy_down", copy, false)->Arg(1024)->Arg(4096);
}

void register_networks() {
  const std::vector<std::int64_t> tile{64, 16}, middle{128, 4}, whole{256, 1}, large{256, 8};
  for (const char* name : kNetworks)
    for (const Setting& setting : kSettings) {
      const std::string base = fmt::format("network/{}/{}/", name, setting.name);
      for (const auto& shape : {whole, large})
        add(base + "eager", run_network, name, setting, false, false)->Args(shape);
      if (setting.precision == Precision::fp32) continue;
      for (const auto& shape : {std::vector<std::int64_t>{64, 1}, tile, middle, whole, large})
        add(base + "graph", run_network, name, setting, true, false)->Args(shape);
      add(base + "fast", run_network, name, setting, true, true)->Args(large);
    }
}

int write_networks(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const char* name : kNetworks)
    write_safetensors(folder / fmt::format("{}.safetensors", name), test::random_tensors(layout_of(name), 1));
  return 0;
}

void describe(const DeviceInfo& info) {
  const Peaks peaks = measure_peaks(device, available_threads());
  benchmark::AddCustomContext("device", info.name);
  benchmark::AddCustomContext("description", info.description);
  benchmark::AddCustomContext("cuda_module", on_gpu() ? cuda_module_status().text : "not asked for");
  benchmark::AddCustomContext("peaks", to_json(peaks).dump());
}

}  // namespace
}  // namespace upbench

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--write-networks") return upbench::write_networks(argv[2]);
  if (argc >= 3 && std::string_view(argv[1]) == "--device") {
    upbench::device = argv[2];
    argv[2] = argv[0];
    argv += 2;
    argc -= 2;
  }
  try {
    upbench::describe(upbench::open_device(upbench::device));
  } catch (const upbench::DeviceError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 4;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  upbench::register_pixels();
  upbench::register_networks();
  benchmark::RunSpecifiedBenchmarks();
}
