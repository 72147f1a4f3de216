#pragma once

#include <functional>
#include <vector>

#include "models/diffusion/networks/unet.h"

namespace upbench {

// A ControlNet ("Adding conditional control to text-to-image diffusion models", Zhang et al. 2023): the way
// down and the middle of a UNet, which besides the latents see a picture, the hint. Tensors are named as
// diffusers names them (unet_names.h translates those of the authors' files).
struct ControlNetFacts {
  UNetFacts trunk;                          // out_channels 0, no layout: which UNets it fits
  std::vector<std::int64_t> hint_channels;  // of the convolutions that halve the hint between each other
  Layout layout;
  double macs = 0;  // of one forward, one picture of 64 x 64 latents
};

// As unet_facts(), which see for `heads`.
ControlNetFacts control_net_facts(const NamedTensors& tensors, const std::vector<std::int64_t>& heads = {});

// Why this ControlNet does not fit that UNet; empty: it does.
std::string control_net_mismatch(const ControlNetFacts& control_net, const UNetFacts& unet);

// hint: [N, 3, 8 h, 8 w], values in [0, 1], for latents of h x w. -> UNetInput::control of weight 1: the
// residuals of the skips in order, then the middle's.
using ControlNetFunction =
    std::function<std::vector<at::Tensor>(const UNetInput& input, const at::Tensor& hint)>;

// weights: canonical names, all of one dtype and device.
ControlNetFunction bind_control_net(const ControlNetFacts& facts, const NamedTensors& weights);

}  // namespace upbench
