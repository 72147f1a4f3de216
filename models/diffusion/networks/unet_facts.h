#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/diffusion/networks/unet.h"
#include "models/networks/layers.h"

namespace upbench {

// Derives all but out_channels, layout and macs of a UNet's trunk (unet_trunk.h). `what` begins the messages.
UNetFacts trunk_facts(const NamedTensors& tensors, const std::vector<std::int64_t>& heads,
                      const std::string& what);

// Fills a network's layout from its function, and throws std::invalid_argument that names what differs where
// `tensors` are not exactly that layout.
using DeclaredNetwork = std::function<void(Layers& layers, const UNetInput& input)>;
Layout checked_layout(const UNetFacts& facts, const NamedTensors& tensors, const DeclaredNetwork& network,
                      const std::string& what);

// Multiply-accumulates of `network` for height x width latents. Attention's work grows with the square of the
// pixels and all else with their number, so three small pictures tell that of any size exactly, where the
// sides are multiples of what the levels halve.
double work_of(const UNetFacts& facts, const DeclaredNetwork& network, std::int64_t height,
               std::int64_t width, std::int64_t tokens);

}  // namespace upbench
