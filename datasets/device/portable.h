#pragma once

// For functions that device kernels and the host share: nvcc compiles them for both, other compilers as plain
// inline functions. What a kernel does to one pixel lives in such functions (*_math.h), so that the CPU's
// tests run the arithmetic and the indices that the GPU runs.
#ifdef __CUDACC__
#define UPBENCH_HD __host__ __device__ __forceinline__
#else
#define UPBENCH_HD inline
#endif

// Before a loop over a small array that has to stay in registers.
#ifdef __CUDA_ARCH__
#define UPBENCH_UNROLL _Pragma("unroll")
#else
#define UPBENCH_UNROLL
#endif

namespace upbench {

// a x b, rounded: never part of a fused multiply-add.
UPBENCH_HD float rounded_product(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

}  // namespace upbench
