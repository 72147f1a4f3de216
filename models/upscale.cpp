#include "models/upscale.h"

#include <algorithm>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/image.h"
#include "models/tiling/tile_merge.h"
#include "models/tiling/tile_runner.h"

namespace upbench {
namespace {

int scale_of(const UpscalerInfo& info, int wanted) {
  if (info.scale == 0 && wanted < 1)
    throw std::invalid_argument(fmt::format("{}: scale {}: expected a scale from 1", info.name, wanted));
  if (info.scale == 0 && !info.scales.empty() && !std::ranges::binary_search(info.scales, wanted))
    throw std::invalid_argument(fmt::format("{}: scale {}: the network's scales are {}", info.name, wanted,
                                            fmt::join(info.scales, ", ")));
  if (info.scale != 0 && wanted != 0 && wanted != info.scale)
    throw std::invalid_argument(
        fmt::format("{}: scale {}: the network's scale is {}", info.name, wanted, info.scale));
  return info.scale == 0 ? wanted : info.scale;
}

// The one tile as it is, unless it is part of a larger buffer, the input itself or borrowed.
Image own_memory(const at::Tensor& tile, const Image& input, bool borrowed) {
  const at::Tensor whole = tile.contiguous();
  return borrowed || whole.is_alias_of(input) ? whole.clone() : whole;
}

}  // namespace

PaddingRule padding_rule(const UpscalerInfo& info, Padding padding) {
  if (padding == Padding::spandrel && info.spandrel_padding) return *info.spandrel_padding;
  return {.size_multiple = info.size_multiple, .minimum_size = info.minimum_size};
}

UpscaleResult upscale(const Upscaler& upscaler, const Image& image, const UpscaleOptions& options) {
  require_image(image, "upscale");
  const int scale = scale_of(upscaler.info(), options.scale);
  const TilePlan plan =
      plan_tiles(static_cast<int>(image.size(1)), static_cast<int>(image.size(2)), scale, options.tile);
  const at::NoGradGuard no_gradients;
  TileRunner runner(upscaler, image, plan, padding_rule(upscaler.info(), options.padding), options.batch,
                    {.forward = options.forward, .make_room = options.make_room});
  const bool untiled = plan.rows.size() * plan.cols.size() == 1;
  Image output;
  std::optional<TileMerge> merge;
  if (!untiled) runner.allocate([&] { merge.emplace(plan, image.options()); });
  runner.run([&](std::span<const std::size_t> tiles, const at::Tensor& batch) {
    if (untiled) {
      output = own_memory(batch[0], image, options.forward != nullptr);
      return;
    }
    merge->add(tiles, batch);
    if (merge->pasted()) return;
    for (std::size_t i = 0; i < tiles.size(); ++i)
      runner.checks().note_outside(tiles[i], merge->kept(tiles[i], batch[static_cast<std::int64_t>(i)]));
  });
  if (merge) output = merge->merged();
  if (untiled || merge->pasted()) runner.checks().note_outside(0, output);
  const double outside_share = runner.require_finite();
  UpscaleResult result{.image = output,
                       .boundaries = plan.boundaries,
                       .tiles_y = static_cast<int>(plan.rows.size()),
                       .tiles_x = static_cast<int>(plan.cols.size()),
                       .outside_share = outside_share,
                       .batch = runner.batch(),
                       .batch_halved = runner.halved()};
  if (options.check_batch && result.batch > 1) result.batch_difference = runner.difference_alone();
  return result;
}

}  // namespace upbench
