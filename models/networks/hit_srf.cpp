#include "models/networks/hit_srf.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/networks/derive.h"
#include "models/networks/windows.h"

namespace upbench {
namespace {

constexpr std::int64_t kBase = 8;  // the side that values are projected to within larger windows
constexpr Activation kLeaky = leaky_relu_of(0.2);

// The bias between the positions of a window and its base x base cells, the mean of that to each position of
// a cell: [heads, window^2, base^2]. A cell's offsets are neighbours, so that their mean is a box filter over
// the table of offsets; the full table would be (64^2)^2 numbers a head.
at::Tensor cell_bias(Layers& layers, const std::string& name, std::int64_t window, std::int64_t base,
                     const at::Tensor& like, const HitSrfShape& shape) {
  const std::int64_t ratio = window / base, side = 2 * window - 1;
  return layers.constant(name, [&] {
    const at::Tensor table =
        dynamic_position_bias(layers, name, relative_offsets(window, window).to(like.options()),
                              shape.position, shape.heads)
            .t()
            .reshape({shape.heads, side, side});
    const at::Tensor means = at::avg_pool2d(table, ratio, 1);
    const auto positions = at::device(like.device()).dtype(at::kLong);
    const at::Tensor of = at::arange(window, positions).unsqueeze(1),
                     cell = at::arange(base, positions).unsqueeze(0);
    const at::Tensor first = (of - cell * ratio - (ratio - 1) + window - 1).flatten();
    return means.index_select(1, first)
        .index_select(2, first)
        .reshape({shape.heads, window, base, window, base})
        .permute({0, 1, 3, 2, 4})
        .reshape({shape.heads, window * window, base * base});
  });
}

at::Tensor queries_and_values(Layers& layers, const std::string& name, const at::Tensor& tokens,
                              const HitSrfShape& shape) {
  const at::Tensor x = from_tokens(tokens);
  at::Tensor y = layers.conv(name + ".conv.0", x, shape.squeezed, {.kernel = 1, .then = kLeaky});
  y = layers.conv(name + ".conv.2", y, shape.squeezed, {.then = kLeaky});
  y = layers.conv(name + ".conv.4", y, shape.features, {.kernel = 1});
  return to_tokens(layers.conv(name + ".linear", x, shape.features, {.kernel = 1, .times = y}));
}

// v: [windows, window^2, C] -> [windows, cells, C], the weighed sum of each cell's positions.
at::Tensor sums_of_cells(Layers& layers, const std::string& name, const at::Tensor& v, std::int64_t window,
                         std::int64_t base) {
  const std::int64_t ratio = window / base, features = v.size(2);
  const at::Tensor cells = v.reshape({-1, base, ratio, base, ratio, features})
                               .permute({0, 1, 3, 5, 2, 4})
                               .reshape({-1, base * base, features, ratio * ratio});
  return layers.linear(name + "spatial_linear", cells, 1).squeeze(-1);
}

// q, v and the result: [windows, window^2, C]. With the cells' sums p, the published (q p^T / width + bias) p
// of each head is computed as q (p^T p) / width + bias p, which is less work.
at::Tensor spatial_correlation(Layers& layers, const std::string& name, const at::Tensor& q,
                               const at::Tensor& v, std::int64_t window, const HitSrfShape& shape) {
  const std::int64_t base = std::min(window, kBase), features = v.size(2), width = features / shape.heads,
                     windows = v.size(0), length = v.size(1);
  const at::Tensor p = sums_of_cells(layers, name, v, window, base);
  const at::Tensor bias = cell_bias(layers, name + "pos", window, base, v, shape);
  return layers.counted(q.sizes().vec(), 2.0 * static_cast<double>(q.numel() * base * base), [&] {
    const at::Tensor heads = layers.constant(
        "heads", [&] { return same_head(features, shape.heads, 1 / static_cast<double>(width), v); });
    const at::Tensor biased =
        at::bmm(bias, p.reshape({windows, base * base, shape.heads, width}).permute({2, 1, 0, 3}).flatten(2));
    at::Tensor y = at::bmm(q, at::bmm(p.transpose(1, 2), p).mul_(heads));
    y.view({windows, length, shape.heads, width})
        .add_(biased.view({shape.heads, length, windows, width}).permute({2, 1, 0, 3}));
    return y;
  });
}

// All [windows, window^2, C].
at::Tensor channel_correlation(Layers& layers, const at::Tensor& q, const at::Tensor& v) {
  const at::Tensor correlation = layers.matmul(v.transpose(-2, -1), q);
  return layers.matmul(v, correlation / static_cast<double>(q.size(1)));
}

at::Tensor correlation(Layers& layers, const std::string& name, const at::Tensor& tokens, std::int64_t window,
                       const HitSrfShape& shape) {
  const auto whole_windows = [&](std::int64_t side) { return (side + window - 1) / window * window; };
  const at::Tensor input =
      reflected_to(reflected_to(tokens, 1, whole_windows(tokens.size(1))), 2, whole_windows(tokens.size(2)));
  const std::int64_t half = shape.features / 2;
  const at::Tensor windows =
      to_windows(queries_and_values(layers, name + "qv", input, shape), window, window);
  const at::Tensor q = windows.narrow(2, 0, half), v = windows.narrow(2, half, half);
  const at::Tensor both =
      at::cat({spatial_correlation(layers, name, q, v, window, shape), channel_correlation(layers, q, v)}, 2);
  const at::Tensor merged = from_windows(both, window, window, input);
  return layers.linear(name + "proj", merged.narrow(1, 0, tokens.size(1)).narrow(2, 0, tokens.size(2)),
                       shape.features);
}

at::Tensor mixed(Layers& layers, const std::string& name, const at::Tensor& tokens,
                 const HitSrfShape& shape) {
  const at::Tensor y = layers.linear(name + "fc1", tokens, shape.hidden, kGelu);
  const at::Tensor near =
      layers.depthwise(name + "dwconv.depthwise_conv.0", from_tokens(y), {.kernel = 5, .then = kGelu});
  return layers.linear(name + "fc2", layers.sum(to_tokens(near), y), shape.features);
}

at::Tensor hit_srf(Layers& layers, const at::Tensor& x, const HitSrfShape& shape) {
  const at::Tensor mean = div2k_mean(layers, x), first = layers.conv("conv_first", x - mean, shape.features);
  at::Tensor tokens = layers.layer_norm("patch_embed.norm", to_tokens(first));
  for (int g = 0; g < shape.groups; ++g) {
    const at::Tensor before = tokens;
    for (std::size_t b = 0; b < shape.windows.size(); ++b) {
      const std::string block = fmt::format("layers.{}.residual_group.blocks.{}.", g, b);
      const at::Tensor correlated =
          correlation(layers, block + "correlation.", tokens, shape.windows[b], shape);
      tokens = layers.sum(layers.layer_norm(block + "norm1", correlated), tokens);
      tokens = layers.sum(layers.layer_norm(block + "norm2", mixed(layers, block + "mlp.", tokens, shape)),
                          tokens);
    }
    tokens = to_tokens(layers.conv(fmt::format("layers.{}.conv", g), from_tokens(tokens), shape.features,
                                   {.plus = from_tokens(before)}));
  }
  const at::Tensor deep = layers.conv("conv_after_body", from_tokens(layers.layer_norm("norm", tokens)),
                                      shape.features, {.plus = first});
  return layers.shuffled_conv("upsample.0", deep, shape.scale) + mean;
}

NetworkDefinition definition(const HitSrfShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return hit_srf(layers, x, shape); };
}

// spatial_linear of a block says how many positions of its window a cell has: the window in units of the
// base, which no file tells. Two blocks with one each: the authors' first window is half the base. Nothing
// where shapes tell no windows.
std::vector<std::int64_t> windows_of(const NamedTensors& tensors, std::int64_t blocks) {
  std::vector<std::int64_t> windows;
  for (int b = 0; b < blocks; ++b) {
    const std::int64_t positions = linear_size(
        tensors, fmt::format("layers.0.residual_group.blocks.{}.correlation.spatial_linear", b), 1);
    const auto ratio = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(positions))));
    if (ratio < 1 || ratio > kBase || ratio * ratio != positions) return {};
    windows.push_back(ratio * kBase);
  }
  if (windows.size() > 1 && windows[0] == kBase && windows[1] == kBase) windows[0] = kBase / 2;
  return windows;
}

}  // namespace

