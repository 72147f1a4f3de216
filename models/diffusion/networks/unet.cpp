#include "models/diffusion/networks/unet.h"

#include <memory>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/networks/diffusion_layers.h"
#include "models/diffusion/networks/unet_trunk.h"

namespace upbench {
namespace {

// To the size of the skip that comes next, which is twice x's or, where that was odd, one less.
at::Tensor enlarged(Layers& layers, const std::string& name, const at::Tensor& x, const at::Tensor& skip) {
  const std::int64_t height = skip.size(2), width = skip.size(3), channels = x.size(1);
  if (height == 2 * x.size(2) && width == 2 * x.size(3)) return wide_enlarged_conv(layers, name, x, channels);
  const at::Tensor large = layers.counted({x.size(0), channels, height, width}, 0,
                                          [&] { return at::upsample_nearest2d(x, {height, width}); });
  return wide_conv(layers, name, large, channels);
}

at::Tensor way_up(const UNetTrunk& trunk, at::Tensor x, std::vector<at::Tensor> skips) {
  const UNetFacts& facts = trunk.facts;
  const std::size_t levels = facts.channels.size();
  for (std::size_t up = 0; up < levels; ++up) {
    const std::size_t level = levels - 1 - up;
    const std::string name = fmt::format("up_blocks.{}.", up);
    for (std::int64_t k = 0; k <= facts.blocks_per_level; ++k) {
      x = residual_block(trunk, fmt::format("{}resnets.{}", name, k), at::cat({x, skips.back()}, 1),
                         facts.channels[level]);
      skips.pop_back();
      if (facts.transformer_depth[level] > 0)
        x = transformer(trunk, fmt::format("{}attentions.{}", name, k), x, level,
                        facts.transformer_depth[level]);
    }
    if (level > 0) x = enlarged(trunk.layers, name + "upsamplers.0.conv", x, skips.back());
  }
  return x;
}

// Adds a ControlNet's residuals to what they belong to.
void add_control(const std::vector<at::Tensor>& control, std::vector<at::Tensor>& skips, at::Tensor& centre) {
  if (control.empty()) return;
  if (control.size() != skips.size() + 1)
    throw std::invalid_argument(
        fmt::format("UNet: {} residuals of a ControlNet, expected {} of skips and the middle", control.size(),
                    skips.size() + 1));
  const auto add = [](at::Tensor& to, const at::Tensor& residual) {
    if (residual.sizes() != to.sizes())
      throw std::invalid_argument(fmt::format("UNet: a ControlNet's residual is [{}], expected [{}]",
                                              fmt::join(residual.sizes(), ", "),
                                              fmt::join(to.sizes(), ", ")));
    to = to + residual;
  };
  for (std::size_t k = 0; k < skips.size(); ++k) add(skips[k], control[k]);
  add(centre, control.back());
}

}  // namespace

at::Tensor unet(Layers& layers, const UNetFacts& facts, const UNetInput& input) {
  const UNetTrunk trunk = unet_trunk(layers, facts, input);
  std::vector<at::Tensor> skips = way_down(trunk, layers.conv("conv_in", input.latents, facts.channels[0]));
  at::Tensor centre = middle(trunk, skips.back());
  add_control(input.control, skips, centre);
  const at::Tensor y = way_up(trunk, std::move(centre), std::move(skips));
  return layers.conv("conv_out", group_norm(layers, "conv_norm_out", y, 32, 1e-5, kSilu), facts.out_channels);
}

UNetFunction bind_unet(const UNetFacts& facts, const NamedTensors& weights) {
  return [facts, weights, constants = std::make_shared<Constants>()](const UNetInput& input) {
    Layers layers(weights, constants.get());
    return unet(layers, facts, checked_input(facts, input, weights.at("conv_in.weight")));
  };
}

}  // namespace upbench
