#include "models/networks/fused.h"

#include <optional>
#include <string>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cpu/Utils.h>
#include <c10/core/GradMode.h>

#include "models/networks/kernels.h"

namespace upbench {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using OptionalTensor = std::optional<at::Tensor>;
using Text = std::optional<std::string_view>;
using Unary = at::Tensor(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                         at::IntArrayRef padding, at::IntArrayRef stride, at::IntArrayRef dilation,
                         std::int64_t groups, std::string_view activation, Scalars scalars, Text algorithm);
using Binary = at::Tensor(const at::Tensor& x, const at::Tensor& other, const at::Tensor& weight,
                          const OptionalTensor& bias, at::IntArrayRef padding, at::IntArrayRef stride,
                          at::IntArrayRef dilation, std::int64_t groups, std::string_view operation,
                          std::optional<at::Scalar> alpha, Text activation, Scalars scalars, Text algorithm);
using InPlace = at::Tensor&(at::Tensor& sum, const at::Tensor& x, const at::Tensor& weight,
                            const OptionalTensor& bias, at::IntArrayRef padding, at::IntArrayRef stride,
                            at::IntArrayRef dilation, std::int64_t groups, std::string_view operation,
                            std::optional<at::Scalar> alpha, Text activation, Scalars scalars,
                            Text algorithm);
using Linear = at::Tensor(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                          std::string_view activation, Scalars scalars, Text algorithm);

template <typename Signature>
c10::TypedOperatorHandle<Signature> operation(const char* name, const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

bool has_operations() {
  static const bool has =
      at::hasMKLDNN() &&
      c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", ""}).has_value();
  return has;
}

// What oneDNN asks of a processor before it computes in bfloat16.
bool has_bfloat16() {
  static const bool has = [] {
    const auto capabilities = at::cpu::get_cpu_capabilities();
    const auto entry = capabilities.find("avx512_bw");
    return entry != capabilities.end() && entry->second.isBool() && entry->second.toBool();
  }();
  return has;
}

OptionalTensor optional(const at::Tensor& tensor) {
  return tensor.defined() ? OptionalTensor(tensor) : std::nullopt;
}

struct PostOperation {
  std::string_view name;
  std::string_view algorithm = "";
  Scalars scalars = Scalars();
};

PostOperation post_operation(const Activation& activation) {
  switch (activation.kind) {
    case Activation::Kind::none:
      break;
    case Activation::Kind::relu:
      return {"relu"};
    case Activation::Kind::leaky_relu:
      return {"leaky_relu", "", Scalars({std::optional<at::Scalar>(activation.slope)})};
    case Activation::Kind::gelu:
      return {"gelu", "none"};  // not the approximation by tanh
    case Activation::Kind::silu:
      return {"swish"};
    case Activation::Kind::sigmoid:
      return {"sigmoid"};
  }
  return {"none"};
}

at::Tensor with_activation(const ConvolutionLayer& layer, const at::Tensor& x, const Activation& activation) {
  static const auto run = operation<Unary>("mkldnn::_convolution_pointwise", "");
  const PostOperation post = post_operation(activation);
  return run.call(x, layer.weight, optional(layer.bias), {layer.padding, layer.padding},
                  {layer.stride, layer.stride}, {layer.dilation, layer.dilation}, layer.groups, post.name,
                  post.scalars, post.algorithm);
}

// arithmetic: "add", "mul".
at::Tensor with_other(const ConvolutionLayer& layer, const at::Tensor& x, const at::Tensor& other,
                      std::string_view arithmetic) {
  static const auto run = operation<Binary>("mkldnn::_convolution_pointwise", "binary");
  return run.call(x, other, layer.weight, optional(layer.bias), {layer.padding, layer.padding},
                  {layer.stride, layer.stride}, {layer.dilation, layer.dilation}, layer.groups, arithmetic,
                  at::Scalar(1.0), std::nullopt, Scalars(), std::nullopt);
}

bool has_channels_last(const at::Tensor& x) {
  return x.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
}

}  // namespace

at::Tensor activated(at::Tensor x, const Activation& activation) {
  switch (activation.kind) {
    case Activation::Kind::none:
      break;
    case Activation::Kind::relu:
      return at::relu_(x);
    case Activation::Kind::leaky_relu:
      return at::leaky_relu_(x, activation.slope);
    case Activation::Kind::gelu:
      return at::gelu_(x);
    case Activation::Kind::silu:
      return at::silu_(x);
    case Activation::Kind::sigmoid:
      return at::sigmoid_(x);
  }
  return x;
}

bool is_differentiated(const at::Tensor& x) {
  return c10::GradMode::is_enabled() && x.requires_grad();
}

bool is_fusible(const at::Tensor& x) {
  if (!x.is_cpu() || is_differentiated(x) || !has_operations()) return false;
  return x.scalar_type() == at::kFloat || (x.scalar_type() == at::kBFloat16 && has_bfloat16());
}

at::Tensor convolution(const ConvolutionLayer& layer, const at::Tensor& x, const Following& following) {
  const auto& [plus, times, then] = following;
  if (!is_fusible(x) || is_differentiated(layer.weight) ||
      !(has_channels_last(x) || has_channels_last(layer.weight))) {
    at::Tensor y =
        at::conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups);
    if (plus.defined()) y = y + plus;
    return activated(times.defined() ? y * times : y, then);
  }
  if (depthwise_takes(layer, x)) return depthwise_convolution(layer, x, following);
  if (pointwise_takes(layer, x)) return pointwise_convolution(layer, x, following);
  if (plus.defined()) {
    at::Tensor y = with_other(layer, x, plus, "add");
    return activated(times.defined() ? y.mul_(times) : y, then);
  }
  return times.defined() ? activated(with_other(layer, x, times, "mul"), then)
                         : with_activation(layer, x, then);
}

void add_convolution(const ConvolutionLayer& layer, const at::Tensor& x, at::Tensor& sum) {
  static const auto run = operation<InPlace>("mkldnn::_convolution_pointwise_", "binary");
  run.call(sum, x, layer.weight, optional(layer.bias), {layer.padding, layer.padding},
           {layer.stride, layer.stride}, {layer.dilation, layer.dilation}, layer.groups, "add",
           at::Scalar(1.0), std::nullopt, Scalars(), std::nullopt);
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  const Activation& then, const at::Tensor& plus) {
  if (rows_take(weight, x)) return multiplied_rows(x, weight, bias, {.plus = plus, .then = then});
  // A product with a vector is slower in oneDNN.
  if (!is_fusible(x) || weight.size(0) == 1 || plus.defined()) {
    const at::Tensor y = at::linear(x, weight, bias);
    return activated(plus.defined() ? y + plus : y, then);
  }
  static const auto run = operation<Linear>("mkldnn::_linear_pointwise", "");
  const PostOperation post = post_operation(then);
  return run.call(x, weight, optional(bias), post.name, post.scalars, post.algorithm);
}

}  // namespace upbench
