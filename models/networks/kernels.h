#pragma once

#include <cstdint>

#include "models/networks/fused.h"

// Convolutions by this program's own loops, for float32 with channels last, where they are faster than
// oneDNN's: by fewer products, or with what follows the layer in the same pass. Any number of threads gives
// the same bits. They must not run where vector_lanes() is 0; nothing is taken there.
namespace upbench {

// Whether these convolutions take a layer (its weight as it is in the file) of x: all take 16 channels or
// more.
bool winograd_takes(const ConvolutionLayer& layer, const at::Tensor& x);
bool depthwise_takes(const ConvolutionLayer& layer, const at::Tensor& x);
bool pointwise_takes(const ConvolutionLayer& layer, const at::Tensor& x);

// A 3x3 convolution of stride 1, padded by a pixel of zeros, as F(2x2, 3x3) of "Fast algorithms for
// convolutional neural networks" (Lavin and Gray, 2016): 16 products make 2 x 2 pixels instead of 36. No less
// exact: half the error of the sum by definition. weight: [outputs, inputs, 3, 3] -> [16, inputs, outputs
// rounded up to whole vectors by zeros].
at::Tensor winograd_weight(const at::Tensor& weight);
// layer.weight is what winograd_weight() made of that of `outputs` outputs. x: the input, or several tensors
// of 16 channels or more that would have to be concatenated to be it. slope: of a parametric ReLU that
// follows last, one a channel.
at::Tensor winograd_convolution(const ConvolutionLayer& layer, std::int64_t outputs, at::TensorList x,
                                const Following& following = {}, const at::Tensor& slope = {});

// One 3x3 filter a channel, stride 1, padded by a pixel of zeros. layer.weight: [channels, 1, 3, 3].
at::Tensor depthwise_convolution(const ConvolutionLayer& layer, const at::Tensor& x,
                                 const Following& following = {});

// layer.weight: [outputs, inputs, 1, 1].
at::Tensor pointwise_convolution(const ConvolutionLayer& layer, const at::Tensor& x,
                                 const Following& following = {});
// x [..., inputs], weight [outputs, inputs], following's tensors [..., outputs].
bool rows_take(const at::Tensor& weight, const at::Tensor& x);
at::Tensor multiplied_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const Following& following = {});

// Of queries, keys and values qkv [N, H, W, 3 C], in windows of `window` x `window` tokens, H and W multiples
// of it, and heads of C / heads channels each: q (softmax(k)^T v) / sqrt(C / heads), the softmax over a
// window's tokens. -> [N, H, W, C].
bool linear_attention_takes(const at::Tensor& qkv);
at::Tensor windowed_linear_attention(const at::Tensor& qkv, std::int64_t heads, std::int64_t window);

// Windows of a picture whose height and width are multiples of theirs. The first begins `down` rows and
// `right` columns off (less than a window), and the last wrap around the picture.
struct AttentionWindows {
  std::int64_t height = 0, width = 0, down = 0, right = 0;
};
bool window_attention_takes(const at::Tensor& qkv);
// [heads, queries, keys] -> [heads, keys, queries rounded up to whole vectors by zeros].
at::Tensor window_attention_bias(const at::Tensor& bias);
// Of queries, keys and values qkv [N, H, W, 3 C], those of `channels` channels from `first` on, in heads of
// channels / heads each: softmax(q k^T / sqrt(channels / heads) + bias) v, within windows, into the same
// channels of out [N, H, W, C], which is contiguous. bias is what window_attention_bias() made.
void windowed_attention(const at::Tensor& qkv, const AttentionWindows& windows, std::int64_t heads,
                        const at::Tensor& bias, std::int64_t first, std::int64_t channels,
                        const at::Tensor& out);

}  // namespace upbench
