#include <ATen/ATen.h>
#include <fmt/format.h>

#include "metrics/entries.h"
#include "metrics/lpips.h"

namespace upbench {
namespace {

// SqueezeNet 1.1 as in torchvision: a convolution and eight fire modules, seven stages. Pooling rounds its
// size up.
std::vector<at::Tensor> stages(const NamedTensors& weights, const at::Tensor& batch) {
  const auto convolve = [&](const at::Tensor& x, const std::string& key, int stride, int padding) {
    return exact_convolution(x, weights.at(key + ".weight"), weights.at(key + ".bias"), stride, padding)
        .relu_();
  };
  const auto pool = [](const at::Tensor& x) { return at::max_pool2d(x, 3, 2, 0, 1, /*ceil_mode=*/true); };
  const auto fire = [&](const at::Tensor& x, int index) {
    const std::string key = fmt::format("features.{}.", index);
    const at::Tensor squeezed = convolve(x, key + "squeeze", 1, 0);
    return at::cat({convolve(squeezed, key + "expand1x1", 1, 0), convolve(squeezed, key + "expand3x3", 1, 1)},
                   1);
  };

  const at::Tensor first = convolve(batch, "features.0", 2, 0);
  const at::Tensor second = fire(fire(pool(first), 3), 4);
  const at::Tensor third = fire(fire(pool(second), 6), 7);
  const at::Tensor fourth = fire(pool(third), 9);
  const at::Tensor fifth = fire(fourth, 10);
  const at::Tensor sixth = fire(fifth, 11);
  const at::Tensor seventh = fire(sixth, 12);
  return {first, second, third, fourth, fifth, sixth, seventh};
}

}  // namespace

Metric lpips_squeeze() {
  return {.name = "lpips-squeeze",
          .unit = "",
          .convention = "LPIPS v0.1, SqueezeNet 1.1, RGB, whole picture",
          .better = Better::lower,
          .version = 2,
          .decimals = 4,
          .make = [](std::string& reason) {
            return make_lpips(
                {"SqueezeNet 1.1", "squeezenet1_1_features.pth", "lin_v0.1_squeeze.pth", 17, stages}, reason);
          }};
}

}  // namespace upbench
