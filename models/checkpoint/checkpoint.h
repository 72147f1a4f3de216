#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

#include "datasets/digest.h"

namespace upbench {

using NamedTensors = std::map<std::string, at::Tensor>;  // CPU tensors in the file's own dtype

struct Checkpoint {
  std::string format;    // "safetensors", "torch-zip", "torch-legacy"
  std::string dialect;   // which nested dictionary was taken: "params_ema", "params", "state_dict", "plain";
                         // prefixes stripped are named too
  NamedTensors tensors;  // after unwrapping and stripping `module.`
  std::map<std::string, std::string> metadata;
};

// Nothing in the file is executed. Throws std::invalid_argument "FILE: what, expected what".
Checkpoint read_checkpoint(const std::filesystem::path& file);
Checkpoint read_checkpoint(const void* data, std::size_t size, const std::string& name);  // embedded weights

// SHA-256 over name-sorted (name, dtype, shape, bytes).
Digest tensor_hash(const NamedTensors& tensors);

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});  // atomic

}  // namespace upbench
