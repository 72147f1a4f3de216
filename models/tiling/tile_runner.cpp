#include "models/tiling/tile_runner.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/device/fault.h"
#include "datasets/device/memory.h"
#include "datasets/device/pixels.h"

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
                       const PaddingRule& rule, int most, TileHooks hooks)
    : upscaler_(upscaler),
      image_(image),
      plan_(plan),
      rule_(rule),
      most_(std::max(most, 1)),
      hooks_(std::move(hooks)),
      batches_(batch_tiles(plan, static_cast<std::size_t>(most_))),
      checks_(plan.rows.size() * plan.cols.size()) {}

void TileRunner::run(const TakeTiles& take) {
  for (const TileBatch& batch : batches_) {
    std::size_t done = 0;
    try_twice([&] { run_batch(batch, done, take); }, batch.tiles[0]);
  }
  const auto largest = std::ranges::max_element(batches_, {}, &TileBatch::size);
  most_ = std::min(most_, static_cast<int>(largest->size));
}

void TileRunner::allocate(const std::function<void()>& work) const {
  try_twice(work, std::nullopt);
}

// tile: to name in an error.
void TileRunner::try_twice(const std::function<void()>& work, std::optional<std::size_t> tile) const {
  const std::string device = image_.device().str();
  if (!out_of_memory(device, work)) return;
  // Here the exception and what it held are gone.
  if (hooks_.make_room) hooks_.make_room();
  release_cached_memory(device);
  if (const auto again = out_of_memory(device, work))
    throw std::runtime_error(fmt::format("out of memory: {}: {}: {}", upscaler_.info().name,
                                         tile ? tile_name(plan_, *tile) : "the output", *again));
}

// done: tiles of the batch that were taken; they are not run again when memory runs out on the way.
void TileRunner::run_batch(const TileBatch& batch, std::size_t& done, const TakeTiles& take) {
  with_shrinking_batch(
      most_, image_.device().str(),
      [&](int most) {
        const std::size_t count = std::min(static_cast<std::size_t>(most), batch.size);
        for (; done < batch.tiles.size(); done += count) run_tiles(batch, done, count, take);
      },
      [&](int smaller) {
        most_ = smaller;
        halved_ = true;
      },
      hooks_.make_room);
}

// `count` tiles from `begin`; where fewer are left, the last one is repeated.
void TileRunner::run_tiles(const TileBatch& batch, std::size_t begin, std::size_t count,
                           const TakeTiles& take) {
  const std::span<const std::size_t> tiles =
      std::span(batch.tiles).subspan(begin, std::min(count, batch.tiles.size() - begin));
  const at::Tensor result = forward(input(tiles, count), tiles[0]);
  const TileSource size = source(tiles[0]);
  checks_.note_finite(tiles, result);
  take(tiles, result.narrow(2, 0, std::int64_t{size.height} * plan_.scale)
                  .narrow(3, 0, std::int64_t{size.width} * plan_.scale));
  if (count == 1 || checked_) return;
  checked_ = CheckedTile{.index = tiles[0], .in_batch = result[0].clone()};
}

double TileRunner::require_finite() const {
  const TileChecks::Answer answer = checks_.answer();
  if (!answer.not_finite) return answer.outside_share;
  throw NotFiniteError(
      fmt::format("{}: {} is not finite", upscaler_.info().name, tile_name(plan_, *answer.not_finite)));
}

double TileRunner::difference_alone() const {
  if (!checked_) return 0;
  const at::Tensor alone = forward(input({&checked_->index, 1}, 1), checked_->index)[0];
  return (alone - checked_->in_batch).abs().max().item<double>();
}

TileSource TileRunner::source(std::size_t index) const {
  const Span rows = plan_.rows[index / plan_.cols.size()].read,
             columns = plan_.cols[index % plan_.cols.size()].read;
  return {.y = rows.begin, .x = columns.begin, .height = rows.size(), .width = columns.size()};
}

// What the network gets: `count` tiles, padded; the last one is repeated where there are fewer.
at::Tensor TileRunner::input(std::span<const std::size_t> tiles, std::size_t count) const {
  if (const PixelKernels* table = kernels_for(kernel_choice().tiles, image_))
    return gathered(*table, tiles, count);
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < count; ++i) {
    const TileSource tile = source(tiles[std::min(i, tiles.size() - 1)]);
    parts.push_back(image_.narrow(1, tile.y, tile.height).narrow(2, tile.x, tile.width));
  }
  return padded(count == 1 ? parts[0].unsqueeze(0).contiguous() : at::stack(parts), rule_);
}

at::Tensor TileRunner::gathered(const PixelKernels& table, std::span<const std::size_t> tiles,
                                std::size_t count) const {
  std::vector<TileSource> sources;
  for (std::size_t i = 0; i < count; ++i) sources.push_back(source(tiles[std::min(i, tiles.size() - 1)]));
  const at::Tensor batch =
      at::empty({static_cast<std::int64_t>(count), 3, padded_side(sources[0].height, rule_),
                 padded_side(sources[0].width, rule_)},
                image_.options());
  const at::Tensor list = kernels::on_device(std::span<const TileSource>(sources), image_.device());
  kernels::gather_tiles(table, image_, list, 0, rule_.mirrored, batch);
  return batch;
}

// The result covers the padded batch. first: the tile to name in an error.
at::Tensor TileRunner::forward(const at::Tensor& input, std::size_t first) const {
  at::Tensor result = hooks_.forward ? hooks_.forward(input) : upscaler_.forward(input, plan_.scale);
  const std::vector<std::int64_t> expected{input.size(0), 3, input.size(2) * plan_.scale,
                                           input.size(3) * plan_.scale};
  if (result.defined() && result.sizes() == at::IntArrayRef(expected) && result.scalar_type() == at::kFloat)
    return result;
  throw std::runtime_error(fmt::format("{}: {}: expected [{}] of Float, got {}", upscaler_.info().name,
                                       tile_name(plan_, first), fmt::join(expected, ", "),
                                       description(result)));
}

}  // namespace upbench
