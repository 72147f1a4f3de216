#include "models/diffusion/networks/clip_text.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/checkpoint/refuse.h"
#include "models/diffusion/networks/diffusion_layers.h"
#include "models/networks/derive.h"
#include "models/networks/layout_check.h"

namespace upbench {
namespace {

constexpr char kWhat[] = "text encoder";
constexpr char kTokens[] = "text_model.embeddings.token_embedding";
constexpr char kPositions[] = "text_model.embeddings.position_embedding";
constexpr char kNorm[] = "text_model.final_layer_norm";
constexpr char kProjection[] = "text_projection";

std::string layer_name(std::int64_t layer) {
  return fmt::format("text_model.encoder.layers.{}.", layer);
}

at::Tensor feed_forward(Layers& layers, const ClipTextFacts& facts, const std::string& name,
                        const at::Tensor& x) {
  const Activation then = facts.quick_gelu ? Activation{} : kGelu;
  const at::Tensor inner = layers.linear(name + "mlp.fc1", x, facts.feed_forward, then);
  return layers.linear(name + "mlp.fc2", facts.quick_gelu ? quick_gelu(layers, inner) : inner, facts.width);
}

at::Tensor encoder_layer(Layers& layers, const ClipTextFacts& facts, std::int64_t layer,
                         const at::Tensor& x) {
  const std::string name = layer_name(layer);
  const at::Tensor normed = layers.layer_norm(name + "layer_norm1", x);
  const auto projected = [&](const char* what) {
    return layers.linear(fmt::format("{}self_attn.{}_proj", name, what), normed, facts.width);
  };
  const at::Tensor q = projected("q"), k = projected("k"), v = projected("v");
  const at::Tensor seen = attention(layers, q, k, v, facts.heads, true);
  const at::Tensor y = layers.sum(layers.linear(name + "self_attn.out_proj", seen, facts.width), x);
  return layers.sum(feed_forward(layers, facts, name, layers.layer_norm(name + "layer_norm2", y)), y);
}

// ids: [N, L]
at::Tensor embedded(Layers& layers, const ClipTextFacts& facts, const at::Tensor& ids) {
  const at::Tensor tokens =
      layers.parameter(fmt::format("{}.weight", kTokens), {facts.vocabulary, facts.width});
  const at::Tensor positions =
      layers.parameter(fmt::format("{}.weight", kPositions), {facts.positions, facts.width});
  return layers.counted({ids.size(0), ids.size(1), facts.width}, 0,
                        [&] { return at::embedding(tokens, ids).add_(positions.narrow(0, 0, ids.size(1))); });
}

at::Tensor pooled(Layers& layers, const ClipTextFacts& facts, const at::Tensor& ids, const at::Tensor& last) {
  const at::Tensor row = layers.counted({ids.size(0), facts.width}, 0, [&] {
    // The first end token, or the first token where there is none.
    const at::Tensor ends = ids.eq(facts.end_token).to(at::kInt).argmax(1);
    return last.index({at::arange(ids.size(0), ids.options()), ends});
  });
  return facts.projection > 0 ? linear_without_bias(layers, kProjection, row, facts.projection) : row;
}

TextStates states(Layers& layers, const ClipTextFacts& facts, const at::Tensor& ids, std::int64_t skip) {
  TextStates result;
  at::Tensor x = embedded(layers, facts, ids);
  for (std::int64_t layer = 0; layer < facts.layers; ++layer) {
    if (layer + skip == facts.layers) result.skipped = x;
    x = encoder_layer(layers, facts, layer, x);
  }
  if (skip == 0) result.skipped = x;
  result.last = layers.layer_norm(kNorm, x);
  result.skipped_normed = skip == 0 ? result.last : layers.layer_norm(kNorm, result.skipped);
  result.pooled = pooled(layers, facts, ids, result.last);
  return result;
}

void check(const ClipTextFacts& facts, const at::Tensor& ids, int skip) {
  if (ids.dim() != 2 || ids.scalar_type() != at::kLong || ids.size(1) < 1 || ids.size(1) > facts.positions)
    refuse("{}: ids [{}] of {}, expected [N, 1 to {}] of int64", kWhat, fmt::join(ids.sizes(), ", "),
           c10::toString(ids.scalar_type()), facts.positions);
  if (skip < 0 || skip > facts.layers)
    refuse("{}: {} layers to skip, expected 0 to {}", kWhat, skip, facts.layers);
}

std::int64_t heads_of(std::int64_t width, const ClipTextConfig& config) {
  constexpr std::int64_t kHeadWidth = 64, kTinyHeads = 4;
  const std::int64_t heads = config.heads.value_or(width % kHeadWidth == 0 ? width / kHeadWidth : kTinyHeads);
  if (heads < 1 || width % heads != 0)
    refuse("{}: {} heads for a width of {}, expected a divisor of it (num_attention_heads)", kWhat, heads,
           width);
  return heads;
}

std::int64_t bounded(std::int64_t value, std::int64_t most, std::string_view what) {
  if (value < 1 || value > most) refuse("{}: {} is {}, expected 1 to {}", kWhat, what, value, most);
  return value;
}

// What files hold besides, and no output depends on.
NamedTensors without_extras(NamedTensors tensors) {
  std::erase_if(tensors, [](const auto& entry) {
    return entry.first == "logit_scale" || entry.first.ends_with(".position_ids");
  });
  return tensors;
}

}  // namespace

ClipTextFacts clip_text_facts(const NamedTensors& tensors, const ClipTextConfig& config) {
  constexpr std::int64_t kMostVocabulary = 1 << 24, kMostPositions = 1 << 16, kOpenClipWidth = 1024;
  ClipTextFacts facts;
  facts.vocabulary =
      bounded(linear_size(tensors, kTokens, 0), kMostVocabulary, fmt::format("the height of {}", kTokens));
  facts.width =
      bounded(linear_size(tensors, kTokens, 1), kMostChannels, fmt::format("the width of {}", kTokens));
  facts.positions = bounded(linear_size(tensors, kPositions, 0), kMostPositions,
                            fmt::format("the height of {}", kPositions));
  facts.layers =
      bounded(count_blocks(tensors, "text_model.encoder.layers.", 0), kMostBlocks, "the number of layers");
  facts.feed_forward = bounded(linear_size(tensors, layer_name(0) + "mlp.fc1", 0), 4 * kMostChannels,
                               fmt::format("the number of outputs of {}mlp.fc1", layer_name(0)));
  if (tensors.contains(fmt::format("{}.weight", kProjection)))
    facts.projection = bounded(linear_size(tensors, kProjection, 0), kMostChannels,
                               fmt::format("the number of outputs of {}", kProjection));
  facts.heads = heads_of(facts.width, config);
  facts.quick_gelu = config.quick_gelu.value_or(facts.width < kOpenClipWidth);
  facts.end_token = config.end_token.value_or(facts.vocabulary - 1);
  if (facts.end_token < 0 || facts.end_token >= facts.vocabulary)
    refuse("{}: end token {} is not among its {} tokens", kWhat, facts.end_token, facts.vocabulary);
  try {
    Declaration declaration;
    Layers layers(declaration);
    states(layers, facts, at::zeros({}, at::kLong).expand({1, facts.positions}), 0);
    facts.layout = std::move(declaration.layout);
    facts.macs = declaration.macs;
  } catch (const std::length_error& error) {
    refuse("{}: {}", kWhat, error.what());
  }
  require_layout(facts.layout, without_extras(tensors), kWhat);
  return facts;
}

ClipTextFunction bind_clip_text(const ClipTextFacts& facts, const NamedTensors& weights) {
  return [facts, weights, constants = std::make_shared<Constants>()](const at::Tensor& ids, int skip) {
    check(facts, ids, skip);
    Layers layers(weights, constants.get());
    return states(layers, facts, ids, skip);
  };
}

}  // namespace upbench
