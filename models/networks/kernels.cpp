#include "models/networks/kernels.h"

#include <vector>

#include <ATen/ATen.h>

#include "datasets/wide_vectors.h"
#include "models/networks/kernels_of_lanes.h"

namespace upbench {
namespace {

constexpr std::int64_t kLeastChannels = 16;

bool is_wide(const at::Tensor& x, std::int64_t channels) {
  return is_fusible(x) && x.scalar_type() == at::kFloat && channels >= kLeastChannels && vector_lanes() > 0;
}

bool takes(const ConvolutionLayer& layer, const at::Tensor& x, std::int64_t side) {
  const at::Tensor& weight = layer.weight;
  return is_wide(x, x.size(1)) && is_wide(weight, weight.size(0)) &&
         (x.suggest_memory_format() == at::MemoryFormat::ChannelsLast ||
          weight.suggest_memory_format() == at::MemoryFormat::ChannelsLast) &&
         weight.size(2) == side && weight.size(3) == side && layer.stride == 1 && layer.padding == side / 2 &&
         layer.dilation == 1;
}

// Of a kernel compiled for 16 and for 8 numbers, the one to call.
template <typename Function>
Function* chosen(Function* wide, Function* narrow) {
  return vector_lanes() == 16 ? wide : narrow;
}

}  // namespace

bool winograd_takes(const ConvolutionLayer& layer, const at::Tensor& x) {
  return layer.groups == 1 && takes(layer, x, 3);
}

bool depthwise_takes(const ConvolutionLayer& layer, const at::Tensor& x) {
  return layer.groups == x.size(1) && layer.weight.size(0) == x.size(1) && takes(layer, x, 3);
}

bool rows_take(const at::Tensor& weight, const at::Tensor& x) {
  return is_wide(x, x.size(-1)) && is_wide(weight, weight.size(0));
}

bool linear_attention_takes(const at::Tensor& qkv) {
  return is_wide(qkv, qkv.size(-1) / 3);
}

bool window_attention_takes(const at::Tensor& qkv) {
  return is_wide(qkv, qkv.size(-1) / 3);
}

bool pointwise_takes(const ConvolutionLayer& layer, const at::Tensor& x) {
  return layer.groups == 1 && takes(layer, x, 1);
}

at::Tensor winograd_weight(const at::Tensor& weight) {
  return chosen(lanes16::winograd_weight, lanes8::winograd_weight)(weight);
}

at::Tensor winograd_convolution(const ConvolutionLayer& layer, std::int64_t outputs, at::TensorList x,
                                const Following& following, const at::Tensor& slope) {
  return chosen(lanes16::winograd_convolution, lanes8::winograd_convolution)(layer, outputs, x, following,
                                                                             slope);
}

at::Tensor depthwise_convolution(const ConvolutionLayer& layer, const at::Tensor& x,
                                 const Following& following) {
  return chosen(lanes16::depthwise_convolution, lanes8::depthwise_convolution)(layer, x, following);
}

at::Tensor pointwise_convolution(const ConvolutionLayer& layer, const at::Tensor& x,
                                 const Following& following) {
  return chosen(lanes16::pointwise_convolution, lanes8::pointwise_convolution)(layer, x, following);
}

at::Tensor multiplied_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const Following& following) {
  const auto as_picture = [](const at::Tensor& rows) {  // [1, C, 1, rows], channels last
    return rows.defined() ? rows.reshape({1, 1, -1, rows.size(-1)}).permute({0, 3, 1, 2}) : rows;
  };
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return pointwise_convolution({.weight = weight, .bias = bias}, as_picture(x),
                               {.plus = as_picture(following.plus),
                                .times = as_picture(following.times),
                                .then = following.then})
      .permute({0, 2, 3, 1})
      .reshape(shape);
}

at::Tensor windowed_linear_attention(const at::Tensor& qkv, std::int64_t heads, std::int64_t window) {
  return chosen(lanes16::windowed_linear_attention, lanes8::windowed_linear_attention)(qkv, heads, window);
}

at::Tensor window_attention_bias(const at::Tensor& bias) {
  return chosen(lanes16::window_attention_bias, lanes8::window_attention_bias)(bias);
}

void windowed_attention(const at::Tensor& qkv, const AttentionWindows& windows, std::int64_t heads,
                        const at::Tensor& bias, std::int64_t first, std::int64_t channels,
                        const at::Tensor& out) {
  chosen(lanes16::windowed_attention, lanes8::windowed_attention)(qkv, windows, heads, bias, first, channels,
                                                                  out);
}

}  // namespace upbench
