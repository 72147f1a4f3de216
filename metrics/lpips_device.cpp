#include "metrics/lpips_device.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace upbench {

struct LpipsDevices::Placed {
  LpipsNetwork network;
  at::Tensor factor, term;  // [3, 1, 1]: what makes of a picture what the network gets
};

namespace {

// A channel of lpips_kernel.h's normalise_rows().
constexpr float kShift[] = {-0.030F, -0.088F, -0.188F}, kScale[] = {0.458F, 0.448F, 0.450F};

at::Tensor per_channel(float (*value)(int), const at::Device& device) {
  return at::tensor({value(0), value(1), value(2)}).view({3, 1, 1}).to(device);
}

at::Tensor unit_length(const at::Tensor& stage) {
  return stage / (stage.square().sum(1, /*keepdim=*/true).sqrt() + 1e-10);
}

}  // namespace

std::shared_ptr<const LpipsDevices::Placed> LpipsDevices::placed(const at::Device& device) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const Placed>& entry = placed_[device.str()];
  if (entry) return entry;
  Placed made{.network = *network_,
              .factor = per_channel([](int c) { return 2 / kScale[c]; }, device),
              .term = per_channel([](int c) { return -(1 + kShift[c]) / kScale[c]; }, device)};
  for (auto& [name, tensor] : made.network.weights) tensor = tensor.to(device);
  for (at::Tensor& lin : made.network.lin) lin = lin.to(device).view({1, -1, 1, 1});
  return entry = std::make_shared<const Placed>(std::move(made));
}

at::Tensor LpipsDevices::distance(const Image& output, const Image& reference,
                                  const FeatureSource& features) {
  const c10::NoGradGuard no_grad;
  const std::shared_ptr<const Placed> here = placed(output.device());
  const auto stages_of = [&](const Image& picture) {
    const at::Tensor batch = at::addcmul(here->term, picture, here->factor).unsqueeze(0);
    return here->network.trunk.stages(here->network.weights,
                                      batch.contiguous(at::MemoryFormat::ChannelsLast));
  };
  const auto expected = features([&] { return stages_of(reference); });
  const ReferenceFeatures stages = stages_of(output);
  at::Tensor sum = at::zeros({}, output.options().dtype(at::kDouble));
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const at::Tensor difference = unit_length(stages[i]) - unit_length(expected->at(i));
    const at::Tensor distances = difference.square_().mul_(here->network.lin[i]).sum(1);
    sum.add_(distances.sum(at::kDouble), 1.0 / static_cast<double>(distances.numel()));
  }
  return sum.mul_(output.ne(reference).any());
}

}  // namespace upbench
