#pragma once

#include "models/networks/kernels.h"

// The kernels of kernels.h as compiled for vectors of 16 and of 8 numbers.
#define UPBENCH_KERNELS                                                                                  \
  at::Tensor winograd_weight(const at::Tensor& weight);                                                  \
  at::Tensor winograd_convolution(const ConvolutionLayer& layer, std::int64_t outputs, at::TensorList x, \
                                  const Following& following, const at::Tensor& slope);                  \
  at::Tensor depthwise_convolution(const ConvolutionLayer& layer, const at::Tensor& x,                   \
                                   const Following& following);                                          \
  at::Tensor pointwise_convolution(const ConvolutionLayer& layer, const at::Tensor& x,                   \
                                   const Following& following);                                          \
  at::Tensor windowed_linear_attention(const at::Tensor& qkv, std::int64_t heads, std::int64_t window);  \
  at::Tensor window_attention_bias(const at::Tensor& bias);                                              \
  void windowed_attention(const at::Tensor& qkv, const AttentionWindows& windows, std::int64_t heads,    \
                          const at::Tensor& bias, std::int64_t first, std::int64_t channels,             \
                          const at::Tensor& out);

namespace upbench::lanes16 {
UPBENCH_KERNELS
}
namespace upbench::lanes8 {
UPBENCH_KERNELS
}
#undef UPBENCH_KERNELS
