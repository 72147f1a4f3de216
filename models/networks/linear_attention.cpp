#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "models/networks/kernel_parts.h"
#include "models/networks/kernels_of_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_LANES_NAMESPACE {
namespace {

constexpr std::size_t kRows = 4;  // of what is between keys and values, at once

struct Shape {
  std::int64_t channels, heads, width, window, tokens, padded;  // width: channels / heads; tokens: window^2
};

// A window's tokens, `padded` numbers each, which is more than channels by a vector or more. products:
// [width][kLanes].
struct Memory {
  float *q, *k, *v, *products;
};

// Over tokens, in place.
UPBENCH_ALWAYS_INLINE void softmax(float* k, const Shape& shape) {
  for (std::int64_t channel = 0; channel < shape.channels; channel += kLanes) {
    Lanes most, sum{}, value;
    load(k + channel, most);
    for (std::int64_t token = 1; token < shape.tokens; ++token) {
      load(k + token * shape.padded + channel, value);
      most = value > most ? value : most;
    }
    for (std::int64_t token = 0; token < shape.tokens; ++token) {
      load(k + token * shape.padded + channel, value);
      value -= most;
      exponential(value);
      sum += value;
      store(value, k + token * shape.padded + channel);
    }
    sum = 1 / sum;
    for (std::int64_t token = 0; token < shape.tokens; ++token) {
      load(k + token * shape.padded + channel, value);
      value *= sum;
      store(value, k + token * shape.padded + channel);
    }
  }
}

// out: q k^T v of one head, over the head's values; of its numbers, those behind `width` are of no use.
UPBENCH_ALWAYS_INLINE void attend(const Memory& memory, std::int64_t head, const Shape& shape, float scale,
                                  float* out) {
  const std::int64_t first = head * shape.width;
  for (std::int64_t column = 0; column < shape.width; column += kLanes) {
    const Columns values{memory.v + first + column, shape.padded};
    multiply_blocks<kRows, 1>({memory.k + first, shape.tokens, 1, shape.padded}, values, shape.width,
                              memory.products, kLanes);
    for (std::int64_t i = 0; i < shape.width * kLanes; ++i) memory.products[i] *= scale;
    multiply_blocks<kRowsAtOnce<1>, 1>({memory.q + first, shape.width, shape.padded},
                                       {memory.products, kLanes}, shape.tokens, out + first + column,
                                       shape.padded);
  }
}

void attend_in_window(const Memory& memory, const Shape& shape, float* out) {
  softmax(memory.k, shape);
  const float scale = 1 / std::sqrt(static_cast<float>(shape.width));
  // In this order: what a head writes behind its channels is overwritten by the next.
  for (std::int64_t head = 0; head < shape.heads; ++head) attend(memory, head, shape, scale, out);
}

}  // namespace
}  // namespace upbench::UPBENCH_LANES_NAMESPACE
UPBENCH_WIDE_VECTORS_END

namespace upbench::UPBENCH_LANES_NAMESPACE {

at::Tensor windowed_linear_attention(const at::Tensor& qkv, std::int64_t heads, std::int64_t window) {
  const at::Tensor input = qkv.contiguous();
  const std::int64_t channels = input.size(3) / 3, height = input.size(1), width = input.size(2),
                     across = width / window, windows = input.size(0) * (height / window) * across;
  const Shape shape{channels, heads,           channels / heads,
                    window,   window * window, (channels + kLanes - 1) / kLanes * kLanes + kLanes};
  const at::Tensor result = at::empty({input.size(0), height, width, channels}, input.options());
  const auto* const from = input.const_data_ptr<float>();
  auto* const to = result.mutable_data_ptr<float>();
  at::parallel_for(0, windows, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t part = shape.tokens * shape.padded;
    std::vector<float> numbers(static_cast<std::size_t>(4 * part + shape.width * kLanes));
    const Memory memory{numbers.data(), numbers.data() + part, numbers.data() + 2 * part,
                        numbers.data() + 4 * part};
    float* const out = numbers.data() + 3 * part;
    for (std::int64_t index = begin; index < end; ++index) {
      // Rows of the picture of all images, one under the other.
      const std::int64_t first = index / across * window * width + index % across * window;
      const auto for_each_token = [&](const auto& body) {
        for (std::int64_t token = 0; token < shape.tokens; ++token)
          body(first + token / window * width + token % window, token * shape.padded);
      };
      for_each_token([&](std::int64_t token, std::int64_t at) {
        for (std::int64_t k = 0; k < 3; ++k)
          std::copy_n(from + (3 * token + k) * channels, channels, numbers.data() + k * part + at);
      });
      attend_in_window(memory, shape, out);
      for_each_token([&](std::int64_t token, std::int64_t at) {
        std::copy_n(out + at, channels, to + token * channels);
      });
    }
  });
  return result;
}

}  // namespace upbench::UPBENCH_LANES_NAMESPACE
