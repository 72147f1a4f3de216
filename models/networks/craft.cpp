#include "models/networks/craft.h"

#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/derive.h"
#include "models/networks/kernels.h"
#include "models/networks/windows.h"

namespace upbench {
namespace {

// Windows of one orientation. Offsets are the file's: those of the authors' release are not of the order that
// their code would make.
struct Rectangle {
  std::int64_t height, width;
  at::Tensor offsets, index;
};

Rectangle rectangle(Layers& layers, const char* letter, std::int64_t height, std::int64_t width) {
  const Rectangle made{
      height, width,
      layers.parameter(fmt::format("biases_{}", letter), {(2 * height - 1) * (2 * width - 1), 2}),
      relative_index(height, width)};
  layers.computed(fmt::format("relative_position_index_{}", letter), made.index);
  return made;
}

// Over channels of x [N, C, H, W].
at::Tensor channel_norm(Layers& layers, const std::string& name, const at::Tensor& x) {
  return from_tokens(layers.layer_norm(name + ".body", to_tokens(x)));
}

// [heads, L, L] for L positions of a window. Each block has two branches of half the heads, one an
// orientation.
at::Tensor position_bias(Layers& layers, const std::string& name, const Rectangle& window,
                         const CraftShape& shape) {
  const std::int64_t length = window.height * window.width, heads = shape.heads / 2;
  return dynamic_position_bias(layers, name + ".pos", window.offsets, shape.position, heads)
      .index_select(0, window.index.flatten().to(window.offsets.device()))
      .reshape({length, length, heads})
      .permute({2, 0, 1})
      .contiguous();
}

// Shifted blocks work on windows that lie half a window off; they wrap around the picture, as the authors'
// do.
AttentionWindows windows_of(const Rectangle& window, bool shifted) {
  return {window.height, window.width, shifted ? window.height / 2 : 0, shifted ? window.width / 2 : 0};
}

// qkv: [N, H, W, 3 C], queries, keys and values, of which those of C / 2 channels from `first` on are used.
at::Tensor window_attention(Layers& layers, const std::string& name, const at::Tensor& qkv,
                            std::int64_t first, bool shifted, const Rectangle& window,
                            const CraftShape& shape) {
  const AttentionWindows windows = windows_of(window, shifted);
  const std::int64_t length = window.height * window.width, heads = shape.heads / 2,
                     width = shape.features / shape.heads;
  const auto part = [&](std::int64_t k) {
    const at::Tensor own = qkv.narrow(3, k * shape.features + first, shape.features / 2);
    return to_windows(rolled(own, -windows.down, -windows.right), window.height, window.width)
        .reshape({-1, length, heads, width})
        .transpose(1, 2);
  };
  const at::Tensor bias =
      layers.constant(name + ".pos", [&] { return position_bias(layers, name, window, shape); });
  const at::Tensor q = part(0), k = part(1), v = part(2);
  const at::Tensor attended = layers.counted(
      q.sizes().vec(), 2.0 * static_cast<double>(q.numel() * length),
      [&] { return at::scaled_dot_product_attention(q, k, v, bias.expand({q.size(0), -1, -1, -1})); });
  return rolled(from_windows(attended.transpose(1, 2).flatten(2), window.height, window.width, qkv),
                windows.down, windows.right);
}

// Both orientations, [N, H, W, C].
at::Tensor attended(Layers& layers, const std::string& prefix, const at::Tensor& qkv, bool shifted,
                    const std::array<Rectangle, 2>& windows, const CraftShape& shape) {
  const std::int64_t half = shape.features / 2;
  const auto name = [&](std::size_t k) { return fmt::format("{}attns.{}", prefix, k); };
  if (!window_attention_takes(qkv))
    return at::cat({window_attention(layers, name(0), qkv, 0, shifted, windows[0], shape),
                    window_attention(layers, name(1), qkv, half, shifted, windows[1], shape)},
                   3);
  const auto bias = [&](std::size_t k) {
    return layers.constant(name(k) + ".pos", [&] {
      return window_attention_bias(position_bias(layers, name(k), windows[k], shape));
    });
  };
  const std::array<at::Tensor, 2> biases{bias(0), bias(1)};
  const std::vector<std::int64_t> sizes{qkv.size(0), qkv.size(1), qkv.size(2), shape.features};
  const std::int64_t length = windows[0].height * windows[0].width;
  return layers.counted(sizes, 2.0 * static_cast<double>(qkv.numel()) / 3 * static_cast<double>(length), [&] {
    const at::Tensor out = at::empty(sizes, qkv.options());
    for (std::size_t k = 0; k < 2; ++k)
      windowed_attention(qkv, windows_of(windows[k], shifted), shape.heads / 2, biases[k],
                         static_cast<std::int64_t>(k) * half, half, out);
    return out;
  });
}

at::Tensor rectangle_block(Layers& layers, const std::string& prefix, const at::Tensor& tokens, bool shifted,
                           const std::array<Rectangle, 2>& windows, const CraftShape& shape) {
  const std::int64_t features = shape.features;
  const at::Tensor qkv =
      layers.linear(prefix + "qkv", layers.layer_norm(prefix + "norm1", tokens), 3 * features);
  const at::Tensor values = from_tokens(qkv.narrow(3, 2 * features, features));
  const at::Tensor both = layers.sum(attended(layers, prefix, qkv, shifted, windows, shape),
                                     to_tokens(layers.depthwise(prefix + "get_v", values)));
  const at::Tensor y = layers.linear(prefix + "proj", both, features, {}, tokens);
  return perceptron(layers, prefix + "mlp", layers.layer_norm(prefix + "norm2", y), shape.hidden, y);
}

at::Tensor high_frequency_block(Layers& layers, const std::string& prefix, const at::Tensor& x,
                                const CraftShape& shape) {
  const std::int64_t half = shape.features / 2;
  const at::Tensor local = layers.conv(prefix + "conv", x.narrow(1, 0, half), half, {.then = kGelu});
  const at::Tensor maxima = at::max_pool2d(x.narrow(1, half, half), 3, 1, 1);
  const at::Tensor high = layers.conv(prefix + "fc", maxima, half, {.kernel = 1, .then = kGelu});
  return layers.conv(prefix + "last_fc", at::cat({local, high}, 1), shape.features, {.kernel = 1, .plus = x});
}

// Of the channels of a to those of b [N, C, H, W], as vectors over all pixels: [N, C, C].
at::Tensor cosines(const at::Tensor& a, const at::Tensor& b) {
  constexpr double kLeast = 1e-12;
  const auto pixels = [](const at::Tensor& x) { return x.permute({0, 2, 3, 1}).flatten(1, 2); };
  if (a.scalar_type() != at::kFloat) {  // sums over a picture are too large for half precision
    const auto unit = [&](const at::Tensor& x) {
      return pixels(x) / at::linalg_vector_norm(pixels(x), 2, 1, /*keepdim=*/true).clamp_min(kLeast);
    };
    return at::bmm(unit(a).transpose(1, 2), unit(b));
  }
  // ATen's norm along a dimension that is not the last goes number by number.
  const auto length = [&](const at::Tensor& x) { return pixels(x).square().sum(1).sqrt().clamp_min(kLeast); };
  return at::bmm(pixels(a).transpose(1, 2), pixels(b)).div_(length(a).unsqueeze(2) * length(b).unsqueeze(1));
}

// Queries from `high`, keys and values from `low`; `sum` is added.
at::Tensor channel_attention(Layers& layers, const std::string& prefix, const at::Tensor& low,
                             const at::Tensor& high, const at::Tensor& sum, const CraftShape& shape) {
  const std::int64_t features = shape.features;
  const auto projected = [&](const std::string& name, const at::Tensor& x, std::int64_t outputs) {
    return layers.depthwise(prefix + name + "_dwconv",
                            layers.conv(prefix + name, x, outputs, {.kernel = 1, .bias = false}),
                            {.bias = false});
  };
  const at::Tensor q = projected("q", high, features), kv = projected("kv", low, 2 * features);
  const at::Tensor temperature = layers.parameter(prefix + "temperature", {shape.heads, 1, 1});
  const at::Tensor weight = layers.parameter(prefix + "project_out.weight", {features, features, 1, 1});
  const std::int64_t width = features / shape.heads;
  const auto products = static_cast<double>(2 * width + features);
  return layers.counted(low.sizes().vec(), static_cast<double>(low.numel()) * products, [&] {
    const at::Tensor correlation = cosines(q, kv.narrow(1, 0, features));
    const at::Tensor other_head =
        layers.constant("other heads", [&] { return same_head(features, shape.heads, 1, q).eq(0); });
    const at::Tensor factors = temperature.flatten().repeat_interleave(features / shape.heads).unsqueeze(1);
    const at::Tensor scores =
        (correlation * factors).masked_fill(other_head, -std::numeric_limits<double>::infinity()).softmax(-1);
    // The projection of a weighed sum of values is one convolution of them, with weights of its own for each
    // picture.
    std::vector<at::Tensor> pictures;
    for (std::int64_t n = 0; n < low.size(0); ++n)
      pictures.push_back(
          convolution({.weight = at::mm(weight.flatten(1), scores[n]).reshape({features, features, 1, 1})},
                      kv.narrow(0, n, 1).narrow(1, features, features), {.plus = sum.narrow(0, n, 1)}));
    return pictures.size() == 1 ? pictures[0] : at::cat(pictures);
  });
}

at::Tensor fusion_block(Layers& layers, const std::string& prefix, const at::Tensor& low,
                        const at::Tensor& high, const CraftShape& shape) {
  const at::Tensor x = channel_attention(layers, prefix + "attn.",
                                         channel_norm(layers, prefix + "norm1", low), high, low, shape);
  const at::Tensor inside = layers.conv(prefix + "ffn.project_in", channel_norm(layers, prefix + "norm2", x),
                                        2 * shape.gated, {.kernel = 1, .bias = false});
  const at::Tensor weight = layers.parameter(prefix + "ffn.dwconv.weight", {2 * shape.gated, 1, 3, 3});
  const std::int64_t pixels = x.size(0) * x.size(2) * x.size(3);
  const at::Tensor y = layers.counted(
      {x.size(0), shape.gated, x.size(2), x.size(3)}, static_cast<double>(18 * pixels * shape.gated), [&] {
        const auto filtered = [&](std::int64_t k, const Following& following) {
          const std::int64_t first = k * shape.gated;
          return convolution({.weight = weight.narrow(0, first, shape.gated),
                              .bias = {},
                              .padding = 1,
                              .groups = shape.gated},
                             inside.narrow(1, first, shape.gated), following);
        };
        return filtered(1, {.times = filtered(0, {.then = kGelu})});
      });
  return layers.conv(prefix + "ffn.project_out", y, shape.features, {.kernel = 1, .bias = false, .plus = x});
}

at::Tensor craft(Layers& layers, const at::Tensor& x, const CraftShape& shape) {
  const std::array<Rectangle, 2> windows{rectangle(layers, "h", shape.across, shape.along),
                                         rectangle(layers, "v", shape.along, shape.across)};
  const at::Tensor mean = div2k_mean(layers, x), first = layers.conv("conv_first", x - mean, shape.features);
  at::Tensor y = first;
  for (int g = 0; g < shape.groups; ++g) {
    const at::Tensor before = y;
    const std::string group = fmt::format("layers.{}.", g), inner = group + "residual_group.";
    for (int d = 0; d < shape.depth; ++d) {
      at::Tensor tokens = to_tokens(y);
      for (int shifted = 0; shifted < 2; ++shifted)
        tokens = rectangle_block(layers, fmt::format("{}srwa_blocks.{}.", inner, 2 * d + shifted), tokens,
                                 shifted == 1, windows, shape);
      const at::Tensor high =
          high_frequency_block(layers, fmt::format("{}hfer_blocks.{}.", inner, d), y, shape);
      y = fusion_block(layers, fmt::format("{}hf_blocks.{}.", inner, d), from_tokens(tokens), high, shape);
    }
    y = layers.conv(group + "conv", y, shape.features, {.plus = before});
  }
  y = layers.conv("conv_after_body", channel_norm(layers, "norm", y), shape.features, {.plus = first});
  return layers.shuffled_conv("upsample.0", y, shape.scale) + mean;
}

NetworkDefinition definition(const CraftShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return craft(layers, x, shape); };
}

// From area = across * along, the side of relative_position_index_h, and offsets = (2 across - 1) (2 along -
// 1), the rows of biases_h. Zeros where no sides give both.
void set_window(const NamedTensors& tensors, CraftShape& shape) {
  const std::int64_t area = tensor_size(tensors, "relative_position_index_h", 2, 0),
                     offsets = tensor_size(tensors, "biases_h", 2, 0);
  shape.across = shape.along = 0;
  if (area > kMostTransformerChannels) return;
  for (std::int64_t across = 1; across * across <= area; ++across) {
    if (area % across != 0 || (2 * across - 1) * (2 * (area / across) - 1) != offsets) continue;
    shape.across = across;
    shape.along = area / across;
  }
}

}  // namespace

