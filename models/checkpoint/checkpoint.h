#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/digest.h"

namespace upbench {

using NamedTensors = std::map<std::string, at::Tensor>;  // CPU tensors in the file's own dtype

struct Checkpoint {
  std::string format;    // "safetensors", "torch-zip", "torch-legacy"
  std::string dialect;   // where the tensors were: the path of keys, "params_ema", "state_dict/params",
                         // "plain" (outermost); a whole pickled module and prefixes stripped are named too;
                         // the beginning of names that was taken for a key, as that key
  NamedTensors tensors;  // after unwrapping and stripping `module.`
  std::map<std::string, std::string> metadata;
};

// Nothing in the file is executed. Peak memory: the tensors, the largest one again where the file stores it
// with others, and less than 64 MB. param_key replaces the rule by which the tensors are found (dialect.h).
// Throws std::invalid_argument "FILE: what, expected what".
Checkpoint read_checkpoint(const std::filesystem::path& file, std::string_view param_key = {});
Checkpoint read_checkpoint(const void* data, std::size_t size, const std::string& name,
                           std::string_view param_key = {});

struct TensorEntry {
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
};

// A Checkpoint without the tensors' bytes, which are not read: the time does not depend on their size.
struct CheckpointHeader {
  std::string format, dialect;
  std::map<std::string, TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
};
CheckpointHeader read_checkpoint_header(const std::filesystem::path& file, std::string_view param_key = {});

// What a safetensors file says of its licence, as it says it ("license" or ModelSpec's "modelspec.license");
// empty: nothing. The formats of torch have no place for it.
std::string stated_licence(const std::map<std::string, std::string>& metadata);

// SHA-256 over name-sorted (name, dtype, shape, bytes).
Digest tensor_hash(const NamedTensors& tensors);

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});  // atomic

}  // namespace upbench
