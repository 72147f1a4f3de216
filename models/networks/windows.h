#pragma once

#include "models/networks/layers.h"

namespace upbench {

// What transformers that attend within rectangular windows have in common. Tokens are [N, H, W, C].

at::Tensor to_tokens(const at::Tensor& x);         // [N, C, H, W] -> [N, H, W, C]
at::Tensor from_tokens(const at::Tensor& tokens);  // and back

// Moved by so many rows and columns, what leaves on one side returning on the other.
at::Tensor rolled(const at::Tensor& tokens, std::int64_t down, std::int64_t right);

// H and W are multiples of the window's. -> [N * windows, height * width, C], windows row by row.
at::Tensor to_windows(const at::Tensor& tokens, std::int64_t height, std::int64_t width);
// -> [N, H, W, C] of the shape that `tokens` has but for C.
at::Tensor from_windows(const at::Tensor& windows, std::int64_t height, std::int64_t width,
                        const at::Tensor& tokens);

// Dimension `dim` continued to `length` (at least its own), reflected there and back as often as that takes.
at::Tensor reflected_to(const at::Tensor& x, std::int64_t dim, std::int64_t length);

// How far a position of a window is from another: [(2 height - 1) (2 width - 1), 2], rows and columns from
// 1 - height and 1 - width up, the column fastest.
at::Tensor relative_offsets(std::int64_t height, std::int64_t width);
// The row of relative_offsets() for positions (of, from): [height * width, height * width] of int64.
at::Tensor relative_index(std::int64_t height, std::int64_t width);

// Dynamic position bias (CrossFormer, Wang et al. 2021): a small network of `inner` channels makes a bias for
// each head from an offset. offsets [n, 2] -> [n, heads].
at::Tensor dynamic_position_bias(Layers& layers, const std::string& name, const at::Tensor& offsets,
                                 std::int64_t inner, std::int64_t heads);

// [channels, channels]: `value` where both belong to the same of `heads` heads, else 0. A product of q, k and
// v of all heads at once (of few channels each), weighed by this, is faster than one for each head.
at::Tensor same_head(std::int64_t channels, std::int64_t heads, double value, const at::Tensor& like);

// Two linear layers around GELU, plus a tensor of the tokens' shape.
at::Tensor perceptron(Layers& layers, const std::string& name, const at::Tensor& tokens, std::int64_t hidden,
                      const at::Tensor& plus);

// The mean colour of DIV2K in RGB, [1, 3, 1, 1], as x is.
at::Tensor div2k_mean(Layers& layers, const at::Tensor& x);

}  // namespace upbench
