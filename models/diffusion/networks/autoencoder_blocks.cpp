#include "models/diffusion/networks/autoencoder_blocks.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/diffusion/networks/diffusion_layers.h"

namespace upbench {
namespace {

using Kind = AutoencoderStep::Kind;

constexpr std::int64_t kColours = 3;

void add_block(AutoencoderRow& row, const std::string& name, std::int64_t inputs, std::int64_t outputs) {
  row.push_back({.name = name + ".conv1",
                 .inputs = inputs,
                 .outputs = outputs,
                 .norm = name + ".norm1",
                 .keeps = true});
  row.push_back({.name = name + ".conv2",
                 .inputs = outputs,
                 .outputs = outputs,
                 .norm = name + ".norm2",
                 .adds = true,
                 .shortcut = inputs == outputs ? "" : name + ".conv_shortcut"});
}

void add_middle(AutoencoderRow& row, const std::string& half, std::int64_t channels, bool has_attention) {
  const std::string middle = half + ".mid_block.";
  add_block(row, middle + "resnets.0", channels, channels);
  if (has_attention) {
    const std::string name = middle + "attentions.0";
    row.push_back({.kind = Kind::attend,
                   .name = name,
                   .inputs = channels,
                   .outputs = channels,
                   .norm = name + ".group_norm"});
  }
  add_block(row, middle + "resnets.1", channels, channels);
}

void add_last(AutoencoderRow& row, const std::string& half, std::int64_t inputs, std::int64_t outputs) {
  row.push_back(
      {.name = half + ".conv_out", .inputs = inputs, .outputs = outputs, .norm = half + ".conv_norm_out"});
}

at::Tensor attended(Layers& layers, const AutoencoderStep& step, const at::Tensor& x,
                    const AutoencoderNormed& normed) {
  const at::Tensor tokens = picture_to_tokens(normed(step.norm, x, {}));
  const auto projected = [&](const char* name) {
    return layers.linear(step.name + name, tokens, step.inputs);
  };
  const at::Tensor mixed = attention(layers, projected(".to_q"), projected(".to_k"), projected(".to_v"), 1);
  return tokens_to_picture(
      layers.linear(step.name + ".to_out.0", mixed, step.outputs, {}, picture_to_tokens(x)), x);
}

}  // namespace

AutoencoderRow encoder_row(const AutoencoderFacts& facts) {
  AutoencoderRow row;
  if (!facts.encoder) return row;
  const AutoencoderHalf& half = *facts.encoder;
  const std::size_t levels = half.channels.size();
  std::int64_t channels = half.channels[0];
  row.push_back({.name = "encoder.conv_in", .inputs = kColours, .outputs = channels});
  for (std::size_t level = 0; level < levels; ++level) {
    const std::string name = fmt::format("encoder.down_blocks.{}.", level);
    for (std::int64_t block = 0; block < half.blocks; ++block) {
      add_block(row, fmt::format("{}resnets.{}", name, block), channels, half.channels[level]);
      channels = half.channels[level];
    }
    if (level + 1 < levels)
      row.push_back({.kind = Kind::halve,
                     .name = name + "downsamplers.0.conv",
                     .inputs = channels,
                     .outputs = channels});
  }
  add_middle(row, "encoder", channels, half.has_attention);
  add_last(row, "encoder", channels, half.inner);
  if (half.has_latent_conv)
    row.push_back({.name = "quant_conv", .inputs = half.inner, .outputs = 2 * facts.channels, .kernel = 1});
  return row;
}

AutoencoderRow decoder_row(const AutoencoderFacts& facts) {
  AutoencoderRow row;
  if (!facts.decoder) return row;
  const AutoencoderHalf& half = *facts.decoder;
  const std::size_t levels = half.channels.size();
  std::int64_t channels = half.channels.back();
  if (half.has_latent_conv)
    row.push_back({.name = "post_quant_conv", .inputs = facts.channels, .outputs = half.inner, .kernel = 1});
  row.push_back({.name = "decoder.conv_in", .inputs = half.inner, .outputs = channels});
  add_middle(row, "decoder", channels, half.has_attention);
  for (std::size_t up = 0; up < levels; ++up) {  // from the lowest resolution
    const std::string name = fmt::format("decoder.up_blocks.{}.", up);
    const std::int64_t outputs = half.channels[levels - 1 - up];
    for (std::int64_t block = 0; block < half.blocks; ++block) {
      add_block(row, fmt::format("{}resnets.{}", name, block), channels, outputs);
      channels = outputs;
    }
    if (up + 1 < levels)
      row.push_back({.kind = Kind::enlarge,
                     .name = name + "upsamplers.0.conv",
                     .inputs = channels,
                     .outputs = channels});
  }
  add_last(row, "decoder", channels, kColours);
  return row;
}

AutoencoderNormed normed_alone(Layers& layers, const AutoencoderNorm& norm) {
  return [&layers, norm](const std::string& name, const at::Tensor& x, const Activation& then) {
    return group_norm(layers, name, x, norm.groups_of(x.size(1)), norm.epsilon, then);
  };
}

at::Tensor apply(Layers& layers, const AutoencoderStep& step, const at::Tensor& x, const at::Tensor& kept,
                 const AutoencoderNormed& normed) {
  if (step.kind == Kind::attend) return attended(layers, step, x, normed);
  const at::Tensor y = step.norm.empty() ? x : normed(step.norm, x, kSilu);
  if (step.kind == Kind::enlarge) return layers.enlarged_conv(step.name, y, step.outputs);
  if (step.kind == Kind::halve) {
    const at::Tensor padded = layers.counted({y.size(0), y.size(1), y.size(2) + 1, y.size(3) + 1}, 0,
                                             [&] { return at::constant_pad_nd(y, {0, 1, 0, 1}); });
    return layers.conv(step.name, padded, step.outputs, {.stride = 2, .padding = 0});
  }
  ConvOptions options{.kernel = step.kernel};
  if (step.adds)
    options.plus =
        step.shortcut.empty() ? kept : layers.conv(step.shortcut, kept, step.outputs, {.kernel = 1});
  return layers.conv(step.name, y, step.outputs, options);
}

at::Tensor apply(Layers& layers, const AutoencoderRow& row, at::Tensor x, const AutoencoderNormed& normed) {
  at::Tensor kept;
  for (const AutoencoderStep& step : row) {
    if (step.keeps) kept = x;
    x = apply(layers, step, x, kept, normed);
    if (step.adds) kept.reset();
  }
  return x;
}

}  // namespace upbench
