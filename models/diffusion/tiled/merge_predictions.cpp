#include "models/diffusion/tiled/merge_predictions.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace upbench {
namespace {

at::Tensor weights_of(const std::vector<double>& weights, const at::Tensor& like) {
  return at::tensor(weights, at::TensorOptions(at::kDouble)).to(like.device(), at::kFloat);
}

}  // namespace

at::Tensor LatentWindow::of(const at::Tensor& whole, std::int64_t scale) const {
  return whole.slice(2, top * scale, (top + height) * scale).slice(3, left * scale, (left + width) * scale);
}

std::vector<LatentWindow> windows_of(const FusedGrid& grid) {
  std::vector<LatentWindow> windows;
  for (const int top : grid.rows.begins)
    for (const int left : grid.columns.begins)
      windows.push_back({left, top, grid.columns.size, grid.rows.size});
  return windows;
}

at::Tensor merge_predictions(const at::Tensor& x, const FusedGrid& grid, std::int64_t batch,
                             const PredictWindows& predict) {
  const std::vector<LatentWindow> windows = windows_of(grid);
  const std::size_t columns = grid.columns.begins.size(),
                    most = static_cast<std::size_t>(std::max<std::int64_t>(1, batch));
  at::Tensor merged = at::zeros_like(x, at::kFloat);
  for (std::size_t first = 0; first < windows.size(); first += most) {
    const std::size_t end = std::min(first + most, windows.size());
    const at::Tensor made = predict({windows.begin() + static_cast<std::ptrdiff_t>(first),
                                     windows.begin() + static_cast<std::ptrdiff_t>(end)})
                                .to(at::kFloat);
    for (std::size_t i = first; i < end; ++i) {
      const at::Tensor weight = weights_of(grid.rows.weights[i / columns], x).unsqueeze(1) *
                                weights_of(grid.columns.weights[i % columns], x);
      const auto own = static_cast<std::int64_t>(i - first) * x.size(0);
      windows[i].of(merged).add_(made.narrow(0, own, x.size(0)) * weight);
    }
  }
  return merged;
}

}  // namespace upbench
