#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace upbench {

// How tiles are laid and merged, each as one tool does it (the names are what a spec writes):
//   core-context    Real-ESRGAN, the default: cores on a grid from 0, each read with `context` more pixels,
//                   cores pasted.
//   even-ramp       A1111: spread evenly, the later tile ramped over its first `overlap` pixels. A1111 blends
//                   black into the left and top edge where tile - overlap < side < tile, and at some sizes
//                   (2035 pixels at tile 192, overlap 8) leaves the last column black; neither happens here.
//                   Ramps are exact, not rounded to 8 bit.
//   stride-feather  ComfyUI: fixed stride, short last tile, linear feather on both sides.
//   half-sine       chaiNNer: equalised tiles, half-sine over half the overlap. `tile` is the largest core,
//                   read with overlap / 2 more pixels to each side. chaiNNer's setting counts one side, so
//                   its overlap of 16 is 32 here.
//   uniform         SwinIR: fixed stride, last tile moved back, overlaps averaged. Each side of a tile is cut
//                   to the picture on its own; SwinIR cuts both to the shorter side of the picture.
enum class TileMode { core_context, even_ramp, stride_feather, half_sine, uniform };

TileMode parse_tile_mode(std::string_view name);  // throws std::invalid_argument listing the names
std::string_view to_string(TileMode mode);

// All in input pixels.
struct TileSettings {
  int tile = 0;     // side; 0: the whole picture at once
  int overlap = 0;  // shared by neighbours and blended (all modes but core-context, which ignores it)
  int context = 0;  // read around a core and thrown away (core-context only; ignored by the others)
  TileMode mode = TileMode::core_context;
  bool operator==(const TileSettings&) const = default;
};

struct Span {
  int begin = 0, end = 0;  // half open
  int size() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

// One axis of one tile: what is read, and what of the result counts, with one weight per counted output pixel
// (keep.size() * scale of them, first to last; 0 only at output pixels that share their input pixel with a
// counted one).
struct TileAxis {
  Span read;
  Span keep;
  std::vector<float> weights;
};

// Where two tiles meet, in output pixels: the transition covers position +- half_width across the whole
// picture. Position x is the line between the pixels x - 1 and x. A hard paste has half width 0.
struct Boundary {
  bool vertical = true;  // a vertical line: position is an x
  double position = 0;
  double half_width = 0;
  bool operator==(const Boundary&) const = default;
};

// Separable: tile (r, c) is rows[r] x cols[c]; its weight is the product. On each axis the weights of every
// output pixel sum to 1 (to float32 rounding), so their products do too.
struct TilePlan {
  std::vector<TileAxis> rows, cols;  // top to bottom, left to right
  std::vector<Boundary> boundaries;  // vertical ones left to right, then horizontal ones top to bottom
  int scale = 1;
};

// Pure. Throws std::invalid_argument "tile 64, overlap 64: ..." for settings that cannot work (overlap >=
// tile, negative). A tile that covers the picture gives a single tile and no boundaries; a tile that covers
// one side leaves that side whole.
TilePlan plan_tiles(int height, int width, int scale, const TileSettings& settings);

}  // namespace upbench
