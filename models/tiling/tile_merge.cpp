#include "models/tiling/tile_merge.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "datasets/device/pixels.h"

namespace upbench {
namespace {

bool all_ones(const std::vector<TileAxis>& axis) {
  return std::ranges::all_of(axis, [](const TileAxis& tile) {
    return std::ranges::all_of(tile.weights, [](float weight) { return weight == 1.0f; });
  });
}

std::vector<float> joined_weights(const std::vector<TileAxis>& axis) {
  std::vector<float> all;
  for (const TileAxis& tile : axis) all.insert(all.end(), tile.weights.begin(), tile.weights.end());
  return all;
}

// The part of `tensor`, which begins at input pixel `origin` of dimension `dim`, that belongs to `span`.
at::Tensor part(const at::Tensor& tensor, std::int64_t dim, int origin, Span span, int scale) {
  return tensor.narrow(dim, std::int64_t{span.begin - origin} * scale, std::int64_t{span.size()} * scale);
}

}  // namespace

// all: on the tiles' device; shape: of one tile's.
TileMerge::Weights::Weights(at::Tensor joined, const std::vector<TileAxis>& axis, at::IntArrayRef shape)
    : all(std::move(joined)) {
  int begin = 0;
  for (const TileAxis& tile : axis) {
    const auto length = static_cast<int>(tile.weights.size());
    begins.push_back(begin);
    of_tile.push_back(all.narrow(0, begin, length).view(shape));
    begin += length;
  }
}

TileMerge::TileMerge(const TilePlan& plan, const at::TensorOptions& options)
    : plan_(plan),
      pasted_(all_ones(plan.rows) && all_ones(plan.cols)),
      added_(plan.rows.size() * plan.cols.size()) {
  const std::int64_t scale = plan.scale;
  const std::vector<std::int64_t> shape{3, plan.rows.back().read.end * scale,
                                        plan.cols.back().read.end * scale};
  output_ = pasted_ ? at::empty(shape, options) : at::zeros(shape, options);
  if (pasted_) return;
  std::vector<float> weights = joined_weights(plan.rows);
  const std::vector<float> of_columns = joined_weights(plan.cols);
  const auto rows = static_cast<std::int64_t>(weights.size()),
             columns = static_cast<std::int64_t>(of_columns.size());
  weights.insert(weights.end(), of_columns.begin(), of_columns.end());
  const at::Tensor there =
      kernels::on_device(std::span<const float>(weights), options.device()).view(at::kFloat);
  row_weights_ = Weights(there.narrow(0, 0, rows), plan.rows, {-1, 1});
  column_weights_ = Weights(there.narrow(0, rows, columns), plan.cols, {1, -1});
}

at::Tensor TileMerge::kept(std::size_t index, const at::Tensor& tile) const {
  const TileAxis &rows = plan_.rows[index / plan_.cols.size()],
                 &columns = plan_.cols[index % plan_.cols.size()];
  return part(part(tile, 1, rows.read.begin, rows.keep, plan_.scale), 2, columns.read.begin, columns.keep,
              plan_.scale);
}

void TileMerge::add(std::size_t row, std::size_t column, const at::Tensor& tile) {
  const std::size_t index = row * plan_.cols.size() + column;
  if (added_[index]) return;
  const int scale = plan_.scale;
  at::Tensor into =
      part(part(output_, 1, 0, plan_.rows[row].keep, scale), 2, 0, plan_.cols[column].keep, scale);
  if (pasted_) {
    into.copy_(kept(index, tile));
  } else {
    const at::Tensor values = kept(index, tile).clamp(0, 1),
                     weights = row_weights_.of_tile[row] * column_weights_.of_tile[column];
    into.addcmul_(values, weights);  // takes no memory: it happens wholly or not at all
  }
  added_[index] = true;
}

void TileMerge::add(std::span<const std::size_t> tiles, const at::Tensor& batch) {
  if (const PixelKernels* table = kernels_for(kernel_choice().tiles, batch)) {
    scatter(*table, tiles, batch);
    return;
  }
  for (std::size_t i = 0; i < tiles.size(); ++i)
    add(tiles[i] / plan_.cols.size(), tiles[i] % plan_.cols.size(), batch[static_cast<std::int64_t>(i)]);
}

void TileMerge::scatter(const PixelKernels& table, std::span<const std::size_t> tiles,
                        const at::Tensor& batch) {
  if (std::ranges::any_of(tiles, [&](std::size_t tile) { return added_[tile]; })) return;
  const int scale = plan_.scale;
  std::vector<TileTarget> targets;
  int row_begin = static_cast<int>(output_.size(1)), row_end = 0;
  for (const std::size_t tile : tiles) {
    const std::size_t r = tile / plan_.cols.size(), c = tile % plan_.cols.size();
    const TileAxis &row = plan_.rows[r], &column = plan_.cols[c];
    const TileTarget& target =
        targets.emplace_back(TileTarget{.y = row.keep.begin * scale,
                                        .x = column.keep.begin * scale,
                                        .height = row.keep.size() * scale,
                                        .width = column.keep.size() * scale,
                                        .tile_y = (row.keep.begin - row.read.begin) * scale,
                                        .tile_x = (column.keep.begin - column.read.begin) * scale,
                                        .row_weights = pasted_ ? 0 : row_weights_.begins[r],
                                        .column_weights = pasted_ ? 0 : column_weights_.begins[c]});
    row_begin = std::min(row_begin, target.y);
    row_end = std::max(row_end, target.y + target.height);
  }
  const at::Tensor list = kernels::on_device(std::span<const TileTarget>(targets), batch.device());
  kernels::scatter_tiles(table, batch.narrow(0, 0, static_cast<std::int64_t>(tiles.size())), list, 0,
                         row_weights_.all, column_weights_.all, row_begin, row_end, output_);
  for (const std::size_t tile : tiles) added_[tile] = true;
}

}  // namespace upbench
