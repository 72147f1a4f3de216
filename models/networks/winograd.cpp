#include <algorithm>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "models/networks/kernel_parts.h"
#include "models/networks/kernels_of_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_LANES_NAMESPACE {
namespace {

constexpr std::int64_t kProducts = 16;  // of a tile: 4 x 4 transformed numbers a channel

// Tiles beside each other: each makes 2 x 2 pixels of the output from 4 x 4 of the input.
struct Strip {
  std::int64_t inputs, outputs, columns;  // columns: outputs rounded up to whole vectors
  std::int64_t tile_row, first, tiles;
};

UPBENCH_ALWAYS_INLINE void transform_four(Lanes (&d)[4]) {
  const Lanes first = d[0] - d[2], second = d[1] + d[2], third = d[2] - d[1], fourth = d[1] - d[3];
  d[0] = first;
  d[1] = second;
  d[2] = third;
  d[3] = fourth;
}

// 4 x 4 pixels at a vector of channels from (y, x) on; zeros outside the picture.
UPBENCH_ALWAYS_INLINE void load_tile(const ChannelsLast& in, const float* image, std::int64_t y,
                                     std::int64_t x, Lanes (&d)[4][4]) {
  const bool inside = x >= 0 && x + 4 <= in.width && y >= 0 && y + 4 <= in.height;
  repeat<4>([&](auto k) UPBENCH_IN_PLACE {
    const std::int64_t row = y + static_cast<std::int64_t>(k);
    repeat<4>([&](auto j) UPBENCH_IN_PLACE {
      const std::int64_t column = x + static_cast<std::int64_t>(j);
      if (inside || (row >= 0 && row < in.height && column >= 0 && column < in.width))
        load(image + (row * in.width + column) * in.stride, d[k][j]);
      else
        d[k][j] = Lanes{};
    });
  });
}

// -> the channels of transformed [16][tiles][inputs] that begin there.
UPBENCH_ALWAYS_INLINE void transform_input(const ChannelsLast& in, const float* image, const Strip& strip,
                                           float* transformed) {
  const std::int64_t plane = strip.tiles * strip.inputs;
  for (std::int64_t tile = 0; tile < strip.tiles; ++tile) {
    for (std::int64_t step = 0; step < in.channels; step += kLanes) {
      const std::int64_t channel = std::min(step, in.channels - kLanes);
      Lanes d[4][4];
      load_tile(in, image + channel, 2 * strip.tile_row - 1, 2 * (strip.first + tile) - 1, d);
      repeat<4>([&](auto k) UPBENCH_IN_PLACE { transform_four(d[k]); });
      float* const to = transformed + tile * strip.inputs + channel;
      repeat<4>([&](auto j) UPBENCH_IN_PLACE {
        Lanes column[4] = {d[0][j], d[1][j], d[2][j], d[3][j]};
        transform_four(column);
        repeat<4>([&](auto k) UPBENCH_IN_PLACE {
          store(column[k], to + static_cast<std::int64_t>(4 * k + j) * plane);
        });
      });
    }
  }
}

constexpr std::int64_t kTilesMultiple = 24;  // of every kRowsAtOnce

template <std::size_t kVectors>
UPBENCH_ALWAYS_INLINE void multiply_columns(const float* a, std::int64_t inputs, const float* b, float* c,
                                            const Strip& strip) {
  constexpr auto kAtOnce = static_cast<std::int64_t>(kRowsAtOnce<kVectors>);
  std::int64_t tile = 0;
  for (; tile + kAtOnce <= strip.tiles; tile += kAtOnce)
    multiply_block<kRowsAtOnce<kVectors>, kVectors>({a + tile * inputs, inputs, inputs}, {b, strip.columns},
                                                    c + tile * strip.columns, strip.columns);
  for (; tile < strip.tiles; ++tile)
    multiply_block<1, kVectors>({a + tile * inputs, inputs, inputs}, {b, strip.columns},
                                c + tile * strip.columns, strip.columns);
}

// [16][tiles][inputs] times [16][inputs][columns] -> [16][tiles][columns].
UPBENCH_ALWAYS_INLINE void multiply(const float* transformed, const float* weights, float* products,
                                    const Strip& strip) {
  const std::int64_t inputs = strip.inputs;
  for (std::int64_t k = 0; k < kProducts; ++k) {
    const float *const a = transformed + k * strip.tiles * inputs, *const b =
                                                                       weights + k * inputs * strip.columns;
    float* const c = products + k * strip.tiles * strip.columns;
    for (std::int64_t column = 0; column < strip.columns;) {
      const std::int64_t left = (strip.columns - column) / kLanes;
      // Five are taken as three and two: one alone takes nearly as long as two.
      const std::int64_t vectors = left == 5 && kMostVectors > 2 ? 3 : std::min(left, kMostVectors);
      with_vectors(vectors, [&](auto count) UPBENCH_IN_PLACE {
        multiply_columns<count>(a, inputs, b + column, c + column, strip);
      });
      column += vectors * kLanes;
    }
  }
}

// products: [16][tiles][columns].
UPBENCH_ALWAYS_INLINE void transform_output(const ChannelsLast& in, const float* products, const Strip& strip,
                                            const Target& target) {  // in: of the output's height and width
  const std::int64_t plane = strip.tiles * strip.columns, y = 2 * strip.tile_row;
  for (std::int64_t tile = 0; tile < strip.tiles; ++tile) {
    const std::int64_t x = 2 * (strip.first + tile);
    const bool right = x + 1 < in.width, below = y + 1 < in.height;
    for (std::int64_t step = 0; step < strip.outputs; step += kLanes) {
      const std::int64_t channel = std::min(step, strip.outputs - kLanes);
      ChannelConstants constants;
      Lanes rows[2][4];
      repeat<4>([&](auto j) UPBENCH_IN_PLACE {
        Lanes m[4];
        repeat<4>([&](auto k) UPBENCH_IN_PLACE {
          load(products + static_cast<std::int64_t>(4 * k + j) * plane + tile * strip.columns + channel,
               m[k]);
        });
        rows[0][j] = m[0] + m[1] + m[2];
        rows[1][j] = m[1] - m[2] - m[3];
      });
      load_constants(target, channel, constants);
      repeat<2>([&](auto k) UPBENCH_IN_PLACE {
        if (k == 1 && !below) return;
        const auto& row = rows[k];
        const std::int64_t at = ((y + static_cast<std::int64_t>(k)) * in.width + x) * strip.outputs + channel;
        Lanes pixel = row[0] + row[1] + row[2];
        finish(target, constants, at, pixel);
        if (!right) return;
        pixel = row[1] - row[2] - row[3];
        finish(target, constants, at + strip.outputs, pixel);
      });
    }
  }
}

void convolve(const std::vector<ChannelsLast>& parts, std::int64_t image, const float* weights,
              const Strip& strip, const Target& target, float* memory) {
  float* const products = memory + kProducts * strip.tiles * strip.inputs;
  float* transformed = memory;
  for (const ChannelsLast& in : parts) {
    transform_input(in, in.image(image), strip, transformed);
    transformed += in.channels;
  }
  multiply(memory, weights, products, strip);
  transform_output(parts[0], products, strip, target);
}

}  // namespace
}  // namespace upbench::UPBENCH_LANES_NAMESPACE
UPBENCH_WIDE_VECTORS_END

