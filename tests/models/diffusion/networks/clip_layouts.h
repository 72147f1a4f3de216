#pragma once

#include <cstdint>

#include "models/checkpoint/checkpoint.h"

namespace upbench::test {

// The tensors of a CLIP text encoder of these sizes, of device meta, by transformers' names; projection 0:
// none. The published ones: CLIP-L 12 layers, 768 wide; OpenCLIP-H 24 (23 in diffusers' folders), 1024;
// OpenCLIP-bigG 32, 1280, projected to 1280.
NamedTensors meta_text_encoder(std::int64_t layers, std::int64_t width, std::int64_t projection);

}  // namespace upbench::test
