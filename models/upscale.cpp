#include "models/upscale.h"

#include <algorithm>
#include <optional>
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

// Blocks of a fixed length are what makes compilers use vector instructions here; ATen's comparisons and
// count take 25 times as long and two pictures of memory.
std::int64_t count_outside(const float* values, std::int64_t count) {
  constexpr std::int64_t kBlock = 64;
  const auto outside = [](float value) {
    return static_cast<std::int32_t>(value < 0) | static_cast<std::int32_t>(value > 1);
  };
  std::int64_t total = 0, i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    std::int32_t in_block = 0;
    for (std::int64_t k = 0; k < kBlock; ++k) in_block += outside(values[i + k]);
    total += in_block;
  }
  for (; i < count; ++i) total += outside(values[i]);
  return total;
}

double share_outside(const Image& image) {
  const std::int64_t outside =
      image.is_cpu() ? count_outside(image.const_data_ptr<float>(), image.numel())
                     : image.lt(0).logical_or_(image.gt(1)).count_nonzero().item<std::int64_t>();
  return static_cast<double>(outside) / static_cast<double>(image.numel());
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
                    options.forward);
  const bool untiled = plan.rows.size() * plan.cols.size() == 1;
  Image output;
  std::optional<TileMerge> merge;
  runner.run([&](std::size_t index, const at::Tensor& tile) {
    if (untiled) {
      output = own_memory(tile, image, options.forward != nullptr);
      return;
    }
    if (!merge) merge.emplace(plan, tile.options());
    merge->add(index / plan.cols.size(), index % plan.cols.size(), tile);
  });
  if (merge) output = merge->merged();
  runner.require_finite();
  UpscaleResult result{.image = output,
                       .boundaries = plan.boundaries,
                       .tiles_y = static_cast<int>(plan.rows.size()),
                       .tiles_x = static_cast<int>(plan.cols.size()),
                       .outside_share = share_outside(output),
                       .batch = runner.batch(),
                       .batch_halved = runner.halved()};
  if (options.check_batch && result.batch > 1) result.batch_difference = runner.difference_alone();
  return result;
}

}  // namespace upbench
