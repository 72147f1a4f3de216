#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "datasets/digest.h"
#include "models/diffusion/facts.h"
#include "models/diffusion/parts.h"
#include "models/embedded_models.h"

namespace upbench {

// Where the parts of a diffusion model come from. A path is a checkpoint of one file, a folder of diffusers
// (model_index.json), or what holds one part: a file, or a folder with config.json.
struct DiffusionFiles {
  std::filesystem::path checkpoint;         // may be empty where the parts are given one by one
  const EmbeddedModel* embedded = nullptr;  // in the place of a checkpoint's file; `checkpoint` is its name
  std::filesystem::path unet, vae, control_net;  // each in the place of the checkpoint's own
  std::vector<std::filesystem::path> text_encoders;
  std::vector<std::pair<std::filesystem::path, double>> loras;  // with their strengths, merged in this order
};

struct DiffusionTensors {
  ModelParts parts;
  DiffusionConfig config;                // of the folders
  std::vector<std::string> lora_unused;  // modules of LoRAs that no part of the model has, "FILE: MODULE"
  std::set<std::string> licences;        // that the files state, LoRAs too: all that bind the result
};

// Reads them; with header_only tensors are on device meta and LoRAs are not merged. Throws
// std::invalid_argument: what, in which file.
DiffusionTensors read_diffusion(const DiffusionFiles& files, bool header_only = false);

// SHA-256 over the tensor hashes of all parts, LoRAs merged: what the pixels depend on.
Digest parts_hash(const ModelParts& parts);

}  // namespace upbench
