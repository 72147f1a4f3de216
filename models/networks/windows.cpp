#include "models/networks/windows.h"

#include <algorithm>
#include <string>

#include <ATen/ATen.h>

namespace upbench {

at::Tensor to_tokens(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).contiguous();
}

at::Tensor from_tokens(const at::Tensor& tokens) {
  return tokens.permute({0, 3, 1, 2});  // channels last in memory, as convolutions like it
}

// at::roll goes over the tokens once for each direction.
at::Tensor rolled(const at::Tensor& tokens, std::int64_t down, std::int64_t right) {
  if (down == 0 && right == 0) return tokens;
  if (!tokens.is_cpu() || tokens.requires_grad()) return tokens.roll({down, right}, {1, 2});
  const std::int64_t height = tokens.size(1), width = tokens.size(2);
  const auto wrapped = [](std::int64_t shift, std::int64_t side) { return ((shift % side) + side) % side; };
  const std::int64_t y = wrapped(down, height), x = wrapped(right, width);
  const at::Tensor result = at::empty(tokens.sizes(), tokens.options());
  const auto move = [&](std::int64_t from_y, std::int64_t to_y, std::int64_t rows) {
    const auto block = [&](const at::Tensor& t, std::int64_t first_row, std::int64_t column,
                           std::int64_t columns) {
      return t.narrow(1, first_row, rows).narrow(2, column, columns);
    };
    block(result, to_y, x, width - x).copy_(block(tokens, from_y, 0, width - x));
    block(result, to_y, 0, x).copy_(block(tokens, from_y, width - x, x));
  };
  move(0, y, height - y);
  move(height - y, 0, y);
  return result;
}

at::Tensor to_windows(const at::Tensor& tokens, std::int64_t height, std::int64_t width) {
  return tokens.unfold(1, height, height)
      .unfold(2, width, width)  // [N, H / height, W / width, C, height, width]
      .permute({0, 1, 2, 4, 5, 3})
      .reshape({-1, height * width, tokens.size(3)});
}

at::Tensor from_windows(const at::Tensor& windows, std::int64_t height, std::int64_t width,
                        const at::Tensor& tokens) {
  const std::int64_t count = tokens.size(0), rows = tokens.size(1), columns = tokens.size(2);
  return windows.reshape({count, rows / height, columns / width, height, width, windows.size(2)})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({count, rows, columns, windows.size(2)});
}

at::Tensor reflected_to(const at::Tensor& x, std::int64_t dim, std::int64_t length) {
  const std::int64_t side = x.size(dim);
  if (length == side) return x;
  const std::int64_t period = std::max<std::int64_t>(2 * (side - 1), 1);
  const at::Tensor forth = at::arange(length, at::device(x.device()).dtype(at::kLong)).remainder(period);
  return x.index_select(dim, at::minimum(forth, (period - forth).remainder(period)));
}

at::Tensor relative_offsets(std::int64_t height, std::int64_t width) {
  const auto grid = at::meshgrid({at::arange(1 - height, height), at::arange(1 - width, width)}, "ij");
  return at::stack({grid[0].flatten(), grid[1].flatten()}, 1).to(at::kFloat);
}

at::Tensor relative_index(std::int64_t height, std::int64_t width) {
  const auto grid = at::meshgrid({at::arange(height), at::arange(width)}, "ij");
  const auto differences = [](const at::Tensor& positions) {
    return positions.flatten().unsqueeze(1) - positions.flatten().unsqueeze(0);
  };
  return (differences(grid[0]) + height - 1) * (2 * width - 1) + differences(grid[1]) + width - 1;
}

at::Tensor dynamic_position_bias(Layers& layers, const std::string& name, const at::Tensor& offsets,
                                 std::int64_t inner, std::int64_t heads) {
  at::Tensor bias = layers.linear(name + ".pos_proj", offsets, inner);
  for (const char* step : {".pos1", ".pos2", ".pos3"})
    bias = layers.linear(name + step + ".2",
                         layers.activated(layers.layer_norm(name + step + ".0", bias), kRelu),
                         step == std::string(".pos3") ? heads : inner);
  return bias;
}

at::Tensor same_head(std::int64_t channels, std::int64_t heads, double value, const at::Tensor& like) {
  const at::Tensor head =
      at::arange(channels, at::device(like.device()).dtype(at::kLong)).floor_divide(channels / heads);
  return head.unsqueeze(0).eq(head.unsqueeze(1)).to(like.scalar_type()).mul_(value);
}

at::Tensor perceptron(Layers& layers, const std::string& name, const at::Tensor& tokens, std::int64_t hidden,
                      const at::Tensor& plus) {
  return layers.linear(name + ".fc2", layers.linear(name + ".fc1", tokens, hidden, kGelu), tokens.size(-1),
                       {}, plus);
}

at::Tensor div2k_mean(Layers& layers, const at::Tensor& x) {
  return layers.constant("mean of DIV2K", [&] {
    return at::tensor({0.4488, 0.4371, 0.4040}, at::kDouble).reshape({1, 3, 1, 1}).to(x.options());
  });
}

}  // namespace upbench
