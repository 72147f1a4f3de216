#include "models/diffusion/networks/control_net.h"

#include <memory>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/networks/diffusion_layers.h"
#include "models/diffusion/networks/unet_facts.h"
#include "models/diffusion/networks/unet_trunk.h"
#include "models/networks/derive.h"

namespace upbench {
namespace {

constexpr std::size_t kMostHalvings = 6;

// hint: [N, 3, H 2^n, W 2^n] -> [N, outputs, H, W], n one less than there are hint_channels.
at::Tensor hint_embedding(Layers& layers, const ControlNetFacts& facts, const at::Tensor& hint) {
  const std::string name = "controlnet_cond_embedding.";
  const std::vector<std::int64_t>& channels = facts.hint_channels;
  at::Tensor x = layers.conv(name + "conv_in", hint, channels[0], {.then = kSilu});
  for (std::size_t k = 0; k + 1 < channels.size(); ++k) {
    x = layers.conv(fmt::format("{}blocks.{}", name, 2 * k), x, channels[k], {.then = kSilu});
    x = layers.conv(fmt::format("{}blocks.{}", name, 2 * k + 1), x, channels[k + 1],
                    {.stride = 2, .padding = 1, .then = kSilu});
  }
  return layers.conv(name + "conv_out", x, facts.trunk.channels[0]);
}

std::int64_t hint_factor(const ControlNetFacts& facts) {
  return std::int64_t{1} << (facts.hint_channels.size() - 1);
}

std::vector<at::Tensor> control_net(Layers& layers, const ControlNetFacts& facts, const UNetInput& input,
                                    const at::Tensor& hint) {
  const UNetTrunk trunk = unet_trunk(layers, facts.trunk, input);
  const at::Tensor first = layers.conv("conv_in", input.latents, facts.trunk.channels[0]);
  const std::vector<at::Tensor> made =
      way_down(trunk, layers.sum(first, hint_embedding(layers, facts, hint)));
  std::vector<at::Tensor> residuals;
  const auto add = [&](const std::string& name, const at::Tensor& x) {
    residuals.push_back(wide_conv(layers, name, x, x.size(1), {.kernel = 1}));
  };
  for (std::size_t k = 0; k < made.size(); ++k) add(fmt::format("controlnet_down_blocks.{}", k), made[k]);
  add("controlnet_mid_block", middle(trunk, made.back()));
  return residuals;
}

}  // namespace

ControlNetFacts control_net_facts(const NamedTensors& tensors, const std::vector<std::int64_t>& heads) {
  const std::string what = "ControlNet", name = "controlnet_cond_embedding.";
  ControlNetFacts facts{.trunk = trunk_facts(tensors, heads, what)};
  facts.hint_channels.push_back(conv_size(tensors, name + "conv_in", 0));
  while (facts.hint_channels.size() <= kMostHalvings) {
    const std::int64_t channels =
        conv_size(tensors, fmt::format("{}blocks.{}", name, 2 * facts.hint_channels.size() - 1), 0);
    if (channels == 0) break;
    facts.hint_channels.push_back(channels);
  }
  for (const std::int64_t channels : facts.hint_channels)
    if (channels < 1 || channels > kMostChannels)
      throw std::invalid_argument(
          fmt::format("{}: {} channels in the layers of its hint ({}conv_in, blocks), expected 1..{}", what,
                      channels, name, kMostChannels));
  const DeclaredNetwork network = [&](Layers& layers, const UNetInput& input) {
    const std::int64_t factor = hint_factor(facts);
    control_net(layers, facts, input,
                at::zeros({}).expand({1, 3, factor * input.latents.size(2), factor * input.latents.size(3)}));
  };
  facts.layout = checked_layout(facts.trunk, tensors, network, what);
  facts.macs = work_of(facts.trunk, network, 64, 64, 77);
  return facts;
}

std::string control_net_mismatch(const ControlNetFacts& control_net, const UNetFacts& unet) {
  const UNetFacts& trunk = control_net.trunk;
  if (trunk.context_width != unet.context_width)
    return fmt::format("its context is {} wide, that of the UNet {}", trunk.context_width,
                       unet.context_width);
  if (trunk.channels != unet.channels || trunk.blocks_per_level != unet.blocks_per_level)
    return fmt::format("its levels have {} blocks of {} channels, those of the UNet {} of {}",
                       trunk.blocks_per_level, fmt::join(trunk.channels, ", "), unet.blocks_per_level,
                       fmt::join(unet.channels, ", "));
  if (trunk.vector_width != unet.vector_width)
    return fmt::format("its added conditioning is {} wide, that of the UNet {}", trunk.vector_width,
                       unet.vector_width);
  return "";
}

ControlNetFunction bind_control_net(const ControlNetFacts& facts, const NamedTensors& weights) {
  return [facts, weights, constants = std::make_shared<Constants>()](const UNetInput& input,
                                                                     const at::Tensor& hint) {
    const UNetInput placed = checked_input(facts.trunk, input, weights.at("conv_in.weight"));
    const std::int64_t factor = hint_factor(facts);
    const std::vector<std::int64_t> expected{placed.latents.size(0), 3, factor * placed.latents.size(2),
                                             factor * placed.latents.size(3)};
    if (!hint.defined() || hint.sizes() != at::IntArrayRef(expected))
      throw std::invalid_argument(fmt::format(
          "ControlNet: the hint is [{}], expected [{}]",
          hint.defined() ? fmt::format("{}", fmt::join(hint.sizes(), ", ")) : "", fmt::join(expected, ", ")));
    Layers layers(weights, constants.get());
    return control_net(layers, facts, placed,
                       hint.to(placed.latents.options()).contiguous(at::MemoryFormat::ChannelsLast));
  };
}

}  // namespace upbench
