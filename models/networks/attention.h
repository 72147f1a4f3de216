#pragma once

#include <string>

#include "models/networks/layers.h"

namespace upbench {

// How a block convolves: plain in most networks, blueprint separable in BSRN.
using Convolution = at::Tensor (*)(Layers& layers, const std::string& name, const at::Tensor& x,
                                   std::int64_t outputs, const ConvOptions& options);

at::Tensor plain_convolution(Layers& layers, const std::string& name, const at::Tensor& x,
                             std::int64_t outputs, const ConvOptions& options);

// IMDN's activation and that of the networks that came from it.
inline constexpr Activation kSlightlyLeaky = leaky_relu_of(0.05);

// Contrast-aware channel attention (CCA; IMDN, Hui et al. 2019): channels are weighed by what two 1x1
// convolutions through `squeezed` channels make of their mean plus standard deviation (of the population)
// over the picture.
at::Tensor contrast_attention(Layers& layers, const std::string& name, const at::Tensor& x,
                              std::int64_t squeezed);

struct SpatialAttention {
  std::int64_t channels = 0;  // inside
  bool brief = false;         // RLFN's: one convolution at low resolution instead of three with activations
  Convolution convolution = plain_convolution;
  Activation activation = kRelu;
};

// Enhanced spatial attention (ESA; RFANet, Liu et al. 2020): pixels are weighed by a map that is made at
// about a sixth of the resolution and stretched over the picture. So a tile differs from the same part of the
// picture, however large its context: networks with it have no receptive radius.
at::Tensor spatial_attention(Layers& layers, const std::string& name, const at::Tensor& x,
                             const SpatialAttention& settings);

// The least height and width that spatial attention works on: a 3x3 convolution of stride 2 and a 7x7
// maximum, both without padding.
inline constexpr int kSpatialAttentionMinimum = 15;

}  // namespace upbench
