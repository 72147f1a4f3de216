#include <span>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "datasets/device/module.h"
#include "datasets/device/pixels.h"
#include "metrics/device_similarity.h"
#include "models/padding.h"
#include "models/tiling/tile_merge.h"
#include "tests/bench/counters.h"
#include "tests/bench/device_groups.h"
#include "tests/bench/device_measure.h"

namespace upbench::bench {
namespace {

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
  const double pixels = square(side);
  measure(state, {.bytes = (bytes ? 6 : 24) * pixels, .flop = 3 * kSsimFlop * pixels}, [&] {
    kernel ? similarity_with_kernels(kernels_of_module(), a, b, kRgbSignals)
           : similarity_with_aten(a, b, kRgbSignals);
  });
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

// The tiles of a plan as the kernel wants them.
struct Targets {
  explicit Targets(const TilePlan& plan) {
    for (const TileAxis& row : plan.rows)
      for (const TileAxis& column : plan.cols) {
        list.push_back({row.keep.begin, column.keep.begin, row.keep.size(), column.keep.size(),
                        row.keep.begin - row.read.begin, column.keep.begin - column.read.begin,
                        static_cast<int>(row_weights.size()), static_cast<int>(column_weights.size())});
        row_weights.insert(row_weights.end(), row.weights.begin(), row.weights.end());
        column_weights.insert(column_weights.end(), column.weights.begin(), column.weights.end());
      }
  }
  double pixels() const {
    double kept = 0;
    for (const TileTarget& target : list) kept += static_cast<double>(target.height) * target.width;
    return kept;
  }

  std::vector<TileTarget> list;
  std::vector<float> row_weights, column_weights;
};

void scatter(benchmark::State& state, bool kernel) {
  const TilePlan plan = plan_tiles(904, 904, 1, {.tile = 256, .overlap = 40, .mode = TileMode::half_sine});
  const Targets targets(plan);
  const at::Tensor batch = at::rand({static_cast<std::int64_t>(targets.list.size()), 3, 320, 320}, there());
  const at::Tensor list = kernels::on_device(std::span<const TileTarget>(targets.list), batch.device());
  const at::Tensor rows = at::tensor(targets.row_weights).to(batch.device()),
                   columns = at::tensor(targets.column_weights).to(batch.device());
  measure(state, {.bytes = 12 * (targets.pixels() + square(904))}, [&] {
    if (kernel) {
      const Image image = at::zeros({3, 904, 904}, there());
      return kernels::scatter_tiles(kernels_of_module(), batch, list, 0, rows, columns, 0, 904, image);
    }
    TileMerge merge(plan, batch.options());
    for (std::size_t i = 0; i < targets.list.size(); ++i) {
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

void copy_over_bus(benchmark::State& state, bool up) {
  const auto side = state.range(0);
  StagingPool pool(device(), 1);
  const StagingPool::Lease lease = pool.acquire(static_cast<std::size_t>(3 * side * side));
  const at::Tensor host = lease.bytes({side, side, 3}),
                   far = at::zeros({side, side, 3}, there().dtype(at::kByte));
  measure(state, {.bus_bytes = 3 * square(side)}, [&] {
    const at::Tensor& into = up ? far : host;
    into.copy_(up ? host : far, /*non_blocking=*/true);
  });
}

void copy_within(benchmark::State& state) {
  const auto side = state.range(0);
  const at::Tensor from = at::rand({3, side, side}, there()), to = at::empty_like(from);
  measure(state, {.bytes = 24 * square(side)}, [&] { to.copy_(from); });
}

}  // namespace

void add_pixels() {
  for (const bool kernel : {false, true}) {
    if (kernel && (!on_gpu() || !cuda_module().module)) continue;
    const std::string way = kernel ? "kernel" : "aten";
    add("layout_up/" + way, layout_up, kernel)->Arg(1024)->Arg(4096);
    add("layout_down/" + way, layout_down, kernel)->Arg(1024)->Arg(4096);
    add("similarity_u8/" + way, similarity, kernel, true)->Arg(256)->Arg(1024)->Arg(4096);
    add("similarity_f32/" + way, similarity, kernel, false)->Arg(1024);
    add("gather/" + way, gather, kernel);
    add("scatter/" + way, scatter, kernel);
    add("statistics/" + way, statistics, kernel);
  }
  add("copy_up", copy_over_bus, true)->Arg(1024)->Arg(4096);
  add("copy_down", copy_over_bus, false)->Arg(1024)->Arg(4096);
  add("copy_within", copy_within)->Arg(1024)->Arg(4096);
}

}  // namespace upbench::bench
