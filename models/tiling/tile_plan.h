#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace upbench {

// How tiles are laid and merged, each as one tool does it (the names are what a spec writes):
//   core-context   cores on a grid from 0, each read with `context` more pixels, cores pasted      (Real-ESRGAN, default)
//   even-ramp      spread evenly, later tile ramped over the first `overlap` pixels               (A1111)
//   stride-feather fixed stride, short last tile, linear feather on both sides                     (ComfyUI)
//   half-sine      equalised tiles, half-sine over half the overlap                                (chaiNNer)
//   uniform        fixed stride, last tile moved back, overlaps averaged                           (SwinIR)
enum class TileMode { core_context, even_ramp, stride_feather, half_sine, uniform };

TileMode parse_tile_mode(std::string_view name);  // throws std::invalid_argument listing the names
std::string_view to_string(TileMode mode);

// All in input pixels.
struct TileSettings {
  int tile = 0;      // side; 0: the whole picture at once
  int overlap = 0;   // shared by neighbours and blended (all modes but core-context)
  int context = 0;   // read around a core and thrown away (core-context only)
  TileMode mode = TileMode::core_context;
  bool operator==(const TileSettings&) const = default;
};

struct Span {
  int begin = 0, end = 0;  // half open
  int size() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

// One axis of one tile: what is read, and what of the result counts, with one weight per counted input pixel position at the
// given scale (weights have (keep.size() * scale) entries).
struct TileAxis {
  Span read;
  Span keep;
  std::vector<float> weights;
};

// Where two tiles meet, in output pixels: the transition covers position +- half_width across the whole picture.
struct Boundary {
  bool vertical = true;     // a vertical line: position is an x
  double position = 0;
  double half_width = 0;
  bool operator==(const Boundary&) const = default;
};

// Separable: tile (r, c) is rows[r] x cols[c]; its weight is the product. After normalisation every output pixel's weights sum to 1.
struct TilePlan {
  std::vector<TileAxis> rows, cols;
  std::vector<Boundary> boundaries;
  int scale = 1;
};

// Pure. Throws std::invalid_argument "tile 64, overlap 40: ..." for settings that cannot work (overlap >= tile, negative).
// A tile that covers the picture gives a single tile and no boundaries.
TilePlan plan_tiles(int height, int width, int scale, const TileSettings& settings);

}  // namespace upbench
