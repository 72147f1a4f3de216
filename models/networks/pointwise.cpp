#include <algorithm>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "models/networks/kernel_parts.h"
#include "models/networks/kernels_of_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_LANES_NAMESPACE {
namespace {

struct Rows {
  Factors x;
  std::int64_t outputs, first, count;
};

template <std::size_t kRows, std::size_t kVectors>
UPBENCH_ALWAYS_INLINE void multiply_rows(const Rows& rows, std::int64_t row, const Columns& columns,
                                         std::int64_t first_vector, const Target& target) {
  float products[kRows * kVectors * kLanes];
  constexpr std::int64_t kStride = kVectors * kLanes;
  multiply_block<kRows, kVectors>({rows.x.data + row * rows.x.stride, rows.x.inputs, rows.x.stride}, columns,
                                  products, kStride);
  // What follows is long: a loop, not one copy for each vector.
#pragma GCC unroll 1
  for (std::int64_t vector = 0; vector < static_cast<std::int64_t>(kVectors); ++vector) {
    const std::int64_t channel = std::min((first_vector + vector) * kLanes, rows.outputs - kLanes);
    ChannelConstants constants;
    Lanes value;
    load_constants(target, channel, constants);
#pragma GCC unroll 1
    for (std::int64_t k = 0; k < static_cast<std::int64_t>(kRows); ++k) {
      load(products + k * kStride + vector * kLanes, value);
      finish(target, constants, (row + k) * rows.outputs + channel, value);
    }
  }
}

template <std::size_t kVectors>
UPBENCH_ALWAYS_INLINE void multiply_columns(const Rows& rows, const float* packed, std::int64_t first_vector,
                                            const Target& target) {
  constexpr auto kAtOnce = static_cast<std::int64_t>(kRowsAtOnce<kVectors>);
  const Columns columns{packed, kVectors * kLanes};
  std::int64_t row = rows.first;
  const std::int64_t end = rows.first + rows.count;
  for (; row + kAtOnce <= end; row += kAtOnce)
    multiply_rows<kRowsAtOnce<kVectors>, kVectors>(rows, row, columns, first_vector, target);
  for (; row < end; ++row) multiply_rows<1, kVectors>(rows, row, columns, first_vector, target);
}

void multiply(const Rows& rows, const float* packed, std::int64_t first_vector, std::int64_t vectors,
              const Target& target) {
  with_vectors(vectors, [&](auto count) UPBENCH_IN_PLACE {
    multiply_columns<count>(rows, packed, first_vector, target);
  });
}

}  // namespace
}  // namespace upbench::UPBENCH_LANES_NAMESPACE
UPBENCH_WIDE_VECTORS_END

namespace upbench::UPBENCH_LANES_NAMESPACE {
namespace {

// Columns are taken in groups of nearly equal numbers of vectors, at most kMostVectors.
template <typename Body>
void for_each_group(std::int64_t outputs, const Body& body) {
  const std::int64_t vectors = (outputs + kLanes - 1) / kLanes,
                     groups = (vectors + kMostVectors - 1) / kMostVectors;
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t first = group * vectors / groups;
    body(first, (group + 1) * vectors / groups - first);
  }
}

// weight [outputs, inputs] -> one group after the other, each [inputs, its columns]. The last vector of
// columns ends where the matrix does, so that stores need no mask: some columns are in two.
at::Tensor packed(const at::Tensor& weight) {
  const std::int64_t outputs = weight.size(0), inputs = weight.size(1);
  const at::Tensor matrix = weight.contiguous(),
                   result = at::empty({(outputs + kLanes - 1) / kLanes * kLanes * inputs}, weight.options());
  const auto* const from = matrix.const_data_ptr<float>();
  auto* to = result.mutable_data_ptr<float>();
  for_each_group(outputs, [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t i = 0; i < inputs; ++i)
      for (std::int64_t vector = first; vector < first + count; ++vector)
        for (std::int64_t lane = 0; lane < kLanes; ++lane)
          *to++ = from[(std::min(vector * kLanes, outputs - kLanes) + lane) * inputs + i];
  });
  return result;
}

}  // namespace

at::Tensor pointwise_convolution(const ConvolutionLayer& layer, const at::Tensor& x,
                                 const Following& following) {
  constexpr std::int64_t kStrip = 96;  // rows: their inputs stay in the cache over all groups
  at::Tensor kept;
  const ChannelsLast in = channels_last(x, kept);
  const std::int64_t outputs = layer.weight.size(0), rows = x.size(0) * in.height * in.width;
  const at::Tensor weight = packed(layer.weight.reshape({outputs, in.channels}));
  const Output out(layer.bias, following, x, outputs);
  const Target target = out.image(0);
  const auto* const columns = weight.const_data_ptr<float>();
  at::parallel_for(0, (rows + kStrip - 1) / kStrip, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t strip = begin; strip < end; ++strip) {
      const std::int64_t first = strip * kStrip;
      const Rows part{{in.data, in.channels, in.stride}, outputs, first, std::min(kStrip, rows - first)};
      for_each_group(outputs, [&](std::int64_t vector, std::int64_t count) {
        multiply(part, columns + vector * kLanes * in.channels, vector, count, target);
      });
    }
  });
  return out.tensor();
}

}  // namespace upbench::UPBENCH_LANES_NAMESPACE
