#include <map>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <benchmark/benchmark.h>

#include "models/tiling/tile_merge.h"
#include "models/upscale.h"
#include "tests/bench/counters.h"
#include "tests/models/fake_upscalers.h"

namespace upbench {
namespace {

constexpr int kScale = 2;

Image random_image(std::int64_t side) {
  return at::rand({3, side, side}, at::make_generator<at::CPUGeneratorImpl>(7));
}

TileSettings tiles_of_128(TileMode mode) {
  return {.tile = 128, .overlap = 16, .context = 16, .mode = mode};
}

// An upscaler that costs nothing: every batch of one shape gets the same tensor, made before.
test::FakeUpscaler free_upscaler() {
  UpscalerInfo info;
  info.name = "free";
  info.scale = kScale;
  return {info, [made = std::map<std::vector<std::int64_t>, at::Tensor>()](const at::Tensor& batch,
                                                                           int scale) mutable {
            at::Tensor& output = made[batch.sizes().vec()];
            if (!output.defined()) output = test::repeated(batch, scale);
            return output;
          }};
}

void run_upscale(benchmark::State& state, const TileSettings& tile) {
  const std::int64_t side = state.range(0);
  const test::FakeUpscaler upscaler = free_upscaler();
  const Image image = random_image(side / kScale);
  upscale(upscaler, image, {.tile = tile});  // makes the outputs
  for (auto _ : state) benchmark::DoNotOptimize(upscale(upscaler, image, {.tile = tile}).image);
  count_work(state, square(side));
}

// Everything around the network: plan, crops, checks, merge, share outside the range. Argument: side of the
// output.
void BM_Untiled(benchmark::State& state) {
  run_upscale(state, {});
}
void BM_Tiled(benchmark::State& state, TileMode mode) {
  run_upscale(state, tiles_of_128(mode));
}

// The merge alone.
void BM_Merge(benchmark::State& state, TileMode mode) {
  const std::int64_t side = state.range(0);
  const int input = static_cast<int>(side) / kScale;
  const TilePlan plan = plan_tiles(input, input, kScale, tiles_of_128(mode));
  const Image whole = random_image(side);
  for (auto _ : state) {
    TileMerge merge(plan, whole.options());
    for (std::size_t row = 0; row < plan.rows.size(); ++row) {
      for (std::size_t column = 0; column < plan.cols.size(); ++column) {
        const Span y = plan.rows[row].read, x = plan.cols[column].read;
        merge.add(row, column,
                  whole.narrow(1, y.begin * kScale, y.size() * kScale)
                      .narrow(2, x.begin * kScale, x.size() * kScale));
      }
    }
    benchmark::DoNotOptimize(merge.merged());
  }
  count_work(state, square(side));
}

// Tiles of `tile` pixels of a picture of 256 x 256 through layers of 64 channels, as many at once. One at a
// time is what sweeps on a CPU do: a batch there only takes the next tile out of the caches.
void BM_Batch(benchmark::State& state) {
  const int tile = static_cast<int>(state.range(0)), batch = static_cast<int>(state.range(1));
  constexpr int kLayers = 8, kSide = 256;
  const at::Tensor first = at::full({64, 3, 3, 3}, 0.01), last = at::full({12, 64, 3, 3}, 0.01),
                   inner = at::full({64, 64, 3, 3}, 0.01).contiguous(at::MemoryFormat::ChannelsLast);
  UpscalerInfo info;
  info.name = "layers";
  info.scale = kScale;
  const test::FakeUpscaler network(info, [&](const at::Tensor& pixels, int scale) {
    at::Tensor values = at::conv2d(pixels.contiguous(at::MemoryFormat::ChannelsLast), first, {}, 1, 1);
    for (int layer = 0; layer < kLayers; ++layer) values = at::conv2d(values, inner, {}, 1, 1).relu_();
    return at::pixel_shuffle(at::conv2d(values, last, {}, 1, 1), scale).contiguous();
  });
  const Image image = random_image(kSide);
  const UpscaleOptions options{.tile = {.tile = tile, .mode = TileMode::uniform}, .batch = batch};
  for (auto _ : state) benchmark::DoNotOptimize(upscale(network, image, options).image);
  // Tiles of these sizes neither overlap nor reach beyond the picture: every pixel is computed once.
  constexpr double kMacsPerPixel = 9 * (3 * 64 + kLayers * 64 * 64 + 64 * 12);
  count_work(state, square(kSide), 2 * kMacsPerPixel * square(kSide));
}

void BM_Plan(benchmark::State& state, TileMode mode) {
  const int input = static_cast<int>(state.range(0)) / kScale;
  for (auto _ : state) benchmark::DoNotOptimize(plan_tiles(input, input, kScale, tiles_of_128(mode)));
  count_work(state, square(state.range(0)));
}

BENCHMARK(BM_Batch)->ArgsProduct({{32, 64, 128}, {1, 2, 4}})->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Untiled)->Arg(32)->Arg(1024)->Unit(benchmark::kMicrosecond);
#define UPBENCH_FOR_ALL_MODES(function)                                                                  \
  BENCHMARK_CAPTURE(function, core_context, TileMode::core_context)                                      \
      ->Arg(1024)                                                                                        \
      ->Unit(benchmark::kMicrosecond);                                                                   \
  BENCHMARK_CAPTURE(function, even_ramp, TileMode::even_ramp)->Arg(1024)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(function, stride_feather, TileMode::stride_feather)                                  \
      ->Arg(1024)                                                                                        \
      ->Unit(benchmark::kMicrosecond);                                                                   \
  BENCHMARK_CAPTURE(function, half_sine, TileMode::half_sine)->Arg(1024)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(function, uniform, TileMode::uniform)->Arg(1024)->Unit(benchmark::kMicrosecond)
UPBENCH_FOR_ALL_MODES(BM_Plan);
UPBENCH_FOR_ALL_MODES(BM_Merge);
UPBENCH_FOR_ALL_MODES(BM_Tiled);

}  // namespace
}  // namespace upbench

BENCHMARK_MAIN();
