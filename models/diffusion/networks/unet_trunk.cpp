#include "models/diffusion/networks/unet_trunk.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/networks/diffusion_layers.h"
#include "models/diffusion/networks/wide_layers.h"

namespace upbench {
namespace {

constexpr std::int64_t kGroups = 32;
constexpr double kEpsilon = 1e-5, kTransformerEpsilon = 1e-6;

// Two linear layers with the activation in between, the second's result not activated.
at::Tensor embedded(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t width) {
  return wide_linear(layers, name + ".linear_2",
                     wide_linear(layers, name + ".linear_1", x, width, {.then = kSilu}), width);
}

// A linear layer over tokens, which files of Stable Diffusion 1 hold as a 1x1 convolution.
at::Tensor projection(const UNetTrunk& trunk, const std::string& name, const at::Tensor& tokens,
                      const at::Tensor& plus = {}) {
  const std::int64_t channels = tokens.size(-1);
  if (trunk.facts.linear_projections)
    return wide_linear(trunk.layers, name, tokens, channels, {.plus = plus});
  const at::Tensor weight = trunk.layers.parameter(name + ".weight", {channels, channels, 1, 1}),
                   bias = trunk.layers.parameter(name + ".bias", {channels});
  return trunk.layers.counted(tokens.sizes().vec(), static_cast<double>(tokens.numel() * channels),
                              [&] { return wide_linear(tokens, weight.flatten(1), bias, {.plus = plus}); });
}

// Of `tokens` to what `seen` says, plus `tokens` before they were normed.
at::Tensor attended(const UNetTrunk& trunk, const std::string& name, const at::Tensor& normed,
                    const at::Tensor& seen, std::int64_t heads, const at::Tensor& tokens) {
  Layers& layers = trunk.layers;
  const std::int64_t width = tokens.size(-1);
  const at::Tensor q = linear_without_bias(layers, name + ".to_q", normed, width),
                   k = linear_without_bias(layers, name + ".to_k", seen, width),
                   v = linear_without_bias(layers, name + ".to_v", seen, width);
  return wide_linear(layers, name + ".to_out.0", attention(layers, q, k, v, heads), width, {.plus = tokens});
}

at::Tensor transformer_block(const UNetTrunk& trunk, const std::string& name, const at::Tensor& tokens,
                             std::size_t level) {
  Layers& layers = trunk.layers;
  const std::int64_t heads = trunk.facts.heads[level], width = tokens.size(-1);
  at::Tensor normed = layers.layer_norm(name + ".norm1", tokens);
  at::Tensor y = attended(trunk, name + ".attn1", normed,
                          trunk.facts.context_only[level] ? trunk.context : normed, heads, tokens);
  normed = layers.layer_norm(name + ".norm2", y);
  y = attended(trunk, name + ".attn2", normed, trunk.context, heads, y);
  normed = layers.layer_norm(name + ".norm3", y);
  return wide_linear(layers, name + ".ff.net.2",
                     gated_gelu(layers, name + ".ff.net.0.proj", normed, 4 * width), width, {.plus = y});
}

void require_shape(const at::Tensor& x, const std::vector<std::int64_t>& shape, const char* what) {
  const bool fits = x.defined() && x.sizes() == at::IntArrayRef(shape);
  if (!fits)
    throw std::invalid_argument(fmt::format(
        "UNet: {} is {}, expected [{}]", what,
        x.defined() ? fmt::format("[{}]", fmt::join(x.sizes(), ", ")) : "absent", fmt::join(shape, ", ")));
}

}  // namespace

UNetTrunk unet_trunk(Layers& layers, const UNetFacts& facts, const UNetInput& input) {
  const std::int64_t width = 4 * facts.channels[0];
  at::Tensor embedding =
      embedded(layers, "time_embedding",
               sinusoids(input.timesteps, facts.channels[0]).to(input.latents.scalar_type()), width);
  if (facts.class_labels > 0) {
    const at::Tensor table = layers.parameter("class_embedding.weight", {facts.class_labels, width});
    embedding = layers.sum(embedding, layers.counted(embedding.sizes().vec(), 0,
                                                     [&] { return at::embedding(table, input.labels); }));
  }
  if (facts.vector_width > 0)
    embedding = layers.sum(embedding, embedded(layers, "add_embedding", input.vector, width));
  return {layers, facts, layers.activated(embedding, kSilu), input.context};
}

at::Tensor residual_block(const UNetTrunk& trunk, const std::string& name, const at::Tensor& x,
                          std::int64_t outputs) {
  Layers& layers = trunk.layers;
  const at::Tensor time = wide_linear(layers, name + ".time_emb_proj", trunk.embedding, outputs);
  at::Tensor y = wide_conv(layers, name + ".conv1",
                           group_norm(layers, name + ".norm1", x, kGroups, kEpsilon, kSilu), outputs);
  y = layers.sum(y, time.unsqueeze(-1).unsqueeze(-1));
  y = group_norm(layers, name + ".norm2", y, kGroups, kEpsilon, kSilu);
  const at::Tensor shortcut =
      x.size(1) == outputs ? x : wide_conv(layers, name + ".conv_shortcut", x, outputs, {.kernel = 1});
  return wide_conv(layers, name + ".conv2", y, outputs, {.plus = shortcut});
}

at::Tensor transformer(const UNetTrunk& trunk, const std::string& name, const at::Tensor& x,
                       std::size_t level, std::int64_t depth) {
  const at::Tensor normed = group_norm(trunk.layers, name + ".norm", x, kGroups, kTransformerEpsilon);
  at::Tensor tokens = projection(trunk, name + ".proj_in", picture_to_tokens(normed));
  for (std::int64_t k = 0; k < depth; ++k)
    tokens = transformer_block(trunk, fmt::format("{}.transformer_blocks.{}", name, k), tokens, level);
  return tokens_to_picture(projection(trunk, name + ".proj_out", tokens, picture_to_tokens(x)), x);
}

std::vector<at::Tensor> way_down(const UNetTrunk& trunk, const at::Tensor& x) {
  const UNetFacts& facts = trunk.facts;
  std::vector<at::Tensor> made{x};
  for (std::size_t level = 0; level < facts.channels.size(); ++level) {
    const std::string name = fmt::format("down_blocks.{}.", level);
    for (std::int64_t k = 0; k < facts.blocks_per_level; ++k) {
      at::Tensor y =
          residual_block(trunk, fmt::format("{}resnets.{}", name, k), made.back(), facts.channels[level]);
      if (facts.transformer_depth[level] > 0)
        y = transformer(trunk, fmt::format("{}attentions.{}", name, k), y, level,
                        facts.transformer_depth[level]);
      made.push_back(y);
    }
    if (level + 1 < facts.channels.size())
      made.push_back(wide_conv(trunk.layers, name + "downsamplers.0.conv", made.back(), facts.channels[level],
                               {.stride = 2}));
  }
  return made;
}

at::Tensor middle(const UNetTrunk& trunk, const at::Tensor& x) {
  const std::int64_t channels = trunk.facts.channels.back();
  at::Tensor y = residual_block(trunk, "mid_block.resnets.0", x, channels);
  if (trunk.facts.middle_depth > 0)
    y = transformer(trunk, "mid_block.attentions.0", y, trunk.facts.channels.size() - 1,
                    trunk.facts.middle_depth);
  return residual_block(trunk, "mid_block.resnets.1", y, channels);
}

UNetInput checked_input(const UNetFacts& facts, const UNetInput& input, const at::Tensor& like) {
  if (!input.latents.defined() || input.latents.dim() != 4)
    throw std::invalid_argument("UNet: latents are not [N, C, height, width]");
  const at::Tensor& latents = input.latents;
  const std::int64_t pictures = latents.size(0);
  require_shape(latents, {pictures, facts.in_channels, latents.size(2), latents.size(3)}, "latents");
  if (latents.numel() == 0) throw std::invalid_argument("UNet: latents are empty");
  require_shape(input.timesteps, {pictures}, "timesteps");
  const std::int64_t tokens = input.context.defined() && input.context.dim() == 3 ? input.context.size(1) : 0;
  if (facts.context_width > 0) {
    require_shape(input.context, {pictures, std::max<std::int64_t>(tokens, 1), facts.context_width},
                  "context");
  }
  UNetInput placed = input;
  placed.latents = latents.to(like.options()).contiguous(at::MemoryFormat::ChannelsLast);
  placed.timesteps = input.timesteps.to(like.device(), at::kFloat);
  if (facts.context_width > 0) placed.context = input.context.to(like.options());
  if (facts.vector_width > 0) {
    require_shape(input.vector, {pictures, facts.vector_width}, "vector");
    placed.vector = input.vector.to(like.options());
  } else if (input.vector.defined()) {
    throw std::invalid_argument("UNet: a vector is given to a network that takes none");
  }
  if (facts.class_labels > 0) {
    require_shape(input.labels, {pictures}, "labels");
    // On another device asking would wait for it.
    if (input.labels.is_cpu() &&
        input.labels.lt(0).logical_or(input.labels.ge(facts.class_labels)).any().item<bool>())
      throw std::invalid_argument(fmt::format("UNet: labels are not all in 0..{}", facts.class_labels - 1));
    placed.labels = input.labels.to(like.device(), at::kLong);
  } else if (input.labels.defined()) {
    throw std::invalid_argument("UNet: labels are given to a network that takes none");
  }
  for (at::Tensor& residual : placed.control) residual = residual.to(like.options());
  return placed;
}

UNetInput declared_input(const UNetFacts& facts, std::int64_t height, std::int64_t width,
                         std::int64_t tokens) {
  const auto placeholder = [](at::IntArrayRef shape) { return at::zeros({}).expand(shape); };
  return {.latents = placeholder({1, facts.in_channels, height, width}),
          .timesteps = placeholder({1}),
          .context = placeholder({1, tokens, facts.context_width}),
          .vector = placeholder({1, facts.vector_width}),
          .labels = {}};
}

}  // namespace upbench
