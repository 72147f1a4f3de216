#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace upbench {

// The most bytes of tensors on `device` that were alive at once because of `work`: what LibTorch's allocators
// hand out to the calling thread (weights and inputs made before are not in it, nor is scratch memory inside
// a library's kernels). The same count on the CPU and on GPUs. 0: the allocator in use does not report.
std::uint64_t peak_tensor_bytes(const std::string& device, const std::function<void()>& work);

}  // namespace upbench
