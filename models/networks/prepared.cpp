#include "models/networks/prepared.h"

#include <utility>

#include <ATen/ATen.h>

#include "datasets/device/pixels.h"
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

at::Tensor rectified_convolution(const PreparedConvolution& prepared, const at::Tensor& x,
                                 const at::Tensor& slope) {
  const ConvolutionLayer& layer = prepared.layer;
  if (is_differentiated(x) || is_differentiated(slope))
    return parametric_relu(convolution(prepared, x), slope);
  if (prepared.winograd.defined() && is_fusible(x))
    return winograd_convolution({.weight = prepared.winograd, .bias = layer.bias}, layer.weight.size(0), x,
                                {}, slope.expand({layer.weight.size(0)}));
  const PixelKernels* table = kernels_for(kernel_choice().rectify, x);
  if (table == nullptr || !layer.bias.defined() || slope.numel() != layer.bias.numel())
    return parametric_relu(convolution(prepared, x), slope);
  ConvolutionLayer alone = layer;
  alone.bias = at::Tensor();
  const at::Tensor y = convolution(alone, x).contiguous(at::MemoryFormat::ChannelsLast);
  kernels::rectify(*table, y, layer.bias, slope);
  return y;
}

}  // namespace upbench
