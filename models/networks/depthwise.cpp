#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "models/networks/kernel_parts.h"
#include "models/networks/kernels_of_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_LANES_NAMESPACE {
namespace {

constexpr std::size_t kSide = 3;

// Part of a line of the output, a vector of channels at a time from left to right: every pixel of the three
// lines of input is read once and adds to the outputs to its left, of its own place and to its right. weight:
// [9][channels].
void filter_part(const ChannelsLast& x, const float* image, std::int64_t y, std::int64_t first,
                 std::int64_t end, const float* weight, const Target& target) {
  const std::int64_t channels = x.channels;
  for (std::int64_t step = 0; step < channels; step += kLanes) {
    const std::int64_t channel = std::min(step, channels - kLanes);
    ChannelConstants constants;
    Lanes filter[kSide][kSide];
    const float* lines[kSide];
    load_constants(target, channel, constants);
    repeat<kSide>([&](auto k) UPBENCH_IN_PLACE {
      const std::int64_t line = y + static_cast<std::int64_t>(k) - 1;
      const bool inside = line >= 0 && line < x.height;
      // A line outside is one of zeros.
      lines[k] = inside ? image + line * x.width * x.stride + channel : nullptr;
      repeat<kSide>([&](auto j) UPBENCH_IN_PLACE {
        load(weight + static_cast<std::int64_t>(kSide * k + j) * channels + channel, filter[k][j]);
      });
    });
    Lanes left{}, here{};
    for (std::int64_t column = std::max<std::int64_t>(first - 1, 0); column <= end; ++column) {
      Lanes right{}, pixel;
      repeat<kSide>([&](auto k) UPBENCH_IN_PLACE {
        if (lines[k] == nullptr || column == x.width) return;
        load(lines[k] + column * x.stride, pixel);
        left += filter[k][2] * pixel;
        here += filter[k][1] * pixel;
        right += filter[k][0] * pixel;
      });
      if (column > first) finish(target, constants, (y * x.width + column - 1) * channels + channel, left);
      left = here;
      here = right;
    }
  }
}

}  // namespace
}  // namespace upbench::UPBENCH_LANES_NAMESPACE
UPBENCH_WIDE_VECTORS_END

namespace upbench::UPBENCH_LANES_NAMESPACE {

at::Tensor depthwise_convolution(const ConvolutionLayer& layer, const at::Tensor& x,
                                 const Following& following) {
  at::Tensor kept;
  const ChannelsLast in = channels_last(x, kept);
  const at::Tensor weight = layer.weight.reshape({in.channels, -1}).t().contiguous();
  const Output out(layer.bias, following, x, in.channels);
  const auto* const weights = weight.const_data_ptr<float>();
  // Four lines of a part stay in a core's own cache over all channels.
  constexpr std::int64_t kNumbers = 32 << 10;
  const std::int64_t part = std::max<std::int64_t>(kNumbers / in.stride, 8);
  at::parallel_for(0, x.size(0) * in.height, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      const std::int64_t image = line / in.height;
      for (std::int64_t first = 0; first < in.width; first += part)
        filter_part(in, in.image(image), line % in.height, first, std::min(first + part, in.width), weights,
                    out.image(image));
    }
  });
  return out.tensor();
}

}  // namespace upbench::UPBENCH_LANES_NAMESPACE
