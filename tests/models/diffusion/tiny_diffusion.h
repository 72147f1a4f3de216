#pragma once

#include <cstdint>
#include <filesystem>

#include "models/diffusion/parts.h"

namespace upbench::test {

// A whole diffusion model of the kind of Stable Diffusion 1 with random weights, small enough to run in
// milliseconds: UNet of 32 and 64 channels, context 32 wide; autoencoder that halves once; text encoder of
// two layers that knows the tokens of write_small_vocabulary().
ModelParts tiny_diffusion(std::uint64_t seed);

// As one file with LDM's names, in half precision, and training's leftovers beside; as a folder of diffusers.
void write_ldm_checkpoint(const std::filesystem::path& file, std::uint64_t seed);
void write_diffusers_folder(const std::filesystem::path& folder, std::uint64_t seed);

// A ControlNet for it, whose hint is as large as the picture (2 pixels to a latent). context_width: another
// makes one for another family.
NamedTensors tiny_control_net(std::uint64_t seed, std::int64_t context_width = 32);

}  // namespace upbench::test
