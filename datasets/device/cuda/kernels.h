#pragma once

#include "datasets/device/kernel_table.h"

// The functions behind PixelKernels, each beside its kernel; the table says what they do.
namespace upbench::cuda {

int to_float(const PixelView& bytes, const PixelView& values, void* stream);
int to_bytes(const PixelView& values, const PixelView& bytes, void* stream);
int gather_tiles(const PixelView& picture, const TileSource* tiles, int mirrored, const BatchView& batch,
                 void* stream);
int scatter_tiles(const BatchView& batch, const TileTarget* tiles, const float* row_weights,
                  const float* column_weights, int row_begin, int row_end, const PixelView& picture,
                  void* stream);
std::size_t statistics_work(int count);
int tile_statistics(const BatchView& batch, TileStatistics* results, void* work, void* stream);
std::size_t similarity_work(int height, int width, int signals);
int similarity(const SimilarityRequest& request, SimilaritySums* results, void* work, void* stream);
int rectify(const RectifyRequest& request, void* stream);

}  // namespace upbench::cuda