namespace upbench::UPBENCH_LANES_NAMESPACE {
namespace {

// What a strip's transformed numbers and products take stays in a core's own cache, beside the weights.
std::int64_t tiles_at_once(std::int64_t channels) {
  constexpr std::int64_t kBytes = 400 << 10;
  const std::int64_t most = kBytes / (kProducts * channels * static_cast<std::int64_t>(sizeof(float)));
  return std::max(most / kTilesMultiple * kTilesMultiple, kTilesMultiple);
}

}  // namespace

at::Tensor winograd_weight(const at::Tensor& weight) {
  const std::int64_t outputs = weight.size(0), inputs = weight.size(1),
                     columns = (outputs + kLanes - 1) / kLanes * kLanes;
  const at::Tensor g =
      at::tensor({1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.0, 0.0, 1.0}, at::kDouble).reshape({4, 3});
  at::Tensor values = at::zeros({kProducts, inputs, columns}, at::kFloat);
  values.narrow(2, 0, outputs)
      .copy_(at::einsum("ay,bx,oiyx->abio", {g, g, weight.to(at::kDouble)}).flatten(0, 1));
  return values;
}

at::Tensor winograd_convolution(const ConvolutionLayer& layer, std::int64_t outputs, at::TensorList x,
                                const Following& following, const at::Tensor& slope) {
  std::vector<at::Tensor> kept(x.size());
  std::vector<ChannelsLast> parts;
  for (std::size_t i = 0; i < x.size(); ++i) parts.push_back(channels_last(x[i], kept[i]));
  const Output out(layer.bias, following, x[0], outputs, slope);
  const std::int64_t inputs = layer.weight.size(1), columns = layer.weight.size(2),
                     rows = (parts[0].height + 1) / 2, across = (parts[0].width + 1) / 2,
                     most = std::min(tiles_at_once(inputs + columns), across);
  const auto* const weights = layer.weight.const_data_ptr<float>();
  at::parallel_for(0, x[0].size(0) * rows, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> memory(static_cast<std::size_t>(kProducts * most * (inputs + columns)));
    for (std::int64_t line = begin; line < end; ++line) {
      const std::int64_t image = line / rows;
      for (std::int64_t first = 0; first < across; first += most) {
        const Strip strip{inputs, outputs, columns, line % rows, first, std::min(most, across - first)};
        convolve(parts, image, weights, strip, out.image(image), memory.data());
      }
    }
  });
  return out.tensor();
}

}  // namespace upbench::UPBENCH_LANES_NAMESPACE
