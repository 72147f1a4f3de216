#include <ATen/ATen.h>
#include <fmt/format.h>

#include "metrics/entries.h"
#include "metrics/lpips.h"

namespace upbench {
namespace {

// AlexNet as in torchvision: five convolutions, the stages after each ReLU.
std::vector<at::Tensor> stages(const NamedTensors& weights, const at::Tensor& batch) {
  const auto convolve = [&](const at::Tensor& x, int index, int stride, int padding) {
    const at::Tensor& weight = weights.at(fmt::format("features.{}.weight", index));
    return exact_convolution(x, weight, weights.at(fmt::format("features.{}.bias", index)), stride, padding)
        .relu_();
  };
  const auto pool = [](const at::Tensor& x) { return at::max_pool2d(x, 3, 2); };

  const at::Tensor first = convolve(batch, 0, 4, 2);
  const at::Tensor second = convolve(pool(first), 3, 1, 2);
  const at::Tensor third = convolve(pool(second), 6, 1, 1);
  const at::Tensor fourth = convolve(third, 8, 1, 1);
  const at::Tensor fifth = convolve(fourth, 10, 1, 1);
  return {first, second, third, fourth, fifth};
}

}  // namespace

Metric lpips_alex() {
  return {.name = "lpips-alex",
          .unit = "",
          .convention = "LPIPS v0.1, AlexNet, RGB, whole picture",
          .better = Better::lower,
          .version = 2,
          .decimals = 4,
          .make = [](std::string& reason) {
            return make_lpips({"AlexNet", "alexnet_features.pth", "lin_v0.1_alex.pth", 31, stages}, reason);
          }};
}

}  // namespace upbench
