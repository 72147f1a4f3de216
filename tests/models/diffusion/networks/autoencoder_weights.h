#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "models/checkpoint/checkpoint.h"

namespace upbench::test {

// What tests ask of an AutoencoderKL; `ldm` gives its tensors the names of LDM checkpoints.
struct AutoencoderShape {
  std::vector<std::int64_t> channels;
  std::int64_t blocks = 1, latents = 4;
  bool latent_convs = true;
  bool ldm = false;
};
inline const AutoencoderShape kStableDiffusion15{.channels = {128, 256, 512, 512}, .blocks = 2};
inline const AutoencoderShape kSmall{.channels = {32, 64}};

// Names and shapes, written down here apart from the program's own.
std::vector<std::pair<std::string, std::vector<std::int64_t>>> autoencoder_tensors(
    const AutoencoderShape& shape);

// Those without numbers, on device meta.
NamedTensors hollow_autoencoder(const AutoencoderShape& shape);
// Norms around 1, biases around 0, matrices by their fan in.
NamedTensors random_autoencoder(const AutoencoderShape& shape, std::uint64_t seed);

NamedTensors cast(const NamedTensors& tensors, at::ScalarType dtype);

}  // namespace upbench::test
