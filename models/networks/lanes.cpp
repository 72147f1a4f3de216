#include "models/networks/lanes.h"

#include <ATen/ATen.h>

#include "models/networks/kernels.h"

namespace upbench {
namespace {

bool is_wide(const at::Tensor& x, std::int64_t channels) {
  return is_fusible(x) && x.scalar_type() == at::kFloat && channels >= kLanes && has_wide_vectors();
}

bool takes(const ConvolutionLayer& layer, const at::Tensor& x, std::int64_t side) {
  const at::Tensor& weight = layer.weight;
  return is_wide(x, x.size(1)) && is_wide(weight, weight.size(0)) &&
         (x.suggest_memory_format() == at::MemoryFormat::ChannelsLast ||
          weight.suggest_memory_format() == at::MemoryFormat::ChannelsLast) &&
         weight.size(2) == side && weight.size(3) == side && layer.stride == 1 && layer.padding == side / 2 &&
         layer.dilation == 1;
}

}  // namespace

bool has_wide_vectors() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2") &&
                          __builtin_cpu_supports("fma");
  return has;
#else
  return false;
#endif
}

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

}  // namespace upbench
