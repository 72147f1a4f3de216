#pragma once

#include "datasets/device/kernel_table.h"
#include "datasets/device/layout_math.h"
#include "datasets/device/portable.h"

namespace upbench {

// Which of `side` pixels stands at `index` of the padded side: themselves first, then reflected without the
// last one (or the last one repeated where the side is too short for that), then the `mirrored` last ones of
// all that mirrored with the last one twice. models/padding.h, on one axis.
UPBENCH_HD int padded_index(int index, int side, int padded, int mirrored) {
  const int reflected_end = padded - mirrored;
  if (index >= reflected_end) index = 2 * reflected_end - 1 - index;
  if (index < side) return index;
  return reflected_end - side < side ? 2 * side - 2 - index : side - 1;
}

// One pixel of one tile of the batch. Store: float -> the batch's element.
template <typename Element, typename Store>
UPBENCH_HD void gather_pixel(const PixelView& picture, const TileSource& tile, int mirrored,
                             const BatchView& batch, int index, int y, int x, Store store) {
  const int from_y = tile.y + padded_index(y, tile.height, batch.first.height, mirrored);
  const int from_x = tile.x + padded_index(x, tile.width, batch.first.width, mirrored);
  auto* to = static_cast<Element*>(batch.first.data);
  for (int c = 0; c < 3; ++c) {
    const auto from = offset_of(picture, c, from_y, from_x);
    const float value = picture.type == PixelType::u8
                            ? value_of_byte(static_cast<const std::uint8_t*>(picture.data)[from])
                            : static_cast<const float*>(picture.data)[from];
    to[offset_of(batch, index, c, y, x)] = store(value);
  }
}

// One pixel of the picture: what the tiles of the batch put there, in their order, so that sums have one
// order and no two threads write to one place. What is summed is clamped to [0, 1] first, as TileMerge does;
// a NaN becomes 0 there. Load: the batch's element -> float.
template <typename Element, typename Load>
UPBENCH_HD void scatter_pixel(const BatchView& batch, const TileTarget* tiles, const float* row_weights,
                              const float* column_weights, const PixelView& picture, int y, int x,
                              Load load) {
  const auto* from = static_cast<const Element*>(batch.first.data);
  auto* to = static_cast<float*>(picture.data);
  for (int index = 0; index < batch.count; ++index) {
    const TileTarget& tile = tiles[index];
    const int row = y - tile.y, column = x - tile.x;
    if (row < 0 || column < 0 || row >= tile.height || column >= tile.width) continue;
    for (int c = 0; c < 3; ++c) {
      const float value = load(from[offset_of(batch, index, c, tile.tile_y + row, tile.tile_x + column)]);
      float& pixel = to[offset_of(picture, c, y, x)];
      pixel = row_weights == nullptr
                  ? value
                  : fmaf(fminf(fmaxf(value, 0.0F), 1.0F),
                         row_weights[tile.row_weights + row] * column_weights[tile.column_weights + column],
                         pixel);
    }
  }
}

}  // namespace upbench
