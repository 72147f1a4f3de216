#include "models/upscale.h"

#include <algorithm>
#include <cmath>
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

std::string description(const at::Tensor& tensor) {
  if (!tensor.defined()) return "no tensor";
  return fmt::format("[{}] of {}", fmt::join(tensor.sizes(), ", "), c10::toString(tensor.scalar_type()));
}

std::string tile_name(const TilePlan& plan, std::size_t index) {
  const std::size_t columns = plan.cols.size(), count = plan.rows.size() * columns;
  if (count == 1) return "the output";
  return fmt::format("tile {} of {} (row {}, column {})", index + 1, count, index / columns, index % columns);
}

// Runs an upscaler over the tiles of one plan.
class TileRunner {
 public:
  TileRunner(const Upscaler& upscaler, const Image& image, const TilePlan& plan, Padding padding)
      : upscaler_(upscaler),
        info_(upscaler.info()),
        image_(image),
        plan_(plan),
        rule_(padding_rule(info_, padding)) {}

  // Tile `index`, row by row: [3, h * scale, w * scale] for the h x w pixels read. Its range is kept for
  // require_finite().
  at::Tensor run(std::size_t index) {
    const Span rows = plan_.rows[index / plan_.cols.size()].read,
               columns = plan_.cols[index % plan_.cols.size()].read;
    const at::Tensor tile =
        image_.narrow(1, rows.begin, rows.size()).narrow(2, columns.begin, columns.size());
    const at::Tensor result = forward(tile.unsqueeze(0).contiguous(), index);
    const auto [least, greatest] = at::aminmax(result);
    ranges_.push_back(least);
    ranges_.push_back(greatest);
    const std::int64_t scale = plan_.scale;
    return result[0].narrow(1, 0, rows.size() * scale).narrow(2, 0, columns.size() * scale);
  }

  // Throws for the first tile run that held a NaN or an infinity. Once after all tiles: asking makes the host
  // wait for the device.
  void require_finite() const {
    const at::Tensor ranges = at::stack(ranges_).cpu();
    const float* values = ranges.const_data_ptr<float>();
    const float* bad =
        std::find_if_not(values, values + ranges.numel(), [](float value) { return std::isfinite(value); });
    if (bad == values + ranges.numel()) return;
    const auto index = static_cast<std::size_t>(bad - values) / 2;
    throw std::runtime_error(fmt::format("{}: {} is not finite", info_.name, tile_name(plan_, index)));
  }

 private:
  // batch: [N, 3, h, w], unpadded. The result covers the padded batch.
  at::Tensor forward(const at::Tensor& batch, std::size_t index) const {
    const at::Tensor input = padded(batch, rule_);
    at::Tensor result = upscaler_.forward(input, plan_.scale);
    const std::vector<std::int64_t> expected{batch.size(0), 3, input.size(2) * plan_.scale,
                                             input.size(3) * plan_.scale};
    if (result.defined() && result.sizes() == at::IntArrayRef(expected) && result.scalar_type() == at::kFloat)
      return result;
    throw std::runtime_error(fmt::format("{}: {}: expected [{}] of Float, got {}", info_.name,
                                         tile_name(plan_, index), fmt::join(expected, ", "),
                                         description(result)));
  }

  const Upscaler& upscaler_;
  const UpscalerInfo& info_;
  const Image& image_;
  const TilePlan& plan_;
  const PaddingRule rule_;
  std::vector<at::Tensor> ranges_;  // least, greatest of each tile run
};

Image run_all(TileRunner& runner, const TilePlan& plan) {
  std::optional<TileMerge> merge;
  for (std::size_t index = 0; index < plan.rows.size() * plan.cols.size(); ++index) {
    const at::Tensor tile = runner.run(index);
    if (!merge) merge.emplace(plan, tile.options());
    merge->add(index / plan.cols.size(), index % plan.cols.size(), tile);
  }
  return merge->merged();
}

// The one tile as it is, unless it is part of a larger buffer or the input itself.
Image own_memory(const at::Tensor& tile, const Image& input) {
  const at::Tensor whole = tile.contiguous();
  return whole.is_alias_of(input) ? whole.clone() : whole;
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
  TileRunner runner(upscaler, image, plan, options.padding);
  const bool untiled = plan.rows.size() * plan.cols.size() == 1;
  Image output = untiled ? own_memory(runner.run(0), image) : run_all(runner, plan);
  runner.require_finite();
  return {.image = output,
          .boundaries = plan.boundaries,
          .tiles_y = static_cast<int>(plan.rows.size()),
          .tiles_x = static_cast<int>(plan.cols.size()),
          .outside_share = share_outside(output)};
}

}  // namespace upbench
