#include "models/tiling/tile_merge.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace upbench {
namespace {

bool all_ones(const std::vector<TileAxis>& axis) {
  return std::ranges::all_of(axis, [](const TileAxis& tile) {
    return std::ranges::all_of(tile.weights, [](float weight) { return weight == 1.0f; });
  });
}

std::vector<at::Tensor> weights_of(const std::vector<TileAxis>& axis, at::IntArrayRef shape,
                                   const at::TensorOptions& options) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(axis.size());
  for (const TileAxis& tile : axis) tensors.push_back(at::tensor(tile.weights).view(shape).to(options));
  return tensors;
}

// The part of `tensor`, which begins at input pixel `origin` of dimension `dim`, that belongs to `span`.
at::Tensor part(const at::Tensor& tensor, std::int64_t dim, int origin, Span span, int scale) {
  return tensor.narrow(dim, std::int64_t{span.begin - origin} * scale, std::int64_t{span.size()} * scale);
}

}  // namespace

TileMerge::TileMerge(const TilePlan& plan, const at::TensorOptions& options)
    : plan_(plan), pasted_(all_ones(plan.rows) && all_ones(plan.cols)) {
  const std::int64_t scale = plan.scale;
  const std::vector<std::int64_t> shape{3, plan.rows.back().read.end * scale,
                                        plan.cols.back().read.end * scale};
  output_ = pasted_ ? at::empty(shape, options) : at::zeros(shape, options);
  if (pasted_) return;
  row_weights_ = weights_of(plan.rows, {-1, 1}, options);
  column_weights_ = weights_of(plan.cols, {1, -1}, options);
}

void TileMerge::add(std::size_t row, std::size_t column, const at::Tensor& tile) {
  const TileAxis &rows = plan_.rows[row], &columns = plan_.cols[column];
  const int scale = plan_.scale;
  at::Tensor into = part(part(output_, 1, 0, rows.keep, scale), 2, 0, columns.keep, scale);
  const at::Tensor kept =
      part(part(tile, 1, rows.read.begin, rows.keep, scale), 2, columns.read.begin, columns.keep, scale);
  if (pasted_) {
    into.copy_(kept);
  } else {
    into.addcmul_(kept, row_weights_[row] * column_weights_[column]);
  }
}

}  // namespace upbench
