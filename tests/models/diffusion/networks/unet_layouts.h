#pragma once

#include "models/diffusion/networks/unet.h"

namespace upbench::test {

// The published models, as their authors' configurations describe them (without layout and macs).
UNetFacts stable_diffusion_1();
UNetFacts stable_diffusion_2();
UNetFacts sdxl_base();
UNetFacts sdxl_refiner();
UNetFacts x4_upscaler();

// Tensors of device meta, canonical names.
NamedTensors meta_tensors(const UNetFacts& facts);

// Random weights of which every one matters: norms around 1, biases around 0, matrices by their fan in.
NamedTensors random_weights(const Layout& layout, std::uint64_t seed);

double parameters(const NamedTensors& tensors);

}  // namespace upbench::test
