#include "models/networks/attention.h"

#include <ATen/ATen.h>

namespace upbench {

at::Tensor plain_convolution(Layers& layers, const std::string& name, const at::Tensor& x,
                             std::int64_t outputs, const ConvOptions& options) {
  return layers.conv(name, x, outputs, options);
}

at::Tensor contrast_attention(Layers& layers, const std::string& name, const at::Tensor& x,
                              std::int64_t squeezed) {
  const at::Tensor mean = x.mean({2, 3}, true);
  const at::Tensor contrast = at::square(x - mean).mean({2, 3}, true).sqrt();
  const at::Tensor inner = layers.conv(name + ".0", contrast + mean, squeezed, {.kernel = 1, .then = kRelu});
  return x * layers.conv(name + ".2", inner, x.size(1), {.kernel = 1, .then = kSigmoid});
}

at::Tensor spatial_attention(Layers& layers, const std::string& name, const at::Tensor& x,
                             const SpatialAttention& settings) {
  const auto convolve = [&](const char* layer, const at::Tensor& y, const ConvOptions& options = {}) {
    return settings.convolution(layers, name + layer, y, settings.channels, options);
  };
  const at::Tensor narrow = layers.conv(name + ".conv1", x, settings.channels, {.kernel = 1});
  at::Tensor low = at::max_pool2d(convolve(".conv2", narrow, {.stride = 2, .padding = 0}), {7, 7}, {3, 3});
  if (settings.brief) {
    low = convolve(".conv3", low);
  } else {
    low = convolve(".conv_max", low, {.then = settings.activation});
    low = convolve(".conv3_", convolve(".conv3", low, {.then = settings.activation}));
  }
  const at::Tensor stretched = at::upsample_bilinear2d(low, {x.size(2), x.size(3)}, false);
  const at::Tensor both =
      layers.conv(name + ".conv_f", narrow, settings.channels, {.kernel = 1, .plus = stretched});
  return layers.product(layers.conv(name + ".conv4", both, x.size(1), {.kernel = 1, .then = kSigmoid}), x);
}

}  // namespace upbench
