#include "emulated_kernels.h"

#include <array>
#include <cstring>

#include "datasets/device/layout_math.h"
#include "datasets/device/rectify_math.h"
#include "datasets/device/similarity_math.h"
#include "datasets/device/statistics_math.h"
#include "datasets/device/tile_math.h"

namespace upbench::test {
namespace {

int to_float(const PixelView& bytes, const PixelView& values, void*) {
  for (int y = 0; y < values.height; ++y)
    for (int x = 0; x < values.width; ++x) pixel_to_float(bytes, values, y, x);
  return 0;
}

int to_bytes(const PixelView& values, const PixelView& bytes, void*) {
  for (int y = 0; y < values.height; ++y)
    for (int x = 0; x < values.width; ++x) pixel_to_bytes(values, bytes, y, x);
  return 0;
}

struct Same {
  float operator()(float value) const { return value; }
};

int gather_tiles(const PixelView& picture, const TileSource* tiles, int mirrored, const BatchView& batch,
                 void*) {
  for (int index = 0; index < batch.count; ++index)
    for (int y = 0; y < batch.first.height; ++y)
      for (int x = 0; x < batch.first.width; ++x)
        gather_pixel<float>(picture, tiles[index], mirrored, batch, index, y, x, Same{});
  return 0;
}

int scatter_tiles(const BatchView& batch, const TileTarget* tiles, const float* row_weights,
                  const float* column_weights, int row_begin, int row_end, const PixelView& picture, void*) {
  for (int y = row_begin; y < row_end; ++y)
    for (int x = 0; x < picture.width; ++x)
      scatter_pixel<float>(batch, tiles, row_weights, column_weights, picture, y, x, Same{});
  return 0;
}

std::size_t statistics_work(int) {
  return 0;
}

int tile_statistics(const BatchView& batch, TileStatistics* results, void*, void*) {
  const auto* values = static_cast<const float*>(batch.first.data);
  for (int picture = 0; picture < batch.count; ++picture) {
    TileStatistics whole = no_statistics();
    for (int part = 0; part < kStatisticsBlocks; ++part) {
      TileStatistics own = no_statistics();
      for (int row = part; row < 3 * batch.first.height; row += kStatisticsBlocks)
        for (int x = 0; x < batch.first.width; ++x)
          add_value(own,
                    values[offset_of(batch, picture, row / batch.first.height, row % batch.first.height, x)]);
      whole = combined(whole, own);
    }
    results[picture] = whole;
  }
  return 0;
}

std::size_t similarity_work(int, int, int) {
  return 0;
}

template <typename Element>
SimilaritySums run_block(const SimilarityBlock<Element>& block) {
  std::array<std::array<SignalPair, kSimilarityThreads>, 2> rows;
  std::array<SimilarityColumn, kSimilarityThreads> columns;
  for (int row = 0; row < block.rows; ++row) {
    auto& buffer = rows[static_cast<std::size_t>(row % 2)];
    for (int thread = 0; thread < kSimilarityThreads; ++thread)
      block.load(thread, row, buffer.data(), columns[static_cast<std::size_t>(thread)]);
    for (int thread = 0; thread < kSimilarityThreads; ++thread)
      block.step(thread, row, buffer.data(), columns[static_cast<std::size_t>(thread)]);
  }
  SimilaritySums sums{};
  for (const SimilarityColumn& column : columns) {
    sums.similarity += column.totals.similarity;
    sums.squared_error += column.totals.squared_error;
  }
  return sums;
}

template <typename Element>
void run_grid(const SimilarityRequest& request, SimilaritySums* results) {
  const SimilarityGrid grid = similarity_grid(request.output.height, request.output.width, request.signals);
  for (int signal = 0; signal < request.signals; ++signal) {
    results[signal] = {};
    for (int chunk = 0; chunk < grid.chunks; ++chunk)
      for (int strip = 0; strip < grid.strips; ++strip) {
        const SimilaritySums sums = run_block(SimilarityBlock<Element>(request, signal, strip, chunk));
        results[signal].similarity += sums.similarity;
        results[signal].squared_error += sums.squared_error;
      }
  }
}

int similarity(const SimilarityRequest& request, SimilaritySums* results, void*, void*) {
  if (request.output.type == PixelType::u8)
    run_grid<std::uint8_t>(request, results);
  else
    run_grid<float>(request, results);
  return 0;
}

int rectify(const RectifyRequest& request, void*) {
  if (request.type != PixelType::f32) return 1;
  auto* values = static_cast<float*>(request.values);
  for (std::int64_t i = 0; i < request.pixels * request.channels; ++i)
    values[i] = rectified(request, i, values[i], Same{}, Same{});
  return 0;
}

}  // namespace

const PixelKernels& emulated_kernels() {
  static const PixelKernels table{.to_float = to_float,
                                  .to_bytes = to_bytes,
                                  .gather_tiles = gather_tiles,
                                  .scatter_tiles = scatter_tiles,
                                  .statistics_work = statistics_work,
                                  .tile_statistics = tile_statistics,
                                  .similarity_work = similarity_work,
                                  .similarity = similarity,
                                  .rectify = rectify};
  return table;
}

}  // namespace upbench::test
