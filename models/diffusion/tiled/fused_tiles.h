#pragma once

#include <string_view>
#include <vector>

#include "models/tiling/tile_plan.h"

// MultiDiffusion (Bar-Tal et al., 2023) and Mixture of Diffusers (Jimenez, 2023): at every step of the
// sampler the network sees tiles of the latents, and what it predicts is averaged where they overlap. Where
// the tiles lie and what they weigh; torch-free. Grid and weights from the description of
// multidiffusion-upscaler.
namespace upbench {

enum class Fusion {
  multidiffusion,  // all tiles count the same
  mixture          // a tile counts by a Gaussian around its middle, a tenth of its width wide on both axes
};
Fusion parse_fusion(std::string_view name);  // "multidiffusion", "mixture"; throws std::invalid_argument

// In latents.
struct FusionSettings {
  Fusion mode = Fusion::multidiffusion;
  int width = 96, height = 96;  // of a tile
  int overlap = 8;              // at least this much is shared by neighbours
  // The tiles lie elsewhere at every step, so that no line is always a seam (InvokeAI's advice).
  bool jitter = false;
};

// One side of a grid. Every latent is in a tile; over tiles the weights of a latent sum to 1.
struct FusedAxis {
  int size = 0;                              // of each tile
  std::vector<int> begins;                   // ascending
  std::vector<std::vector<double>> weights;  // by tile, of its `size` latents
};
struct FusedGrid {
  FusedAxis columns, rows;
  std::size_t tiles() const { return columns.begins.size() * rows.begins.size(); }
};

// width, height: of the latents. A tile that is larger is as large as they are. Without jitter as many tiles
// as the overlap needs, spread evenly (positions are truncated). With it tiles lie tile - overlap apart, from
// `across` and `down` (shares of that distance, [0, 1)) beyond the left and the upper edge, moved inside; one
// tile more on a side at most. Throws std::invalid_argument for an overlap that is not smaller than the tile.
FusedGrid fused_grid(int width, int height, const FusionSettings& settings, double across = 0,
                     double down = 0);

// Where tiles of a grid overlap, in pixels.
std::vector<Boundary> fused_boundaries(const FusedGrid& grid, int factor);

}  // namespace upbench
