#pragma once

namespace upbench::cuda {

// The values of a block's kThreads threads (a power of two) combined in a fixed order, hence the same result
// each time. Valid in thread 0.
template <int kThreads, typename Value, typename Combine>
__device__ Value over_block(Value own, Combine combine) {
  __shared__ Value all[kThreads];
  all[threadIdx.x] = own;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) all[threadIdx.x] = combine(all[threadIdx.x], all[threadIdx.x + half]);
  }
  return all[0];
}

}  // namespace upbench::cuda
