#include "metrics/lpips.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "metrics/lpips_device.h"
#include "metrics/lpips_kernel.h"
#include "metrics/planes.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

using Network = LpipsNetwork;

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
  for (auto& [name, tensor] : tensors) {
    tensor = tensor.to(at::kFloat);
    if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  }
  return tensors;
}

// Works on blocks of `total` side by side, each thread on some: work(from, to).
template <typename Work>
void in_blocks(std::int64_t total, std::int64_t block, const Work& work) {
  at::parallel_for(0, (total + block - 1) / block, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) work(i * block, std::min(total, (i + 1) * block));
  });
}

// What the network makes of a picture. Channels last: its max pooling is 20 times faster that way, its
// convolutions as fast.
ReferenceFeatures features_of(const Network& network, const Image& picture) {
  const Planes planes = planes_of(picture);
  at::Tensor batch =
      at::empty({1, 3, planes.height, planes.width}, picture.options(), at::MemoryFormat::ChannelsLast);
  float* const normalised = batch.mutable_data_ptr<float>();
  in_blocks(planes.height, 64, [&](std::int64_t from, std::int64_t to) {
    normalise_rows(planes, static_cast<int>(from), static_cast<int>(to),
                   normalised + 3 * from * planes.width);
  });
  ReferenceFeatures stages = network.trunk.stages(network.weights, batch);
  for (at::Tensor& stage : stages) stage = stage.contiguous(at::MemoryFormat::ChannelsLast);
  return stages;
}

// The mean over pixels. Blocks are added in order: the sum does not depend on the number of threads.
double distance(const at::Tensor& a, const at::Tensor& b, const at::Tensor& weights) {
  constexpr std::int64_t kBlock = 1024;
  const std::int64_t pixels = a.size(2) * a.size(3), channels = a.size(1);
  std::vector<double> sums(static_cast<std::size_t>((pixels + kBlock - 1) / kBlock));
  const float *in_a = a.const_data_ptr<float>(), *in_b = b.const_data_ptr<float>();
  const float* weight = weights.const_data_ptr<float>();
  in_blocks(pixels, kBlock, [&](std::int64_t from, std::int64_t to) {
    sums[static_cast<std::size_t>(from / kBlock)] =
        weighted_distance(in_a + from * channels, in_b + from * channels, weight,
                          static_cast<std::size_t>(to - from), static_cast<std::size_t>(channels));
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(pixels);
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
  for (std::size_t i = 0; fits && i < stages.size(); ++i)
    fits = stages[i].size(1) == network.lin[i].size(0) && stages[i].size(1) % kLpipsChannels == 0;
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
    network.lin.push_back(found->second.flatten().contiguous());
  check(network, folder / trunk.features, folder / trunk.lin);
  return network;
}

std::optional<Score> undefined(const Network& network, const Image& picture) {
  const int smallest = network.trunk.smallest_side;
  if (picture.size(1) >= smallest && picture.size(2) >= smallest) return std::nullopt;
  return Score{.flag = ScoreFlag::undefined,
               .reason = fmt::format("smaller than the {0}x{0} pixels that {1} needs", smallest,
                                     network.trunk.network)};
}

Score score(const Network& network, const Image& output, const Image& reference,
            const FeatureSource& features) {
  if (auto score = undefined(network, output)) return *score;
  if (output.equal(reference)) return {.value = 0};  // exactly

  const c10::NoGradGuard no_grad;
  const auto expected = features([&] { return features_of(network, reference); });
  const ReferenceFeatures stages = features_of(network, output);
  double sum = 0;
  for (std::size_t i = 0; i < stages.size(); ++i) sum += distance(stages[i], expected->at(i), network.lin[i]);
  return {.value = sum};
}

}  // namespace

at::Tensor exact_convolution(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                             std::int64_t stride, std::int64_t padding) {
  return at::_convolution(input, weight, bias, {stride, stride}, {padding, padding}, {1, 1},
                          /*transposed=*/false, {0, 0}, /*groups=*/1, /*benchmark=*/false,
                          /*deterministic=*/true, /*cudnn_enabled=*/true, /*allow_tf32=*/false);
}

ScoreFunction make_lpips(const LpipsTrunk& trunk, std::string& reason) {
  const auto folder = weights_folder(trunk);
  if (!folder) {
    reason = fmt::format(
        "put {} (torchvision's {}) and {} (LPIPS v0.1) into a folder and set UPBENCH_WEIGHTS to it",
        trunk.features, trunk.network, trunk.lin);
    return {};
  }
  const auto network = std::make_shared<const Network>(load(trunk, *folder));
  const auto devices = std::make_shared<LpipsDevices>(network);
  return {[network](const Image& output, const Image& reference, const FeatureSource& features) {
            return score(*network, output, reference, features);
          },
          [network, devices](const Image& output, const Image& reference,
                             const FeatureSource& features) -> PendingScore {
            if (auto score = undefined(*network, output)) return *score;
            return devices->distance(output, reference, features);
          }};
}

}  // namespace upbench
