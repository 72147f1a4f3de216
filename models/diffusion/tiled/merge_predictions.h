#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/diffusion/tiled/fused_tiles.h"

namespace upbench {

// Part of latents.
struct LatentWindow {
  std::int64_t left = 0, top = 0, width = 0, height = 0;

  // Of a tensor that lies under the latents, `scale` of its pixels to a latent.
  at::Tensor of(const at::Tensor& whole, std::int64_t scale = 1) const;
};

// Row by row.
std::vector<LatentWindow> windows_of(const FusedGrid& grid);

// What the network predicts of some windows: [windows.size() * N, C, h, w], N after N.
using PredictWindows = std::function<at::Tensor(const std::vector<LatentWindow>&)>;

// Predictions of all tiles of a grid, at most `batch` in one call, merged by their weights in float32 into
// one of x's shape, [N, C, H, W].
at::Tensor merge_predictions(const at::Tensor& x, const FusedGrid& grid, std::int64_t batch,
                             const PredictWindows& predict);

}  // namespace upbench
