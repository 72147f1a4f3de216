#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "models/networks/kernel_parts.h"
#include "models/networks/kernels_of_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_LANES_NAMESPACE {
namespace {

struct Shape {
  std::int64_t channels, heads, width, tokens,
      padded;  // width: channels / heads; padded: tokens, to whole vectors
};

// Of one window. Scores and results lie with the queries side by side, so that no sum goes across a vector.
struct Memory {
  float* q;       // [channels][padded]
  float *k, *v;   // [tokens][channels]
  float* scores;  // of one head: [tokens][padded], a row a key
  float* sums;    // of a head's scores: [padded]
  float* out;     // [channels][padded]
};

// c = a b for any number of rows and columns (whole vectors).
UPBENCH_ALWAYS_INLINE void multiply(const Factors& a, const Columns& b, std::int64_t rows,
                                    std::int64_t columns, float* c) {
  const auto some = [&](std::int64_t column, const auto vectors) UPBENCH_IN_PLACE {
    multiply_blocks<4, vectors>(a, {b.data + column, b.stride}, rows, c + column, columns);
  };
  constexpr std::int64_t kColumns = kMostVectors * kLanes;
  std::int64_t column = 0;
  for (; column + kColumns <= columns; column += kColumns)
    some(column, std::integral_constant<std::size_t, kMostVectors>());
  for (; column < columns; column += kLanes) some(column, std::integral_constant<std::size_t, 1>());
}

// exp(scores + bias - the greatest) of a vector of queries from `query` on, in place, and their sums over the
// keys.
UPBENCH_ALWAYS_INLINE void exponentials(const Memory& memory, const float* bias, std::int64_t query,
                                        const Shape& shape) {
  Lanes most = Lanes{} - std::numeric_limits<float>::max(), sum{}, value, added;
  for (std::int64_t key = 0; key < shape.tokens; ++key) {
    float* const at = memory.scores + key * shape.padded + query;
    load(at, value);
    load(bias + key * shape.padded + query, added);
    value += added;
    store(value, at);
    most = value > most ? value : most;
  }
  for (std::int64_t key = 0; key < shape.tokens; ++key) {
    float* const at = memory.scores + key * shape.padded + query;
    load(at, value);
    value -= most;
    exponential(value);
    sum += value;
    store(value, at);
  }
  store(sum, memory.sums + query);
}

// bias: of one head, as the scores.
UPBENCH_ALWAYS_INLINE void attend(const Memory& memory, std::int64_t head, const float* bias,
                                  const Shape& shape) {
  const std::int64_t first = head * shape.width;
  multiply({memory.k + first, shape.width, shape.channels}, {memory.q + first * shape.padded, shape.padded},
           shape.tokens, shape.padded, memory.scores);
  for (std::int64_t query = 0; query < shape.padded; query += kLanes)
    exponentials(memory, bias, query, shape);
  float* const out = memory.out + first * shape.padded;
  multiply({memory.v + first, shape.tokens, 1, shape.channels}, {memory.scores, shape.padded}, shape.width,
           shape.padded, out);
  for (std::int64_t row = 0; row < shape.width; ++row)
    for (std::int64_t query = 0; query < shape.padded; query += kLanes) {
      Lanes value, sum;
      load(out + row * shape.padded + query, value);
      load(memory.sums + query, sum);
      value /= sum;
      store(value, out + row * shape.padded + query);
    }
}

void attend_in_window(const Memory& memory, const float* bias, const Shape& shape) {
  for (std::int64_t head = 0; head < shape.heads; ++head)
    attend(memory, head, bias + head * shape.tokens * shape.padded, shape);
}

}  // namespace
}  // namespace upbench::UPBENCH_LANES_NAMESPACE
UPBENCH_WIDE_VECTORS_END

namespace upbench::UPBENCH_LANES_NAMESPACE {

at::Tensor window_attention_bias(const at::Tensor& bias) {
  const std::int64_t tokens = bias.size(1), padded = (tokens + kLanes - 1) / kLanes * kLanes;
  return at::constant_pad_nd(bias.transpose(1, 2), {0, padded - tokens}).contiguous();
}

void windowed_attention(const at::Tensor& qkv, const AttentionWindows& windows, std::int64_t heads,
                        const at::Tensor& bias, std::int64_t first, std::int64_t channels,
                        const at::Tensor& out) {
  const at::Tensor input = qkv.contiguous();
  const std::int64_t height = input.size(1), width = input.size(2), features = input.size(3) / 3,
                     across = width / windows.width, in_picture = across * (height / windows.height),
                     tokens = windows.height * windows.width;
  const Shape shape{channels, heads, channels / heads, tokens, bias.size(2)};
  const float scale = 1 / std::sqrt(static_cast<float>(shape.width));
  const auto *const from = input.const_data_ptr<float>(), *const biases = bias.const_data_ptr<float>();
  auto* const to = out.mutable_data_ptr<float>();
  const std::int64_t into = out.size(3);
  at::parallel_for(0, input.size(0) * in_picture, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t across_queries = channels * shape.padded, part = tokens * channels;
    std::vector<float> numbers(
        static_cast<std::size_t>(2 * across_queries + 2 * part + (tokens + 1) * shape.padded));
    Memory memory{.q = numbers.data()};
    memory.out = memory.q + across_queries;
    memory.k = memory.out + across_queries;
    memory.v = memory.k + part;
    memory.scores = memory.v + part;
    memory.sums = memory.scores + tokens * shape.padded;
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t image = index / in_picture, window = index % in_picture,
                         top = window / across * windows.height + windows.down,
                         left = window % across * windows.width + windows.right;
      // body(where the token is in the picture, its number)
      const auto for_each_token = [&](const auto& body) {
        for (std::int64_t token = 0; token < tokens; ++token)
          body((image * height + (top + token / windows.width) % height) * width +
                   (left + token % windows.width) % width,
               token);
      };
      for_each_token([&](std::int64_t at, std::int64_t token) {
        const float* const q = from + 3 * at * features + first;
        for (std::int64_t c = 0; c < channels; ++c) memory.q[c * shape.padded + token] = scale * q[c];
        std::copy_n(q + features, channels, memory.k + token * channels);
        std::copy_n(q + 2 * features, channels, memory.v + token * channels);
      });
      attend_in_window(memory, biases, shape);
      for_each_token([&](std::int64_t at, std::int64_t token) {
        for (std::int64_t c = 0; c < channels; ++c)
          to[at * into + first + c] = memory.out[c * shape.padded + token];
      });
    }
  });
}

}  // namespace upbench::UPBENCH_LANES_NAMESPACE
