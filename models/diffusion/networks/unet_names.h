#pragma once

#include <map>
#include <string>

#include "models/diffusion/networks/control_net.h"
#include "models/diffusion/networks/unet.h"

namespace upbench {

// Names as the authors of Stable Diffusion ("LDM") gave them, against those of diffusers, which are canonical
// here. Shapes are the same in both, so nothing is copied.

// From names below "model.diffusion_model.". A name that no UNet of this kind has stays as it is;
// unet_facts() will say so. Throws std::invalid_argument where two tensors would have one name, or where the
// names tell no levels.
NamedTensors unet_from_ldm(const NamedTensors& tensors);
// From names below "control_model.".
NamedTensors control_net_from_ldm(const NamedTensors& tensors);

// Whether names are LDM's, below those prefixes.
bool has_ldm_unet_names(const NamedTensors& tensors);

// Canonical -> LDM, of all tensors of a layout.
std::map<std::string, std::string> ldm_unet_names(const UNetFacts& facts);
std::map<std::string, std::string> ldm_control_net_names(const ControlNetFacts& facts);

}  // namespace upbench