std::optional<NetworkMatch> match_craft(const NamedTensors& tensors) {
  const std::string group = "layers.0.residual_group.";
  if (conv_size(tensors, group + "hf_blocks.0.attn.q_dwconv", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "CRAFT";
  const std::string scale = set_scale(match, tensors, "upsample.0");
  CraftShape shape{.features = conv_size(tensors, "conv_first", 0),
                   .heads = tensor_size(tensors, group + "hf_blocks.0.attn.temperature", 3, 0),
                   .hidden = linear_size(tensors, group + "srwa_blocks.0.mlp.fc1", 0),
                   .gated = conv_size(tensors, group + "hf_blocks.0.ffn.project_out", 1),
                   .position = linear_size(tensors, group + "srwa_blocks.0.attns.0.pos.pos_proj", 0),
                   .groups = count_blocks(tensors, "layers.", 0),
                   .depth = count_blocks(tensors, group + "hf_blocks.", 0),
                   .scale = match.scale};
  set_window(tensors, shape);
  set_hyper_parameters(match, {{"features", shape.features, kMostTransformerChannels},
                               {"heads", shape.heads, kMostTransformerChannels},
                               {"hidden", shape.hidden, kMostTransformerChannels},
                               {"gated", shape.gated, kMostTransformerChannels},
                               {"position", shape.position, kMostTransformerChannels},
                               {"window across", shape.across, 64},
                               {"window along", shape.along, 64},
                               {"groups", shape.groups, kMostTransformerBlocks},
                               {"depth", shape.depth, kMostTransformerBlocks}});
  if (match.problem.empty() && (shape.heads % 2 != 0 || shape.features % shape.heads != 0))
    match.problem =
        fmt::format("features is {} of {} heads, expected an even number of heads that divides them",
                    shape.features, shape.heads);
  match.recognised_by = fmt::format(
      "layers.0.residual_group.hf_blocks.0.attn.q_dwconv: attention between {} channels besides that in "
      "windows of "
      "{} x {}, which biases_h tells; {}",
      shape.features, shape.across, shape.along, scale);
  if (!match.problem.empty()) return match;
  const int multiple = static_cast<int>(std::lcm(shape.across, shape.along));
  match.size_multiple = match.minimum_size = multiple;
  match.spandrel_padding =
      PaddingRule{.size_multiple = multiple, .minimum_size = multiple, .mirrored = multiple};
  define(match, definition(shape));
  return match;
}

Layout craft_layout(const CraftShape& shape) {
  NetworkMatch match;
  match.size_multiple = static_cast<int>(std::lcm(shape.across, shape.along));
  define(match, definition(shape));
  return match.layout;
}

}  // namespace upbench
