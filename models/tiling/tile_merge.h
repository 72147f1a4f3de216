#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/device/kernel_table.h"
#include "datasets/image_fwd.h"
#include "models/tiling/tile_plan.h"

namespace upbench {

// Puts upscaled tiles together in one buffer, [3, H * scale, W * scale]. Tiles may come in any order; one
// that comes again is not added again. A plan in which every weight is 1 is copied, values as they are. Any
// other is summed under its weights, and each tile is clamped to [0, 1] before: what A1111, ComfyUI and
// chaiNNer blend are pictures (the latter two call spandrel, which clamps what a network returns). Keeps a
// reference to the plan.
//
// With the kernel `tiles` (UPBENCH_DEVICE_KERNELS) a batch is one launch; sums may differ in the last bit,
// because products are fused with their additions.
class TileMerge {
 public:
  // options: type and device of the tiles. Weights go there without waiting: best made before the device has
  // its first tile to compute.
  TileMerge(const TilePlan& plan, const at::TensorOptions& options);

  // tile: [3, h * scale, w * scale] for the h x w pixels that rows[row] and cols[column] read.
  void add(std::size_t row, std::size_t column, const at::Tensor& tile);
  // batch: [N, 3, h * scale, w * scale] of tiles of one size, row by row: row * cols.size() + column.
  void add(std::span<const std::size_t> tiles, const at::Tensor& batch);

  bool pasted() const { return pasted_; }
  // The part of a tile that counts.
  at::Tensor kept(std::size_t index, const at::Tensor& tile) const;
  const Image& merged() const { return output_; }

 private:
  struct Weights {
    Weights() = default;
    Weights(at::Tensor joined, const std::vector<TileAxis>& axis, at::IntArrayRef shape);
    at::Tensor all;                   // of the axis, one tile's after the other
    std::vector<int> begins;          // of each tile's among them
    std::vector<at::Tensor> of_tile;  // [h, 1] or [1, w]
  };

  void scatter(const PixelKernels& table, std::span<const std::size_t> tiles, const at::Tensor& batch);

  const TilePlan& plan_;
  bool pasted_;
  std::vector<bool> added_;  // by tile
  at::Tensor output_;
  Weights row_weights_, column_weights_;  // empty when pasted
};

}  // namespace upbench
