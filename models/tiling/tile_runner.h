#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/device/kernel_table.h"
#include "datasets/image_fwd.h"
#include "models/padding.h"
#include "models/tiling/tile_batches.h"
#include "models/tiling/tile_checks.h"
#include "models/upscaler.h"

namespace upbench {

// What a network made is not finite; its text says where.
class NotFiniteError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// batch [N, 3, H, W], padded -> [N, 3, H * scale, W * scale]. The result may be memory that the next call
// overwrites.
using BatchFunction = std::function<at::Tensor(const at::Tensor& batch)>;

// What stands in for the upscaler's own, and what else holds memory. Each may be empty.
struct TileHooks {
  BatchFunction forward = {};
  // Memory ran out: gives back what it can and says whether that was anything. The batch is then tried once
  // more as it was.
  std::function<bool()> make_room = {};
};

// Runs an upscaler over the tiles of one plan, one batch after the other. Keeps references to what it is made
// of.
class TileRunner {
 public:
  // Takes tiles of one size, [N, 3, h * scale, w * scale] for the h x w pixels read; tile i of them is
  // batch[i]. Valid during the call. A tile may come again after memory ran out in the call that took it.
  using TakeTiles = std::function<void(std::span<const std::size_t> tiles, const at::Tensor& batch)>;

  // most: tiles at once.
  TileRunner(const Upscaler& upscaler, const Image& image, const TilePlan& plan, const PaddingRule& rule,
             int most, TileHooks hooks);

  // Out of memory: as many again where room was made, then half as many at once from there on; one at a time
  // is tried twice, then std::runtime_error "out of memory: NAME: ...".
  void run(const TakeTiles& take);
  // Work that takes memory for the whole output; tried twice likewise.
  void allocate(const std::function<void()>& work) const;

  TileChecks& checks() { return checks_; }
  // Throws for the first tile that held a NaN or an infinity, else returns the share of values that checks()
  // found outside [0, 1]. Once after all tiles: asking makes the host wait for the device.
  double require_finite() const;

  int batch() const { return most_; }  // most tiles at once that memory allowed
  bool halved() const { return halved_; }

  // Largest difference of the first batched tile, when it runs alone, to what its batch made of it; 0 where
  // no batch held more than one. After run().
  double difference_alone() const;

 private:
  struct CheckedTile {
    std::size_t index = 0;
    at::Tensor in_batch;
  };

  void try_twice(const std::function<void()>& work, std::optional<std::size_t> tile) const;
  void run_batch(const TileBatch& batch, std::size_t& done, const TakeTiles& take);
  void run_tiles(const TileBatch& batch, std::size_t begin, std::size_t count, const TakeTiles& take);
  at::Tensor input(std::span<const std::size_t> tiles, std::size_t count) const;
  at::Tensor gathered(const PixelKernels& table, std::span<const std::size_t> tiles, std::size_t count) const;
  TileSource source(std::size_t index) const;
  at::Tensor forward(const at::Tensor& input, std::size_t first) const;

  const Upscaler& upscaler_;
  const Image& image_;
  const TilePlan& plan_;
  PaddingRule rule_;
  int most_;
  TileHooks hooks_;
  bool halved_ = false;
  std::vector<TileBatch> batches_;
  TileChecks checks_;
  std::optional<CheckedTile> checked_;
};

}  // namespace upbench
