#include "models/networks/prepared.h"

#include <utility>

#include <ATen/ATen.h>

#include "models/networks/kernels.h"

namespace upbench {

PreparedConvolution prepared(ConvolutionLayer layer) {
  PreparedConvolution made{.layer = std::move(layer)};
  const at::Tensor& weight = made.layer.weight;  // has the type, the layout and the channels of its input
  if (!weight.requires_grad() && winograd_takes(made.layer, weight)) made.winograd = winograd_weight(weight);
  return made;
}

at::Tensor convolution(const PreparedConvolution& prepared, at::TensorList x, const Following& following) {
  const ConvolutionLayer& layer = prepared.layer;
  const bool alone = x.size() == 1 && !is_fusible(x[0]);  // differentiated
  if (!prepared.winograd.defined() || alone) return convolution(layer, x[0], following);
  return winograd_convolution({.weight = prepared.winograd, .bias = layer.bias}, layer.weight.size(0), x,
                              following);
}

}  // namespace upbench
