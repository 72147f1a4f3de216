#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/image_fwd.h"

namespace upbench {

// How a picture is enlarged, at its right and bottom, to a size that a network takes. What the network makes
// of the added pixels is cut off again, but the pixels beside them change: scores are comparable only under
// one rule.
struct PaddingRule {
  int size_multiple = 1;  // sides become multiples of this,
  int minimum_size = 1;  // and at least this: reflected, or the last pixel repeated where a side is too short
  int mirrored = 0;  // then so many more, always, mirrored with the last pixel twice; at most size_multiple
  bool operator==(const PaddingRule&) const = default;
};

// Whose rule: that of the evaluation by the network's authors, or that of spandrel (0.4.2; what ComfyUI and
// chaiNNer run). Most networks have one rule only.
enum class Padding { authors, spandrel };

// Throws std::invalid_argument for another name.
Padding parse_padding(std::string_view name);
std::string to_string(Padding padding);

// What a side becomes.
std::int64_t padded_side(std::int64_t side, const PaddingRule& rule);

// batch [N, C, H, W] -> [N, C, H', W'], H' >= H and W' >= W; the batch itself where nothing is to be added.
at::Tensor padded(const at::Tensor& batch, const PaddingRule& rule);

}  // namespace upbench
