#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "datasets/device/cuda/launch.h"
#include "datasets/device/kernel_table.h"

namespace upbench::cuda {

// Rounded to nearest even, as LibTorch converts.
struct Convert {
  __device__ float operator()(float value) const { return value; }
  __device__ float operator()(__half value) const { return __half2float(value); }
  __device__ float operator()(__nv_bfloat16 value) const { return __bfloat162float(value); }
};
template <typename Element>
struct Store;
template <>
struct Store<float> {
  __device__ float operator()(float value) const { return value; }
};
template <>
struct Store<__half> {
  __device__ __half operator()(float value) const { return __float2half_rn(value); }
};
template <>
struct Store<__nv_bfloat16> {
  __device__ __nv_bfloat16 operator()(float value) const { return __float2bfloat16_rn(value); }
};

// Calls function(Element{}) for a float type; u8 is refused.
template <typename Function>
int by_type(PixelType type, Function function) {
  switch (type) {
    case PixelType::f32:
      return function(float{});
    case PixelType::f16:
      return function(__half{});
    case PixelType::bf16:
      return function(__nv_bfloat16{});
    case PixelType::u8:
      break;
  }
  return refused();
}

}  // namespace upbench::cuda
