#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "harness/record.h"

// What one change of a whole picture would explain of the difference between two pictures of equal size.
namespace upbench {

// RGB planes of one picture, row by row, values in [0, 1].
struct PicturePlanes {
  int width = 0, height = 0;
  std::vector<float> rgb[3];
};

// An 8- or 16-bit picture, grey or RGB; alpha is left out. Throws std::runtime_error as decode_file().
PicturePlanes read_planes(const std::filesystem::path& file);

struct PictureChange {
  enum class Kind { shift, channels, tone, tile_borders };
  Kind kind = Kind::shift;
  // Of the summed squared difference over pixels and channels, the share that vanishes when the change is
  // made to the base; of tile_borders: the share that lies near them, less their share of the picture. At
  // most 1.
  double explained = 0;
  std::string text;  // "shifted by 0.50 px right", "R and B swapped", "gamma 1.20", "borders of tiles"
  double right = 0, down = 0;  // of shift, pixels of the output
};

// Least share that makes a change worth naming: two thirds, and for borders of tiles 0.3 more than chance.
bool is_telling(const PictureChange& change);

// Every kind of change, best fitted, most explained first. boundaries: of tiles, in pixels of these pictures;
// none: that kind is left out. Empty where the pictures are equal. Throws std::invalid_argument for different
// sizes and for pictures smaller than 16 pixels.
//   shift: translation by up to 4.5 px, found by trying whole pixels and then refined by least squares
//   (Lucas,
//     Kanade, An iterative image registration technique, 1981), with linear or cubic (Keys) interpolation
//   channels: another order of R, G and B
//   tone: one gamma; gain and offset for all channels; gain and offset for each
//   tile_borders: the difference gathers within 1 to 16 px of a boundary
std::vector<PictureChange> explain_difference(const PicturePlanes& base, const PicturePlanes& now,
                                              std::span<const BoundaryRow> boundaries = {});

}  // namespace upbench
