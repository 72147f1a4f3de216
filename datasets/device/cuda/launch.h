#pragma once

#include <cuda_runtime_api.h>

namespace upbench {

// Whether the kernel just launched was taken; an earlier error of the device shows here too.
inline int launched() {
  return static_cast<int>(cudaGetLastError());
}

inline int refused() {
  return static_cast<int>(cudaErrorInvalidValue);
}

inline cudaStream_t as_stream(void* stream) {
  return static_cast<cudaStream_t>(stream);
}

inline unsigned blocks(int count, int per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

// Of rows, along a grid's second side, which takes no more than these: a block goes on with the rows that are
// gridDim.y blocks further down.
inline unsigned row_blocks(int count, int per_block) {
  constexpr unsigned kMost = 65535;
  const unsigned wanted = blocks(count, per_block);
  return wanted < kMost ? wanted : kMost;
}

}  // namespace upbench
