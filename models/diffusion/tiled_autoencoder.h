#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/diffusion/networks/autoencoder.h"

namespace upbench {

// How a picture too large for memory is encoded and decoded. GroupNorm sees a whole map, so that tiles coded
// apart differ in tone from the whole picture and from each other; the modes differ in what they do about it.
enum class CoderTileMode {
  none,  // the whole picture at once
  // As diffusers' AutoencoderKL.enable_tiling(): tiles of `size`, three quarters of that apart, each blended
  // linearly over a quarter with the tile above, then with that to its left.
  diffusers,
  // As ComfyUI's tiled nodes: the mean of three passes with tiles of (size, size), (2 size, size / 2) and
  // (size / 2, 2 size), `overlap` shared by neighbours and feathered linearly; the last tile is short.
  comfy,
  // Each tile passes through the network alone, with margins that are thrown away and with GroupNorm
  // statistics taken once from a copy of the picture (of the latents) that was shrunk to `size` and given the
  // old mean and deviation again. After the idea of "Tiled VAE" (multidiffusion-upscaler), from its
  // description.
  fast,
  // All tiles pass through each layer before the next, which so takes its statistics from the whole map; the
  // attention in the middle, at the latents' resolution, is over the whole map. Equal to `none` up to the
  // order of sums: 1e-5 of the largest value in float32. What layers make of a tile is held for one tile at a
  // time; of the maps between layers there are two, three where their channels change.
  exact,
};

// "none", "diffusers", "comfy", "fast", "exact". Throws std::invalid_argument that names these.
CoderTileMode coder_tile_mode(std::string_view name);
std::string to_string(CoderTileMode mode);

struct CoderTiles {
  CoderTileMode mode = CoderTileMode::none;
  std::int64_t size = 512;    // of a tile, in pixels
  std::int64_t overlap = 64;  // in pixels; of `comfy` alone, which takes size / 4 where that is less
  // Of `exact` alone: maps between layers wait in the host's memory, so that the device holds a tile of them.
  bool maps_on_host = false;
};

// A coder that codes by tiles; `coder` itself for CoderTileMode::none. fast and exact are for AutoencoderKL.
// Throws std::invalid_argument where the size is not a positive multiple of the coder's factor (of 4 times it
// for diffusers and comfy, whose quarters of tiles must be whole), comfy's overlap is not a multiple of the
// factor, or the coder has no such mode.
std::shared_ptr<const PictureCoder> with_tiles(std::shared_ptr<const PictureCoder> coder,
                                               const CoderTiles& tiles);

}  // namespace upbench
