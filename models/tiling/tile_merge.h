#pragma once

#include <cstddef>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/image_fwd.h"
#include "models/tiling/tile_plan.h"

namespace upbench {

// Puts upscaled tiles together in one buffer, [3, H * scale, W * scale]. Tiles may come in any order, each
// once; a plan in which every weight is 1 is copied, any other is summed under its weights. Keeps a reference
// to the plan.
class TileMerge {
 public:
  // options: type and device of the tiles.
  TileMerge(const TilePlan& plan, const at::TensorOptions& options);

  // tile: [3, h * scale, w * scale] for the h x w pixels that rows[row] and cols[column] read.
  void add(std::size_t row, std::size_t column, const at::Tensor& tile);

  const Image& merged() const { return output_; }

 private:
  const TilePlan& plan_;
  bool pasted_;
  at::Tensor output_;
  std::vector<at::Tensor> row_weights_, column_weights_;  // [h, 1] and [1, w]; empty when pasted
};

}  // namespace upbench
