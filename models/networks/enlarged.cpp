#include "models/networks/enlarged.h"

#include <cstring>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

namespace upbench {
namespace {

// corners [N, 4 C, H + 1, W + 1] -> [N, C, 2 H, 2 W], both with channels last.
at::Tensor from_corners(const at::Tensor& corners) {
  const std::int64_t channels = corners.size(1) / 4, width = corners.size(3) - 1,
                     rows = 2 * (corners.size(2) - 1);
  const at::Tensor out = at::empty({corners.size(0), channels, rows, 2 * width},
                                   corners.options().memory_format(at::MemoryFormat::ChannelsLast));
  const auto pixel = static_cast<std::size_t>(channels * corners.element_size());
  const auto* const source = static_cast<const char*>(corners.const_data_ptr());
  auto* const target = static_cast<char*>(out.mutable_data_ptr());
  at::parallel_for(0, corners.size(0) * rows, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      // Row 2 i - 1 lies above the corners of row i, row 2 i below them.
      const std::int64_t image = line / rows, row = line % rows, below = (row + 1) % 2;
      const std::int64_t corner_row = image * corners.size(2) + (row + 1) / 2;
      const char* from =
          source + static_cast<std::size_t>(corner_row * (width + 1)) * 4 * pixel + 2 * below * pixel;
      char* to = target + static_cast<std::size_t>(line * 2 * width) * pixel;
      std::memcpy(to, from + pixel, pixel);  // nothing lies left of the first corner
      to += pixel;
      for (std::int64_t corner = 1; corner < width; ++corner, to += 2 * pixel)
        std::memcpy(to, from += 4 * pixel, 2 * pixel);
      std::memcpy(to, from + 4 * pixel, pixel);
    }
  });
  return out;
}

}  // namespace

ConvolutionLayer folded_for_corners(const ConvolutionLayer& layer) {
  // Which of the three rows of weights fall on the input row above the corner and on that below it: for the
  // output row above the corner, and for that below it.
  const at::Tensor rows = at::tensor({1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1}, at::kFloat)
                              .reshape({2, 2, 3})
                              .to(layer.weight.device());
  const at::Tensor weight =
      at::einsum("apy,bqx,oiyx->aboipq", {rows, rows, layer.weight.to(at::kFloat)}).flatten(0, 2);
  return {.weight = weight.to(layer.weight.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast),
          .bias = layer.bias.defined() ? layer.bias.repeat({4}) : at::Tensor(),
          .padding = 1};
}

at::Tensor enlarged_convolution(const ConvolutionLayer& layer, const ConvolutionLayer& folded,
                                const at::Tensor& x, const Activation& then) {
  if (is_fusible(x) && x.suggest_memory_format() == at::MemoryFormat::ChannelsLast)
    return from_corners(convolution(folded, x, {.then = then}));
  return convolution(layer, at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}), {.then = then});
}

}  // namespace upbench
