#include "models/tiling/tile_runner.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/device/fault.h"
#include "datasets/device/memory.h"

namespace upbench {
namespace {

std::string description(const at::Tensor& tensor) {
  if (!tensor.defined()) return "no tensor";
  return fmt::format("[{}] of {}", fmt::join(tensor.sizes(), ", "), c10::toString(tensor.scalar_type()));
}

std::string tile_name(const TilePlan& plan, std::size_t index) {
  const std::size_t columns = plan.cols.size(), count = plan.rows.size() * columns;
  if (count == 1) return "the output";
  return fmt::format("tile {} of {} (row {}, column {})", index + 1, count, index / columns, index % columns);
}

// What went wrong with memory; nothing when all went well. Other exceptions pass.
std::optional<std::string> out_of_memory(const std::string& device, const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    if (device_fault(error, device) != DeviceFault::out_of_memory) throw;
    return device_error_text(error);
  }
  return std::nullopt;
}

}  // namespace

TileRunner::TileRunner(const Upscaler& upscaler, const Image& image, const TilePlan& plan,
                       const PaddingRule& rule, int most, BatchFunction forward)
    : upscaler_(upscaler),
      image_(image),
      plan_(plan),
      rule_(rule),
      most_(std::max(most, 1)),
      forward_(std::move(forward)),
      batches_(batch_tiles(plan, static_cast<std::size_t>(most_))),
      ranges_(2 * plan.rows.size() * plan.cols.size()) {}

void TileRunner::run(const TakeTile& take) {
  const std::string device = image_.device().str();
  for (const TileBatch& batch : batches_) {
    std::size_t done = 0;
    const auto once = [&] { run_batch(batch, done, take); };
    if (!out_of_memory(device, once)) continue;
    release_cached_memory(device);  // here the exception and what it held are gone
    if (const auto again = out_of_memory(device, once))
      throw std::runtime_error(fmt::format("out of memory: {}: {}: {}", upscaler_.info().name,
                                           tile_name(plan_, batch.tiles[0]), *again));
  }
  const auto largest = std::ranges::max_element(batches_, {}, &TileBatch::size);
  most_ = std::min(most_, static_cast<int>(largest->size));
}

// done: tiles of the batch that were taken; they are not run again when memory runs out on the way.
void TileRunner::run_batch(const TileBatch& batch, std::size_t& done, const TakeTile& take) {
  with_shrinking_batch(
      most_, image_.device().str(),
      [&](int most) {
        const std::size_t count = std::min(static_cast<std::size_t>(most), batch.size);
        for (; done < batch.tiles.size(); done += count) run_tiles(batch, done, count, take);
      },
      [&](int smaller) {
        most_ = smaller;
        halved_ = true;
      });
}

// `count` tiles from `begin`; where fewer are left, the last one is repeated.
void TileRunner::run_tiles(const TileBatch& batch, std::size_t begin, std::size_t count,
                           const TakeTile& take) {
  std::vector<at::Tensor> inputs;
  for (std::size_t i = begin; i < begin + count; ++i)
    inputs.push_back(read(batch.tiles[std::min(i, batch.tiles.size() - 1)]));
  const std::size_t first = batch.tiles[begin];
  const at::Tensor result =
      forward(count == 1 ? inputs[0].unsqueeze(0).contiguous() : at::stack(inputs), first);
  const std::int64_t height = inputs[0].size(1) * plan_.scale, width = inputs[0].size(2) * plan_.scale;
  for (std::size_t i = begin; i < std::min(begin + count, batch.tiles.size()); ++i) {
    const at::Tensor whole = result[static_cast<std::int64_t>(i - begin)];
    std::tie(ranges_[2 * batch.tiles[i]], ranges_[2 * batch.tiles[i] + 1]) = at::aminmax(whole);
    take(batch.tiles[i], whole.narrow(1, 0, height).narrow(2, 0, width));
  }
  if (count == 1 || checked_) return;
  checked_ = CheckedTile{.index = first, .in_batch = result[0].clone()};
}

void TileRunner::require_finite() const {
  const at::Tensor ranges = at::stack(ranges_).cpu();
  const float* values = ranges.const_data_ptr<float>();
  const float* bad =
      std::find_if_not(values, values + ranges.numel(), [](float value) { return std::isfinite(value); });
  if (bad == values + ranges.numel()) return;
  const auto index = static_cast<std::size_t>(bad - values) / 2;
  throw std::runtime_error(
      fmt::format("{}: {} is not finite", upscaler_.info().name, tile_name(plan_, index)));
}

double TileRunner::difference_alone() const {
  if (!checked_) return 0;
  const at::Tensor alone = forward(read(checked_->index).unsqueeze(0).contiguous(), checked_->index)[0];
  return (alone - checked_->in_batch).abs().max().item<double>();
}

at::Tensor TileRunner::read(std::size_t index) const {
  const Span rows = plan_.rows[index / plan_.cols.size()].read,
             columns = plan_.cols[index % plan_.cols.size()].read;
  return image_.narrow(1, rows.begin, rows.size()).narrow(2, columns.begin, columns.size());
}

// batch: [N, 3, h, w], unpadded. The result covers the padded batch. first: the tile to name in an error.
at::Tensor TileRunner::forward(const at::Tensor& batch, std::size_t first) const {
  const at::Tensor input = padded(batch, rule_);
  at::Tensor result = forward_ ? forward_(input) : upscaler_.forward(input, plan_.scale);
  const std::vector<std::int64_t> expected{batch.size(0), 3, input.size(2) * plan_.scale,
                                           input.size(3) * plan_.scale};
  if (result.defined() && result.sizes() == at::IntArrayRef(expected) && result.scalar_type() == at::kFloat)
    return result;
  throw std::runtime_error(fmt::format("{}: {}: expected [{}] of Float, got {}", upscaler_.info().name,
                                       tile_name(plan_, first), fmt::join(expected, ", "),
                                       description(result)));
}

}  // namespace upbench
