#pragma once

#include <functional>
#include <string_view>

#include "models/checkpoint/byte_source.h"
#include "models/checkpoint/checkpoint.h"

namespace upbench {

// What the reader of one format makes of a file before it reads a tensor.
struct OpenedCheckpoint {
  CheckpointHeader header;             // by the names of the file
  std::size_t prefix_bytes = 0;        // at the start of every name, to be dropped
  std::function<NamedTensors()> load;  // the tensors of the header; the source must still be there
};

// All throw std::invalid_argument without the file's name.
OpenedCheckpoint open_safetensors(const ByteSource& source, std::string_view param_key);
OpenedCheckpoint open_torch_zip(const ByteSource& source, std::string_view param_key);
OpenedCheckpoint open_torch_legacy(const ByteSource& source, std::string_view param_key);

// Does the file begin as a safetensors file does: eight bytes of length, then '{'?
bool looks_like_safetensors(const ByteSource& source);

}  // namespace upbench
