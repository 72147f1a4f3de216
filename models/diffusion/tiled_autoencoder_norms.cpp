#include "models/diffusion/tiled_autoencoder_norms.h"

#include <algorithm>
#include <map>

#include <ATen/ATen.h>

namespace upbench {
namespace {

using Kind = AutoencoderStep::Kind;

// Of each group of each picture, [N, groups]; float64.
struct Statistics {
  at::Tensor mean, variance;
};

Statistics statistics_of(const at::Tensor& x, std::int64_t groups) {
  const auto [variance, mean] = at::var_mean(x.to(at::kFloat).reshape({x.size(0), groups, -1}), {2}, 0);
  return {.mean = mean.to(at::kDouble), .variance = variance.to(at::kDouble)};
}

// Those of all tiles together: "Updating formulae and a pairwise algorithm for computing sample variances"
// (Chan, Golub, LeVeque 1979).
class PooledStatistics {
 public:
  void add(const Statistics& tile, double numbers) {
    if (numbers_ == 0) {
      pooled_ = tile;
    } else {
      const double share = numbers / (numbers_ + numbers);
      const at::Tensor difference = tile.mean - pooled_.mean;
      pooled_.variance = pooled_.variance * (1 - share) + tile.variance * share +
                         difference.square() * (share * (1 - share));
      pooled_.mean = pooled_.mean + difference * share;
    }
    numbers_ += numbers;
  }
  const Statistics& pooled() const { return pooled_; }

 private:
  Statistics pooled_;
  double numbers_ = 0;
};

Statistics pooled_over_tiles(const at::Tensor& map, std::int64_t tile, std::int64_t groups,
                             const at::Device& device) {
  PooledStatistics pooled;
  for_each_tile(map, tile, [&](const TileRectangle& place) {
    const at::Tensor part = place.of(map).to(device);
    pooled.add(statistics_of(part, groups), static_cast<double>(part.numel()));
  });
  return pooled.pooled();
}

at::Tensor normed_by(const Statistics& statistics, Layers& layers, const AutoencoderNorm& norm,
                     const std::string& name, const at::Tensor& x, const Activation& then) {
  const std::int64_t channels = x.size(1), group = channels / norm.groups_of(channels);
  const auto parameter = [&](const char* what) {
    return layers.parameter(name + what, {channels}).to(at::kDouble);
  };
  const at::Tensor factor =
      (statistics.variance + norm.epsilon).rsqrt().repeat_interleave(group, 1) * parameter(".weight");
  const at::Tensor shift = parameter(".bias") - statistics.mean.repeat_interleave(group, 1) * factor;
  const auto over_map = [&](const at::Tensor& values) {
    return values.to(at::kFloat).unsqueeze(-1).unsqueeze(-1);
  };
  return activated(at::addcmul(over_map(shift), x.to(at::kFloat), over_map(factor)).to(x.scalar_type()),
                   then);
}

ScaledMap scale_of(const AutoencoderStep& step) {
  return {.numerator = step.kind == Kind::enlarge ? 2 : 1, .denominator = step.kind == Kind::halve ? 2 : 1};
}

// So much beyond a tile is seen by a step; even where the step halves, so that pairs stay pairs.
std::int64_t margin_of(const AutoencoderStep& step) {
  return step.kind == Kind::halve ? 2 : step.kernel / 2;
}

// x shrunk to fit a tile, with the mean and standard deviation that x has in each channel.
at::Tensor shrunk(const at::Tensor& x, const TileGrid& grid) {
  const std::int64_t longer = std::max(x.size(2), x.size(3)), unit = grid.scale.denominator;
  const auto side = [&](std::int64_t length) {
    return std::max<std::int64_t>(length * grid.tile / longer / unit, 1) * unit;
  };
  const at::Tensor exact = x.to(at::kFloat);
  const at::Tensor small = at::_upsample_nearest_exact2d(exact, {side(x.size(2)), side(x.size(3))});
  const auto [wanted_variance, wanted_mean] = at::var_mean(exact, {2, 3}, 0, /*keepdim=*/true);
  const auto [variance, mean] = at::var_mean(small, {2, 3}, 0, /*keepdim=*/true);
  const at::Tensor factor = (wanted_variance / variance.clamp_min(1e-12)).sqrt();
  return ((small - mean) * factor + wanted_mean).to(x.scalar_type());
}

}  // namespace

at::Tensor tiles_in_step(const Autoencoder& coder, const AutoencoderRow& row, const at::Tensor& x,
                         std::int64_t tile, const at::Device& storage) {
  Layers layers = coder.layers();
  const AutoencoderNorm& norm = coder.facts().norm;
  const at::Device device = coder.device();
  at::Tensor map = x.to(storage), kept;
  for (const AutoencoderStep& step : row) {
    if (step.keeps) kept = map;
    if (step.kind == Kind::attend) {
      map = apply(layers, step, coder.placed(map), {}, normed_alone(layers, norm)).to(storage);
      continue;
    }
    Statistics statistics;
    if (!step.norm.empty()) statistics = pooled_over_tiles(map, tile, norm.groups_of(step.inputs), device);
    const auto normed = [&](const std::string& name, const at::Tensor& part, const Activation& then) {
      return normed_by(statistics, layers, norm, name, part, then);
    };
    const ScaledMap scale = scale_of(step);
    // What is added is read by the tile that replaces it alone, so that no third map is needed.
    const at::Tensor out = step.adds && step.shortcut.empty() ? kept : at::Tensor();
    map = cropped_tiles(
        map, {.tile = tile, .overlap = margin_of(step), .scale = scale},
        [&](const TileRectangle& part) {
          return apply(layers, step, coder.placed(part.of(map)),
                       step.adds ? coder.placed(part.of(kept)) : at::Tensor(), normed);
        },
        out);
    if (step.adds) kept.reset();
    tile = scale(tile);
  }
  return map.to(device);
}

at::Tensor tiles_with_shared_norms(const Autoencoder& coder, const AutoencoderRow& row, const at::Tensor& x,
                                   const TileGrid& grid) {
  Layers layers = coder.layers();
  const AutoencoderNorm& norm = coder.facts().norm;
  if (x.size(2) <= grid.tile && x.size(3) <= grid.tile)
    return apply(layers, row, coder.placed(x), normed_alone(layers, norm));
  const at::Tensor whole = coder.placed(x);
  std::map<std::string, Statistics> known;
  apply(layers, row, coder.placed(shrunk(whole, grid)),
        [&](const std::string& name, const at::Tensor& part, const Activation& then) {
          known[name] = statistics_of(part, norm.groups_of(part.size(1)));
          return normed_by(known[name], layers, norm, name, part, then);
        });
  const auto normed = [&](const std::string& name, const at::Tensor& part, const Activation& then) {
    return normed_by(known.at(name), layers, norm, name, part, then);
  };
  return cropped_tiles(x, grid, [&](const TileRectangle& part) {
    return apply(layers, row, coder.placed(part.of(whole)), normed);
  });
}

}  // namespace upbench
