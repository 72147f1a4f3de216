#pragma once

#include "models/diffusion/networks/autoencoder_blocks.h"
#include "models/diffusion/tiled_autoencoder_grid.h"

namespace upbench {

// Two ways to give tiles of an AutoencoderKL the GroupNorm statistics of more than themselves. row: the
// coder's encoder() or decoder(); x as it takes it.

// CoderTileMode::exact, tiles of `tile` numbers of x. Maps between layers lie on `storage`, the result on the
// weights' device.
at::Tensor tiles_in_step(const Autoencoder& coder, const AutoencoderRow& row, const at::Tensor& x,
                         std::int64_t tile, const at::Device& storage);

// CoderTileMode::fast; grid.overlap: the margin.
at::Tensor tiles_with_shared_norms(const Autoencoder& coder, const AutoencoderRow& row, const at::Tensor& x,
                                   const TileGrid& grid);

}  // namespace upbench
