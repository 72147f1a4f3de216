#include "models/diffusion/networks/wide_layers.h"

#include <optional>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace upbench {
namespace {

using Optional = std::optional<at::Tensor>;
using Binary = at::Tensor(const at::Tensor& x, const at::Tensor& other, const at::Tensor& weight,
                          const Optional& bias, std::string_view operation);
using Scalars = c10::List<std::optional<at::Scalar>>;
using Unary = at::Tensor(const at::Tensor& x, const at::Tensor& weight, const Optional& bias,
                         std::string_view activation, Scalars scalars,
                         std::optional<std::string_view> algorithm);

template <typename Signature>
c10::TypedOperatorHandle<Signature> operation(const char* overload) {
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow("mkldnn::_linear_pointwise", overload)
      .typed<Signature>();
}

// operation: "add", "mul".
at::Tensor with_other(const at::Tensor& x, const at::Tensor& weight, const Optional& bias,
                      const at::Tensor& other, std::string_view arithmetic) {
  static const auto run = operation<Binary>("binary");
  return run.call(x, other.contiguous(), weight, bias, arithmetic);
}

at::Tensor activated_by(const Activation& then, const at::Tensor& x, const at::Tensor& weight,
                        const Optional& bias) {
  static const auto run = operation<Unary>("");
  if (then.kind == Activation::Kind::gelu) return run.call(x, weight, bias, "gelu", Scalars(), "none");
  return activated(run.call(x, weight, bias, "none", Scalars(), ""), then);
}

at::Tensor followed(at::Tensor y, const Following& following) {
  if (following.plus.defined()) y = y.add_(following.plus);
  if (following.times.defined()) y = y.mul_(following.times);
  return activated(y, following.then);
}

}  // namespace

at::Tensor wide_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const Following& following) {
  const Optional shift = bias.defined() ? Optional(bias) : std::nullopt;
  if (!is_fusible(x)) return followed(at::linear(x, weight, shift), following);
  const auto& [plus, times, then] = following;
  if (plus.defined())
    return followed(with_other(x, weight, shift, plus, "add"), {.times = times, .then = then});
  if (times.defined()) return activated(with_other(x, weight, shift, times, "mul"), then);
  return activated_by(then, x, weight, shift);
}

at::Tensor wide_convolution(const ConvolutionLayer& layer, const at::Tensor& x, const Following& following) {
  // Beside channels last, ATen would bring the weights into that order in every call, which takes as long as
  // a small picture's convolution; the picture is the lesser of the two.
  const bool is_plain = x.is_cpu() && layer.weight.is_contiguous();
  const at::Tensor y = at::conv2d(is_plain ? x.contiguous() : x, layer.weight, layer.bias, layer.stride,
                                  layer.padding, layer.dilation, layer.groups);
  return followed(y.contiguous(at::MemoryFormat::ChannelsLast), following);
}

}  // namespace upbench
