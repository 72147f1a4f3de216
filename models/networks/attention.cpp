#include "models/networks/attention.h"

#include <ATen/ATen.h>

namespace upbench {

at::Tensor plain_convolution(Layers& layers, const std::string& name, const at::Tensor& x,
                             std::int64_t outputs, const ConvOptions& options) {
  return layers.conv(name, x, outputs, options);
}

at::Tensor slightly_leaky(const at::Tensor& x) {
  return at::leaky_relu(x, 0.05);
}

at::Tensor contrast_attention(Layers& layers, const std::string& name, const at::Tensor& x,
                              std::int64_t squeezed) {
  const at::Tensor mean = x.mean({2, 3}, true);
  const at::Tensor contrast = (x - mean).square().mean({2, 3}, true).sqrt();
  const at::Tensor inner = at::relu(layers.conv(name + ".0", contrast + mean, squeezed, {.kernel = 1}));
  return x * at::sigmoid(layers.conv(name + ".2", inner, x.size(1), {.kernel = 1}));
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
    low = settings.activation(convolve(".conv_max", low));
    low = convolve(".conv3_", settings.activation(convolve(".conv3", low)));
  }
  const at::Tensor stretched = at::upsample_bilinear2d(low, {x.size(2), x.size(3)}, false);
  const at::Tensor kept = layers.conv(name + ".conv_f", narrow, settings.channels, {.kernel = 1});
  return x * at::sigmoid(layers.conv(name + ".conv4", stretched + kept, x.size(1), {.kernel = 1}));
}

}  // namespace upbench
