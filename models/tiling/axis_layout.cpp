#include "models/tiling/axis_layout.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

namespace upbench {
namespace {

// A tile before normalisation: what is read, and how strongly each of its read.size() * scale output pixels
// speaks.
struct Layer {
  Span read;
  std::vector<double> opacity;
};

struct Layers {
  std::vector<Layer> tiles;
  std::vector<Transition> transitions;
};

std::size_t output_size(int pixels, int scale) {
  return static_cast<std::size_t>(pixels) * static_cast<std::size_t>(scale);
}

Layer solid(Span read, int scale) {
  return {read, std::vector<double>(output_size(read.size(), scale), 1.0)};
}

Transition between(int begin, int end) {
  return {(begin + end) / 2.0, (end - begin) / 2.0};
}

// Opacities become weights as if the tiles were painted one over the other, the last on top.
void paint(std::vector<Layer>& tiles, int length, int scale) {
  std::vector<double> visible(output_size(length, scale), 1.0);
  for (auto tile = tiles.rbegin(); tile != tiles.rend(); ++tile) {
    double* below = &visible[output_size(tile->read.begin, scale)];
    for (double& opacity : tile->opacity) {
      const double shown = opacity * *below;
      *below++ *= 1 - opacity;
      opacity = shown;
    }
  }
}

// Opacities become weights by dividing by their sum over all tiles.
void average(std::vector<Layer>& tiles, int length, int scale) {
  std::vector<double> sums(output_size(length, scale), 0.0);
  for (const Layer& tile : tiles) {
    double* sum = &sums[output_size(tile.read.begin, scale)];
    for (const double opacity : tile.opacity) *sum++ += opacity;
  }
  for (Layer& tile : tiles) {
    const double* sum = &sums[output_size(tile.read.begin, scale)];
    for (double& opacity : tile.opacity) opacity /= *sum++;
  }
}

// Real-ESRGAN, realesrgan/utils.py: the context ends at the picture's border.
Layers core_context(int length, int scale, const TileSettings& settings) {
  Layers layers;
  const int context = std::min(settings.context, length);
  for (int begin = 0; begin < length; begin += settings.tile) {
    const Span core{begin, std::min(begin + settings.tile, length)};
    const Span read{std::max(core.begin - context, 0), std::min(core.end + context, length)};
    Layer layer{read, std::vector<double>(output_size(read.size(), scale), 0.0)};
    std::fill_n(layer.opacity.begin() + static_cast<std::ptrdiff_t>(output_size(begin - read.begin, scale)),
                output_size(core.size(), scale), 1.0);
    layers.tiles.push_back(std::move(layer));
    if (begin > 0) layers.transitions.push_back(between(begin, begin));
  }
  average(layers.tiles, length, scale);
  return layers;
}

// A1111, modules/images.py split_grid and combine_grid. Positions are truncated from floating point as there,
// but the last one is exact: there, rounding can leave the last pixel of a side to no tile.
Layers even_ramp(int length, int scale, const TileSettings& settings) {
  const auto [tile, overlap] = std::pair{settings.tile, settings.overlap};
  const int count = (length - overlap + (tile - overlap) - 1) / (tile - overlap);
  const double step = static_cast<double>(length - tile) / (count - 1);
  const std::size_t ramp = output_size(overlap, scale);
  Layers layers;
  for (int i = 0; i < count; ++i) {
    const int begin = i + 1 < count ? static_cast<int>(i * step) : length - tile;
    Layer layer = solid({begin, begin + tile}, scale);
    if (i > 0) {
      for (std::size_t k = 0; k < ramp; ++k)
        layer.opacity[k] = static_cast<double>(k) / static_cast<double>(ramp);
      layers.transitions.push_back(between(begin, begin + overlap));
    }
    layers.tiles.push_back(std::move(layer));
  }
  paint(layers.tiles, length, scale);
  return layers;
}

// ComfyUI, comfy/utils.py tiled_scale: borders of the picture are feathered too, which the division by the
// sum undoes.
Layers stride_feather(int length, int scale, const TileSettings& settings) {
  const std::size_t feather = output_size(settings.overlap, scale);
  Layers layers;
  for (int begin = 0; begin < length - settings.overlap; begin += settings.tile - settings.overlap) {
    Layer layer = solid({begin, std::min(begin + settings.tile, length)}, scale);
    const std::size_t last = layer.opacity.size() - 1;
    for (std::size_t k = 0; k < feather; ++k) {
      const double opacity = static_cast<double>(k + 1) / static_cast<double>(feather);
      layer.opacity[k] *= opacity;
      layer.opacity[last - k] *= opacity;
    }
    if (begin > 0) layers.transitions.push_back(between(begin, begin + settings.overlap));
    layers.tiles.push_back(std::move(layer));
  }
  average(layers.tiles, length, scale);
  return layers;
}

// The shared stretch in which core `begin` takes over from the core before it. At the picture's end it
// shrinks evenly to what the last core can give.
Span half_sine_zone(int begin, int length, int overlap) {
  const int after = std::min(overlap / 2, length - begin);
  const int before = after < overlap / 2 ? after : overlap - after;
  return {begin - before, begin + after};
}

// chaiNNer, nodes/impl/upscale: auto_split.py lays the cores, tile_blending.py blends. Over the shared
// stretch, 0 to 1, the later tile rises from 1/4 to 3/4 as half a period of a sine.
Layers half_sine(int length, int scale, const TileSettings& settings) {
  const int count = (length + settings.tile - 1) / settings.tile;
  const int core = (length + count - 1) / count;
  const int pad = settings.overlap - settings.overlap / 2;
  Layers layers;
  for (int begin = 0; begin < length; begin += core) {
    const int end = std::min(begin + core, length);
    const Span read{std::max(begin - pad, 0), std::min(end + settings.overlap / 2, length)};
    Layer layer = solid(read, scale);
    if (begin > 0) {
      const Span zone = half_sine_zone(begin, length, settings.overlap);
      const std::size_t skipped = output_size(zone.begin - read.begin, scale),
                        size = output_size(zone.size(), scale);
      std::fill_n(layer.opacity.begin(), skipped, 0.0);
      for (std::size_t k = 0; k < size; ++k) {
        const double along = size > 1 ? static_cast<double>(k) / static_cast<double>(size - 1) : 0.5;
        const double phase = std::clamp(2 * along - 0.5, 0.0, 1.0);
        layer.opacity[skipped + k] = (1 - std::cos(std::numbers::pi * phase)) / 2;
      }
      const Transition whole = between(zone.begin, zone.end);
      layers.transitions.push_back({whole.position, whole.half_width / 2});
    }
    layers.tiles.push_back(std::move(layer));
  }
  paint(layers.tiles, length, scale);
  return layers;
}

// SwinIR, main_test_swinir.py.
Layers uniform(int length, int scale, const TileSettings& settings) {
  Layers layers;
  const int last = length - settings.tile;
  for (int begin = 0, previous_end = 0; previous_end < length; begin += settings.tile - settings.overlap) {
    begin = std::min(begin, last);
    if (begin > 0) layers.transitions.push_back(between(begin, previous_end));
    previous_end = begin + settings.tile;
    layers.tiles.push_back(solid({begin, previous_end}, scale));
  }
  average(layers.tiles, length, scale);
  return layers;
}

Layers lay(int length, int scale, const TileSettings& settings) {
  if (settings.tile == 0 || settings.tile >= length) return {{solid({0, length}, scale)}, {}};
  switch (settings.mode) {
    case TileMode::core_context:
      return core_context(length, scale, settings);
    case TileMode::even_ramp:
      return even_ramp(length, scale, settings);
    case TileMode::stride_feather:
      return stride_feather(length, scale, settings);
    case TileMode::half_sine:
      return half_sine(length, scale, settings);
    case TileMode::uniform:
      break;
  }
  return uniform(length, scale, settings);
}

// Drops the input pixels at both ends of a tile that count nothing.
TileAxis trimmed(const Layer& layer, int scale) {
  const auto counts = [](double weight) { return weight > 0; };
  const auto& weights = layer.opacity;
  const auto first = std::find_if(weights.begin(), weights.end(), counts) - weights.begin();
  const auto end = weights.rend() - std::find_if(weights.rbegin(), weights.rend(), counts);
  const int from = static_cast<int>(first / scale), to = static_cast<int>((end + scale - 1) / scale);
  return {
      .read = layer.read,
      .keep = {layer.read.begin + from, layer.read.begin + to},
      .weights = std::vector<float>(weights.begin() + static_cast<std::ptrdiff_t>(output_size(from, scale)),
                                    weights.begin() + static_cast<std::ptrdiff_t>(output_size(to, scale)))};
}

}  // namespace

AxisLayout lay_axis(int length, int scale, const TileSettings& settings) {
  Layers layers = lay(length, scale, settings);
  AxisLayout axis{.tiles = {}, .transitions = std::move(layers.transitions)};
  axis.tiles.reserve(layers.tiles.size());
  for (const Layer& layer : layers.tiles) axis.tiles.push_back(trimmed(layer, scale));
  return axis;
}

}  // namespace upbench
