#include "models/diffusion/tiled_autoencoder.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "models/checkpoint/refuse.h"
#include "models/diffusion/networks/autoencoder_blocks.h"
#include "models/diffusion/sampling/named_row.h"
#include "models/diffusion/tiled_autoencoder_grid.h"
#include "models/diffusion/tiled_autoencoder_norms.h"

namespace upbench {
namespace {

struct ModeRow {
  std::string name;
  CoderTileMode mode;
};

const std::vector<ModeRow>& mode_rows() {
  static const std::vector<ModeRow> rows{{"none", CoderTileMode::none},
                                         {"diffusers", CoderTileMode::diffusers},
                                         {"comfy", CoderTileMode::comfy},
                                         {"fast", CoderTileMode::fast},
                                         {"exact", CoderTileMode::exact}};
  return rows;
}

// Margins of CoderTileMode::fast, in pixels around the encoder's tiles and in latents around the decoder's:
// those that "Tiled VAE" takes.
constexpr std::int64_t kEncodeMargin = 32, kDecodeMargin = 11;

class TiledCoder : public PictureCoder {
 public:
  TiledCoder(std::shared_ptr<const PictureCoder> coder, TileFunction moments, TileFunction decode)
      : coder_(std::move(coder)), moments_(std::move(moments)), decode_(std::move(decode)) {}

  Posterior encode(const at::Tensor& picture) const override {
    return posterior_of(moments(picture), channels());
  }

  at::Tensor moments(const at::Tensor& picture) const override {
    require_picture(*coder_, picture);
    return moments_(picture);
  }

  at::Tensor decode(const at::Tensor& latents) const override {
    require_latents(*coder_, latents);
    return decode_(latents);
  }

  int channels() const override { return coder_->channels(); }
  int factor() const override { return coder_->factor(); }
  bool has_encoder() const override { return coder_->has_encoder(); }
  bool has_decoder() const override { return coder_->has_decoder(); }
  bool has_model_latents() const override { return coder_->has_model_latents(); }

 private:
  std::shared_ptr<const PictureCoder> coder_;
  TileFunction moments_, decode_;
};

void require_multiple(std::int64_t value, std::int64_t of, const char* what, CoderTileMode mode) {
  if (value % of != 0)
    refuse("autoencoder tiles: {} {} pixels in mode {}, expected a multiple of {}", what, value,
           to_string(mode), of);
}

void require_sound(const CoderTiles& tiles, std::int64_t factor) {
  if (tiles.size < 1 || tiles.overlap < 0)
    refuse(
        "autoencoder tiles: size {} and overlap {} pixels, expected a size of 1 or more and no negative "
        "overlap",
        tiles.size, tiles.overlap);
  const bool has_quarters = tiles.mode == CoderTileMode::diffusers || tiles.mode == CoderTileMode::comfy;
  require_multiple(tiles.size, has_quarters ? 4 * factor : factor, "size", tiles.mode);
  if (tiles.mode == CoderTileMode::comfy) require_multiple(tiles.overlap, factor, "overlap", tiles.mode);
}

using Coder = std::shared_ptr<const PictureCoder>;

Coder with_separate_tiles(const Coder& coder, const TileGrid& pixels, const TileGrid& latents,
                          CoderTileMode mode) {
  const auto code = mode == CoderTileMode::diffusers ? blended_tiles : averaged_passes;
  return std::make_shared<TiledCoder>(
      coder,
      [=](const at::Tensor& picture) {
        return code(picture, pixels, [&](const at::Tensor& tile) { return coder->moments(tile); });
      },
      [=](const at::Tensor& z) {
        return code(z, latents, [&](const at::Tensor& tile) { return coder->decode(tile); });
      });
}

Coder with_joined_tiles(const Coder& coder, TileGrid pixels, TileGrid latents, const CoderTiles& tiles) {
  const auto whole = std::dynamic_pointer_cast<const Autoencoder>(coder);
  if (!whole)
    refuse(
        "autoencoder tiles: mode {} is for AutoencoderKL, whose GroupNorm it is about; expected diffusers, "
        "comfy or none",
        to_string(tiles.mode));
  if (tiles.mode == CoderTileMode::exact) {
    const at::Device storage = tiles.maps_on_host ? at::Device(at::kCPU) : whole->device();
    return std::make_shared<TiledCoder>(
        coder,
        [=](const at::Tensor& x) { return tiles_in_step(*whole, whole->encoder(), x, pixels.tile, storage); },
        [=](const at::Tensor& z) {
          return tiles_in_step(*whole, whole->decoder(), z, latents.tile, storage);
        });
  }
  const std::int64_t factor = coder->factor();
  pixels.overlap = (kEncodeMargin + factor - 1) / factor * factor;
  latents.overlap = kDecodeMargin;
  return std::make_shared<TiledCoder>(
      coder,
      [=](const at::Tensor& x) { return tiles_with_shared_norms(*whole, whole->encoder(), x, pixels); },
      [=](const at::Tensor& z) { return tiles_with_shared_norms(*whole, whole->decoder(), z, latents); });
}

}  // namespace

CoderTileMode coder_tile_mode(std::string_view name) {
  return named_row(mode_rows(), name, "mode of autoencoder tiles").mode;
}

std::string to_string(CoderTileMode mode) {
  return std::ranges::find(mode_rows(), mode, &ModeRow::mode)->name;
}

std::shared_ptr<const PictureCoder> with_tiles(std::shared_ptr<const PictureCoder> coder,
                                               const CoderTiles& tiles) {
  if (tiles.mode == CoderTileMode::none) return coder;
  const std::int64_t factor = coder->factor();
  require_sound(tiles, factor);
  const std::int64_t overlap = 4 * tiles.overlap > tiles.size ? tiles.size / 4 : tiles.overlap;
  const TileGrid pixels{.tile = tiles.size, .overlap = overlap, .scale = {.denominator = factor}};
  const TileGrid latents{
      .tile = tiles.size / factor, .overlap = overlap / factor, .scale = {.numerator = factor}};
  const bool is_separate = tiles.mode == CoderTileMode::diffusers || tiles.mode == CoderTileMode::comfy;
  return is_separate ? with_separate_tiles(coder, pixels, latents, tiles.mode)
                     : with_joined_tiles(coder, pixels, latents, tiles);
}

}  // namespace upbench