std::optional<NetworkMatch> match_hit_srf(const NamedTensors& tensors) {
  const std::string first = "layers.0.residual_group.blocks.0.";
  if (linear_size(tensors, first + "correlation.spatial_linear", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "HiT-SRF";
  const std::string scale = set_scale(match, tensors, "upsample.0");
  const std::int64_t blocks = count_blocks(tensors, "layers.0.residual_group.blocks.", 0);
  HitSrfShape shape{.features = conv_size(tensors, "conv_first", 0),
                    .squeezed = conv_size(tensors, first + "correlation.qv.conv.0", 0),
                    .hidden = linear_size(tensors, first + "mlp.fc1", 0),
                    .position = linear_size(tensors, first + "correlation.pos.pos_proj", 0),
                    .heads = linear_size(tensors, first + "correlation.pos.pos3.2", 0),
                    .groups = count_blocks(tensors, "layers.", 0),
                    .windows = {},
                    .scale = match.scale};
  set_hyper_parameters(match, {{"features", shape.features, kMostTransformerChannels},
                               {"squeezed", shape.squeezed, kMostTransformerChannels},
                               {"hidden", shape.hidden, kMostTransformerChannels},
                               {"position", shape.position, kMostTransformerChannels},
                               {"heads", shape.heads, kMostTransformerChannels},
                               {"groups", shape.groups, kMostTransformerBlocks},
                               {"blocks of a group", blocks, kMostTransformerBlocks}});
  if (match.problem.empty()) {
    shape.windows = windows_of(tensors, blocks);
    if (shape.windows.empty())
      match.problem =
          "no spatial_linear of its blocks takes 1, 4, 9, ... 64 positions, which tells the window";
    else if (shape.features % (2 * shape.heads) != 0)
      match.problem =
          fmt::format("features is {}, expected a multiple of 2 x {} heads", shape.features, shape.heads);
  }
  match.hyper_parameters.emplace_back("windows", fmt::format("{}", fmt::join(shape.windows, " ")));
  const bool is_halved = !shape.windows.empty() && shape.windows[0] < kBase;
  match.hyper_parameters.emplace_back("base window",
                                      fmt::format("{}{}, as the authors'; not in the file", kBase,
                                                  is_halved ? ", half of it in the first block" : ""));
  match.recognised_by = fmt::format(
      "layers.0.residual_group.blocks.0.correlation.spatial_linear: spatial and channel correlation of {} "
      "features "
      "in {} windows; {} groups; {}",
      shape.features, blocks, shape.groups, scale);
  match.supports_half = false;  // the sums over the positions of its larger windows overflow in fp16
  if (match.problem.empty()) define(match, definition(shape));
  return match;
}

Layout hit_srf_layout(const HitSrfShape& shape) {
  return layout_of(definition(shape));
}

}  // namespace upbench
