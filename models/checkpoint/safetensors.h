#pragma once

#include "models/checkpoint/byte_source.h"
#include "models/checkpoint/checkpoint.h"

namespace upbench {

// Does the file begin as a safetensors file does: eight bytes of length, then '{'?
bool looks_like_safetensors(const ByteSource& source);

// Each tensor gets memory of its own. Throws std::invalid_argument without the file's name.
Checkpoint read_safetensors(const ByteSource& source);

}  // namespace upbench
