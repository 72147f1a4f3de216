#pragma once

#include <type_traits>
#include <vector>

#include <ATen/ATen.h>

#include "models/networks/lanes.h"

namespace upbench {

// [N, C, H, W] whose channels lie side by side in memory: a pixel is `stride` numbers behind the one before
// it.
struct ChannelsLast {
  const float* data;
  std::int64_t channels, height, width, stride;

  const float* image(std::int64_t index) const { return data + index * height * width * stride; }
};

// x itself, or a copy in `kept`: a slice of the channels of a tensor stays where it is.
inline ChannelsLast channels_last(const at::Tensor& x, at::Tensor& kept) {
  const std::int64_t stride = x.stride(3);
  const bool fits = x.stride(1) == 1 && stride >= x.size(1) && x.stride(2) == x.size(3) * stride &&
                    (x.size(0) == 1 || x.stride(0) == x.size(2) * x.stride(2));
  kept = fits ? x : x.contiguous(at::MemoryFormat::ChannelsLast);
  return {kept.const_data_ptr<float>(), x.size(1), x.size(2), x.size(3), fits ? stride : x.size(1)};
}

// Where results go and what follows them; numbers are addressed from the output's first.
struct Target {
  const float* bias;  // these three: null where there is none
  const float* plus;
  const float* times;
  const float* slope;  // of a parametric ReLU, one a channel, which follows last; null: none
  float* out;
  Activation then;
};

// Keeps what a target points to, dense with channels last.
class Output {
 public:
  Output(const at::Tensor& bias, const Following& following, const at::Tensor& x, std::int64_t channels,
         const at::Tensor& slope = {})
      : out_(at::empty({x.size(0), channels, x.size(2), x.size(3)},
                       x.options().memory_format(at::MemoryFormat::ChannelsLast))),
        bias_(bias.defined() ? bias.contiguous() : bias),
        plus_(dense(following.plus)),
        times_(dense(following.times)),
        slope_(slope.defined() ? slope.contiguous() : slope),
        then_(following.then) {}

  const at::Tensor& tensor() const { return out_; }
  Target image(std::int64_t index) const {
    const std::int64_t at = index * out_.size(1) * out_.size(2) * out_.size(3);
    return {data(bias_, 0),
            data(plus_, at),
            data(times_, at),
            data(slope_, 0),
            out_.mutable_data_ptr<float>() + at,
            then_};
  }

 private:
  static at::Tensor dense(const at::Tensor& x) {
    return x.defined() ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
  }
  static const float* data(const at::Tensor& x, std::int64_t at) {
    return x.defined() ? x.const_data_ptr<float>() + at : nullptr;
  }

  at::Tensor out_, bias_, plus_, times_, slope_;
  Activation then_;
};

}  // namespace upbench

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_LANES_NAMESPACE {

// Of the channels of a vector.
struct ChannelConstants {
  Lanes bias, slope;
};

UPBENCH_ALWAYS_INLINE void load_constants(const Target& target, std::int64_t channel,
                                          ChannelConstants& constants) {
  constants.bias = constants.slope = Lanes{};
  if (target.bias != nullptr) load(target.bias + channel, constants.bias);
  if (target.slope != nullptr) load(target.slope + channel, constants.slope);
}

// value: channels of a pixel, the first of which is number `at` of the output.
UPBENCH_ALWAYS_INLINE void finish(const Target& target, const ChannelConstants& constants, std::int64_t at,
                                  Lanes& value) {
  Lanes other;
  value += constants.bias;
  if (target.plus != nullptr) {
    load(target.plus + at, other);
    value += other;
  }
  if (target.times != nullptr) {
    load(target.times + at, other);
    value *= other;
  }
  activate(target.then, value);
  if (target.slope != nullptr) value = value > 0 ? value : value * constants.slope;
  store(value, target.out + at);
}

struct Factors {
  const float* data;  // rows of `inputs` numbers: rows are `stride` apart, their numbers `step`
  std::int64_t inputs, stride, step = 1;
};
struct Columns {
  const float* data;  // `inputs` rows, `stride` apart
  std::int64_t stride;
};

// c = a b for kRows rows and kVectors * 16 columns, in registers. c: rows `c_stride` apart.
template <std::size_t kRows, std::size_t kVectors>
UPBENCH_ALWAYS_INLINE void multiply_block(const Factors& a, const Columns& b, float* c,
                                          std::int64_t c_stride) {
  Lanes sums[kRows][kVectors];
  repeat<kRows>([&](auto row) UPBENCH_IN_PLACE {
    repeat<kVectors>([&](auto vector) UPBENCH_IN_PLACE { sums[row][vector] = Lanes{}; });
  });
  const float* columns = b.data;
  for (std::int64_t i = 0; i < a.inputs; ++i, columns += b.stride) {
    Lanes weights[kVectors];
    repeat<kVectors>([&](auto vector) UPBENCH_IN_PLACE { load(columns + vector * kLanes, weights[vector]); });
    repeat<kRows>([&](auto row) UPBENCH_IN_PLACE {
      const float factor = a.data[static_cast<std::int64_t>(row) * a.stride + i * a.step];
      repeat<kVectors>([&](auto vector) UPBENCH_IN_PLACE { sums[row][vector] += weights[vector] * factor; });
    });
  }
  repeat<kRows>([&](auto row) UPBENCH_IN_PLACE {
    repeat<kVectors>([&](auto vector) UPBENCH_IN_PLACE {
      store(sums[row][vector], c + static_cast<std::int64_t>(row) * c_stride + vector * kLanes);
    });
  });
}

// The same for any number of rows, kRows at a time.
template <std::size_t kRows, std::size_t kVectors>
UPBENCH_ALWAYS_INLINE void multiply_blocks(const Factors& a, const Columns& b, std::int64_t rows, float* c,
                                           std::int64_t c_stride) {
  const auto from = [&](std::int64_t row) UPBENCH_IN_PLACE {
    return Factors{a.data + row * a.stride, a.inputs, a.stride, a.step};
  };
  std::int64_t row = 0;
  for (; row + static_cast<std::int64_t>(kRows) <= rows; row += static_cast<std::int64_t>(kRows))
    multiply_block<kRows, kVectors>(from(row), b, c + row * c_stride, c_stride);
  for (; row < rows; ++row) multiply_block<1, kVectors>(from(row), b, c + row * c_stride, c_stride);
}

// How many vectors of columns and how many rows are multiplied at once: of 32 or 16 registers, some are left
// for the columns.
inline constexpr std::int64_t kMostVectors = kLanes == 16 ? 4 : 2;
template <std::size_t kVectors>
inline constexpr std::size_t kRowsAtOnce = kLanes == 8     ? 12 / kVectors
                                           : kVectors == 4 ? 6
                                           : kVectors == 3 ? 8
                                                           : 12;

// body(count) with `count` as a constant, 1 to kMostVectors.
template <typename Body>
UPBENCH_ALWAYS_INLINE void with_vectors(std::int64_t count, const Body& body) {
  if (count == 1) return body(std::integral_constant<std::size_t, 1>());
  if (count == 2) return body(std::integral_constant<std::size_t, 2>());
  if constexpr (kMostVectors > 2) {
    if (count == 3) return body(std::integral_constant<std::size_t, 3>());
    body(std::integral_constant<std::size_t, 4>());
  }
}

}  // namespace upbench::UPBENCH_LANES_NAMESPACE
UPBENCH_WIDE_VECTORS_END
