#include "metrics/lpips.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

namespace upbench {
namespace {

namespace fs = std::filesystem;

struct Network {
  LpipsTrunk trunk;
  NamedTensors weights;
  std::vector<at::Tensor> lin;  // [C, 1, 1] per stage
};

// The first of the folders named by the environment that holds both files.
std::optional<fs::path> weights_folder(const LpipsTrunk& trunk) {
  std::vector<fs::path> folders;
  if (const char* assets = std::getenv("UPBENCH_ASSETS"))
    folders.push_back(fs::path(assets) / "weights" / "lpips");
  if (const char* weights = std::getenv("UPBENCH_WEIGHTS")) folders.emplace_back(weights);
  for (const fs::path& folder : folders)
    if (fs::exists(folder / trunk.features) && fs::exists(folder / trunk.lin)) return folder;
  return std::nullopt;
}

NamedTensors read_float(const fs::path& file) {
  NamedTensors tensors = read_checkpoint(file).tensors;
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kFloat);
  return tensors;
}

// [0, 1] -> [-1, 1] -> LPIPS's own shift and scale of the channels.
at::Tensor normalised(const at::Tensor& batch) {
  const at::Tensor shift = at::tensor({-0.030F, -0.088F, -0.188F}).view({1, 3, 1, 1});
  const at::Tensor scale = at::tensor({0.458F, 0.448F, 0.450F}).view({1, 3, 1, 1});
  return (batch * 2 - 1 - shift) / scale;
}

// Channel vectors of unit length; 1e-10 as in the lpips package.
at::Tensor unit_length(const at::Tensor& features) {
  return features / (features.square().sum(1, true).sqrt() + 1e-10);
}

// Runs the trunk once on the smallest picture: a missing key or a wrong shape shows itself here, not at the
// first score.
void check(const Network& network, const fs::path& features, const fs::path& lin) {
  const int side = network.trunk.smallest_side;
  std::vector<at::Tensor> stages;
  try {
    stages = network.trunk.stages(network.weights, at::zeros({1, 3, side, side}));
  } catch (const std::exception&) {
    throw std::invalid_argument(
        fmt::format("{}: these are not the weights of {}, expected keys and shapes of torchvision's "
                    "(features.N.weight, features.N.bias)",
                    features.string(), network.trunk.network));
  }
  bool fits = stages.size() == network.lin.size();
  for (std::size_t i = 0; fits && i < stages.size(); ++i) fits = stages[i].size(1) == network.lin[i].size(0);
  if (!fits)
    throw std::invalid_argument(
        fmt::format("{}: expected LPIPS weights lin0..lin{}.model.1.weight for the stages of {}",
                    lin.string(), stages.size() - 1, network.trunk.network));
}

Network load(const LpipsTrunk& trunk, const fs::path& folder) {
  Network network{.trunk = trunk, .weights = read_float(folder / trunk.features), .lin = {}};
  const NamedTensors lin = read_float(folder / trunk.lin);
  for (auto found = lin.find("lin0.model.1.weight"); found != lin.end();
       found = lin.find(fmt::format("lin{}.model.1.weight", network.lin.size())))
    network.lin.push_back(found->second.view({-1, 1, 1}));
  check(network, folder / trunk.features, folder / trunk.lin);
  return network;
}

Score score(const Network& network, const Image& output, const Image& reference) {
  const int smallest = network.trunk.smallest_side;
  if (output.size(1) < smallest || output.size(2) < smallest)
    return {.flag = ScoreFlag::undefined,
            .reason = fmt::format("smaller than the {0}x{0} pixels that {1} needs", smallest,
                                  network.trunk.network)};
  if (output.equal(reference))
    return {.value = 0};  // exactly, whatever order of summation a batch of two gets

  const c10::NoGradGuard no_grad;
  double sum = 0;
  const auto stages = network.trunk.stages(network.weights, normalised(at::stack({output, reference})));
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const at::Tensor unit = unit_length(stages[i]);
    const at::Tensor weighted = (unit[0] - unit[1]).square() * network.lin[i];
    sum += weighted.sum(0).mean(at::kDouble).item<double>();
  }
  return {.value = sum};
}

}  // namespace

ScoreFunction make_lpips(const LpipsTrunk& trunk, std::string& reason) {
  const auto folder = weights_folder(trunk);
  if (!folder) {
    reason = fmt::format(
        "put {} (torchvision's {}) and {} (LPIPS v0.1) into a folder and set UPBENCH_WEIGHTS to it",
        trunk.features, trunk.network, trunk.lin);
    return {};
  }
  return [network = load(trunk, *folder)](const Image& output, const Image& reference) {
    return score(network, output, reference);
  };
}

}  // namespace upbench
