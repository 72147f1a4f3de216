#include "models/networks/dctlsa.h"

#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/attention.h"
#include "models/networks/derive.h"
#include "models/networks/kernels.h"
#include "models/networks/windows.h"

namespace upbench {
namespace {

constexpr std::int64_t kHeads = 5, kWindow = 16;

at::Tensor with_local_features(Layers& layers, const std::string& name, const at::Tensor& tokens) {
  const std::int64_t features = tokens.size(3);
  at::Tensor y = layers.batch_normed_conv(name + ".pointwise_prenorm_0", name + ".pointwise_conv_0",
                                          from_tokens(tokens), features);
  y = layers.depthwise(name + ".depthwise_conv", y, {.bias = false});
  return to_tokens(layers.batch_normed_conv(name + ".pointwise_prenorm_1", name + ".pointwise_conv_1", y,
                                            features, from_tokens(tokens)));
}

// qkv [N, H, W, 3 C] -> [N, H, W, C].
at::Tensor attended(Layers& layers, const at::Tensor& qkv) {
  if (linear_attention_takes(qkv)) return windowed_linear_attention(qkv, kHeads, kWindow);
  const std::int64_t features = qkv.size(3) / 3;
  const at::Tensor windows = to_windows(qkv, kWindow, kWindow);
  const auto part = [&](std::int64_t k) { return windows.narrow(2, k * features, features); };
  const at::Tensor heads = layers.constant("heads", [&] {
    return same_head(features, kHeads, 1 / std::sqrt(static_cast<double>(features / kHeads)), qkv);
  });
  return from_windows(at::bmm(part(0), at::bmm(part(1).softmax(1).transpose(1, 2), part(2)).mul_(heads)),
                      kWindow, kWindow, qkv);
}

// tokens [N, H, W, C], sides multiples of the window.
at::Tensor linear_attention(Layers& layers, const std::string& name, const at::Tensor& tokens) {
  const std::int64_t features = tokens.size(3);
  const at::Tensor local = with_local_features(layers, name + ".local", tokens),
                   qkv = layers.linear(name + ".qkv", local, 3 * features);
  const at::Tensor y =
      layers.counted(tokens.sizes().vec(), 2.0 * static_cast<double>(tokens.numel() * (features / kHeads)),
                     [&] { return attended(layers, qkv); });
  return layers.linear(name + ".proj", y, features, {}, local);
}

at::Tensor layer(Layers& layers, const std::string& prefix, const at::Tensor& x, const DctlsaShape& shape) {
  const auto whole_windows = [](std::int64_t side) { return (side + kWindow - 1) / kWindow * kWindow; };
  const at::Tensor input =
      reflected_to(reflected_to(x, 2, whole_windows(x.size(2))), 3, whole_windows(x.size(3)));
  at::Tensor tokens = layers.layer_norm(prefix + "patch_embed.norm", to_tokens(input));
  for (int i = 0; i < shape.blocks; ++i) {
    const std::string block = fmt::format("{}blocks.{}.", prefix, i);
    const std::int64_t shift = i % 2 == 0 ? 0 : kWindow / 2;
    tokens = rolled(linear_attention(layers, block + "attn", rolled(tokens, -shift, -shift)), shift, shift);
    tokens = perceptron(layers, block + "mlp", tokens, shape.hidden, tokens);
  }
  return from_tokens(tokens).narrow(2, 0, x.size(2)).narrow(3, 0, x.size(3));
}

at::Tensor dctlsa(Layers& layers, const at::Tensor& x, const DctlsaShape& shape) {
  const auto fuse = [&](const std::string& name, const std::vector<at::Tensor>& parts) {
    return layers.conv(name, at::cat(parts, 1), shape.features, {.kernel = 1, .then = kSlightlyLeaky});
  };
  const at::Tensor first = layers.conv("fea_conv", x, shape.features);
  std::vector<at::Tensor> everything{first}, outputs;
  at::Tensor y = first;
  for (int m = 1; m <= shape.modules; ++m) {
    for (int l = 0; l < shape.layers; ++l)
      y = layer(layers, fmt::format("B{}.body.{}.transformer_body.0.", m, l), y, shape);
    outputs.push_back(y);
    everything.push_back(y);
    if (m < shape.modules) y = fuse(fmt::format("c{}.0", m), everything);
  }
  y = layers.conv("LR_conv", fuse("c.0", outputs), shape.features, {.plus = first});
  return layers.shuffled_conv("upsampler.0", y, shape.scale);
}

NetworkDefinition definition(const DctlsaShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return dctlsa(layers, x, shape); };
}

}  // namespace

std::optional<NetworkMatch> match_dctlsa(const NamedTensors& tensors) {
  const std::string first = "B1.body.0.transformer_body.0.blocks.0.";
  if (conv_size(tensors, first + "attn.local.pointwise_conv_0", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "DCTLSA";
  const std::string scale = set_scale(match, tensors, "upsampler.0");
  const DctlsaShape shape{.features = conv_size(tensors, "fea_conv", 0),
                          .hidden = linear_size(tensors, first + "mlp.fc1", 0),
                          .modules = count_blocks(tensors, "B", 1),
                          .layers = count_blocks(tensors, "B1.body.", 0),
                          .blocks = count_blocks(tensors, "B1.body.0.transformer_body.0.blocks.", 0),
                          .scale = match.scale};
  set_hyper_parameters(match, {{"features", shape.features, kMostTransformerChannels},
                               {"hidden", shape.hidden, kMostTransformerChannels},
                               {"modules", shape.modules, kMostTransformerBlocks},
                               {"layers of a module", shape.layers, kMostTransformerBlocks},
                               {"blocks of a layer", shape.blocks, kMostTransformerBlocks}});
  match.hyper_parameters.emplace_back("heads", "5, as the authors'; not in the file");
  match.hyper_parameters.emplace_back("window", "16, as the authors'; not in the file");
  if (match.problem.empty() && shape.features % kHeads != 0)
    match.problem = fmt::format("features is {}, expected a multiple of 5 heads", shape.features);
  match.recognised_by = fmt::format(
      "B1.body.0.transformer_body.0.blocks.0.attn.local: window attention with a local module on {} "
      "features; "
      "{} modules; {}",
      shape.features, shape.modules, scale);
  match.size_multiple = match.minimum_size = 8;
  match.spandrel_padding = PaddingRule{.minimum_size = kWindow};
  if (match.problem.empty()) define(match, definition(shape));
  return match;
}

Layout dctlsa_layout(const DctlsaShape& shape) {
  return layout_of(definition(shape));
}

}  // namespace upbench
