#include "models/diffusion/networks/unet_facts.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/diffusion/networks/unet_trunk.h"
#include "models/networks/derive.h"
#include "models/networks/layout_check.h"

namespace upbench {
namespace {

constexpr std::int64_t kMostLevels = 8, kMostUNetBlocks = 16, kMostDepth = 64, kMostWidth = 8192,
                       kMostLabels = 100'000;
constexpr std::int64_t kHeadWidth = 64, kHeads = 8, kUpscalerChannels = 7;

// A tensor of attention's keys, [channels, width of what it looks at].
std::int64_t key_width(const NamedTensors& tensors, const std::string& transformer, const char* attention) {
  return linear_size(tensors, fmt::format("{}.transformer_blocks.0.{}.to_k", transformer, attention), 1);
}

// The heads of a level by the rule that unet.h states.
std::int64_t heads_of(const UNetFacts& facts, std::int64_t channels, const std::string& what) {
  const bool is_upscaler = facts.in_channels == kUpscalerChannels && facts.class_labels > 0;
  if (!facts.linear_projections || is_upscaler) return kHeads;
  if (channels < kHeadWidth) return 1;
  if (channels % kHeadWidth != 0)
    throw std::invalid_argument(
        fmt::format("{}: a level of {} channels is no multiple of heads 64 wide; say how many heads it has",
                    what, channels));
  return channels / kHeadWidth;
}

void set_heads(UNetFacts& facts, const std::vector<std::int64_t>& heads, const std::string& what) {
  const std::size_t levels = facts.channels.size();
  if (!heads.empty() && heads.size() != 1 && heads.size() != levels)
    throw std::invalid_argument(
        fmt::format("{}: {} numbers of heads are given, expected one or {}", what, heads.size(), levels));
  for (std::size_t level = 0; level < levels; ++level) {
    const bool attends =
        facts.transformer_depth[level] > 0 || (level + 1 == levels && facts.middle_depth > 0);
    const std::int64_t channels = facts.channels[level];
    const std::int64_t own = !attends        ? 0
                             : heads.empty() ? heads_of(facts, channels, what)
                                             : heads[heads.size() == 1 ? 0 : level];
    if (attends && (own < 1 || channels % own != 0))
      throw std::invalid_argument(
          fmt::format("{}: {} channels cannot be shared by {} heads", what, channels, own));
    facts.heads.push_back(own);
  }
}

void require_range(const std::string& what, const char* name, std::int64_t value, std::int64_t least,
                   std::int64_t most) {
  if (value < least || value > most)
    throw std::invalid_argument(
        fmt::format("{}: {} is {} by its tensors' shapes, expected {}..{}", what, name, value, least, most));
}

void set_level(UNetFacts& facts, const NamedTensors& tensors, std::size_t level, const std::string& what) {
  const std::string name = fmt::format("down_blocks.{}.", level), transformer = name + "attentions.0";
  const std::int64_t channels = conv_size(tensors, name + "resnets.0.conv1", 0),
                     depth = count_blocks(tensors, transformer + ".transformer_blocks.", 0),
                     seen = key_width(tensors, transformer, "attn1");
  require_range(what, "channels of a level", channels, 1, kMostWidth);
  require_range(what, "depth of a level's transformers", depth, 0, kMostDepth);
  if (channels % 32 != 0)
    throw std::invalid_argument(fmt::format(
        "{}: level {} has {} channels, expected a multiple of 32 for its norms", what, level, channels));
  facts.channels.push_back(channels);
  facts.transformer_depth.push_back(depth);
  facts.context_only.push_back(depth > 0 && seen != channels && seen == facts.context_width);
}

// The first of the transformers on the way down, else the middle's; empty: there is none.
std::string first_transformer(const NamedTensors& tensors, std::int64_t levels) {
  for (std::int64_t level = 0; level < levels; ++level) {
    std::string name = fmt::format("down_blocks.{}.attentions.0", level);
    if (tensors.contains(name + ".proj_in.weight")) return name;
  }
  return tensors.contains("mid_block.attentions.0.proj_in.weight") ? "mid_block.attentions.0" : "";
}

Declaration declared(const UNetFacts& facts, const DeclaredNetwork& network, std::int64_t side,
                     std::int64_t tokens, const std::string& what) {
  Declaration declaration;
  Layers layers(declaration);
  try {
    network(layers, declared_input(facts, side, side, tokens));
  } catch (const std::length_error& error) {
    throw std::invalid_argument(fmt::format("{}: {}", what, error.what()));
  }
  return declaration;
}

// The side at which every level still has a pixel to each that the deepest has.
std::int64_t least_side(const UNetFacts& facts) {
  return std::int64_t{1} << (facts.channels.size() - 1);
}

DeclaredNetwork declared_unet(const UNetFacts& facts) {
  return [&facts](Layers& layers, const UNetInput& input) { unet(layers, facts, input); };
}

}  // namespace

UNetFacts trunk_facts(const NamedTensors& tensors, const std::vector<std::int64_t>& heads,
                      const std::string& what) {
  UNetFacts facts;
  facts.in_channels = conv_size(tensors, "conv_in", 1);
  require_range(what, "input channels (conv_in.weight)", facts.in_channels, 1, kMostWidth);
  const std::int64_t levels = count_blocks(tensors, "down_blocks.", 0);
  require_range(what, "number of levels (down_blocks)", levels, 1, kMostLevels);
  facts.blocks_per_level = count_blocks(tensors, "down_blocks.0.resnets.", 0);
  require_range(what, "blocks per level (down_blocks.0.resnets)", facts.blocks_per_level, 1, kMostUNetBlocks);
  facts.middle_depth = count_blocks(tensors, "mid_block.attentions.0.transformer_blocks.", 0);
  require_range(what, "depth of the middle's transformer", facts.middle_depth, 0, kMostDepth);
  const std::string transformer = first_transformer(tensors, levels);
  if (!transformer.empty()) {
    facts.context_width = key_width(tensors, transformer, "attn2");
    require_range(
        what,
        fmt::format("width of the context ({}.transformer_blocks.0.attn2.to_k.weight)", transformer).c_str(),
        facts.context_width, 1, kMostWidth);
    facts.linear_projections = linear_size(tensors, transformer + ".proj_in", 0) > 0;
  }
  facts.class_labels = tensor_size(tensors, "class_embedding.weight", 2, 0);
  require_range(what, "class labels", facts.class_labels, 0, kMostLabels);
  facts.vector_width = linear_size(tensors, "add_embedding.linear_1", 1);
  require_range(what, "width of the added conditioning", facts.vector_width, 0, kMostWidth);
  for (std::int64_t level = 0; level < levels; ++level)
    set_level(facts, tensors, static_cast<std::size_t>(level), what);
  set_heads(facts, heads, what);
  return facts;
}

Layout checked_layout(const UNetFacts& facts, const NamedTensors& tensors, const DeclaredNetwork& network,
                      const std::string& what) {
  Layout layout = declared(facts, network, least_side(facts), 1, what).layout;
  require_layout(layout, tensors, what);
  return layout;
}

double work_of(const UNetFacts& facts, const DeclaredNetwork& network, std::int64_t height,
               std::int64_t width, std::int64_t tokens) {
  std::array<double, 3> pixels{}, work{};
  for (std::size_t k = 0; k < 3; ++k) {
    const std::int64_t side = least_side(facts) * static_cast<std::int64_t>(k + 1);
    pixels[k] = static_cast<double>(side * side);
    work[k] = declared(facts, network, side, tokens, "UNet").macs;
  }
  // Lagrange's polynomial of the second degree.
  const double at = static_cast<double>(height * width);
  double sum = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t a = (k + 1) % 3, b = (k + 2) % 3;
    sum +=
        work[k] * (at - pixels[a]) * (at - pixels[b]) / ((pixels[k] - pixels[a]) * (pixels[k] - pixels[b]));
  }
  return sum;
}

UNetFacts unet_facts(const NamedTensors& tensors, const std::vector<std::int64_t>& heads) {
  UNetFacts facts = trunk_facts(tensors, heads, "UNet");
  facts.out_channels = conv_size(tensors, "conv_out", 0);
  require_range("UNet", "output channels (conv_out.weight)", facts.out_channels, 1, kMostWidth);
  facts.layout = checked_layout(facts, tensors, declared_unet(facts), "UNet");
  facts.macs = unet_macs(facts, 64, 64);
  return facts;
}

double unet_macs(const UNetFacts& facts, std::int64_t height, std::int64_t width, std::int64_t tokens) {
  return work_of(facts, declared_unet(facts), height, width, tokens);
}

}  // namespace upbench
