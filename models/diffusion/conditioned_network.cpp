#include "models/diffusion/conditioned_network.h"

#include <cmath>
#include <random>

#include <ATen/ATen.h>

#include "models/diffusion/sampling/noise_source.h"

namespace upbench {
namespace {

constexpr std::string_view kJitter = "tile-jitter";

std::int64_t times(Branches branches) {
  return branches == Branches::cond ? 1 : 2;
}

at::Tensor repeated(const at::Tensor& one, std::int64_t times) {
  if (!one.defined() || times == 1) return one;
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(one.dim()), 1);
  repeats[0] = times;
  return one.repeat(repeats);
}

// The same thing for each picture of a batch, `pieces` times [uncond, cond] or cond alone.
at::Tensor by_branch(const at::Tensor& uncond, const at::Tensor& cond, Branches branches,
                     std::int64_t pieces) {
  if (!cond.defined() || branches == Branches::cond) return repeated(cond, pieces);
  return repeated(at::cat({uncond.defined() ? uncond : cond, cond}), pieces);
}

}  // namespace

FusedGrid grid_of_step(const FusedTiles& tiles, int width, int height, std::size_t step) {
  std::mt19937_64 random(stream_seed(tiles.seed, kJitter, step));
  const auto share = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  const double across = share(), down = share();
  return fused_grid(width, height, tiles.settings, across, down);
}

ConditionedNetwork::ConditionedNetwork(const DiffusionModel& model, const Conditioning& conditioning,
                                       const LatentRun& run, std::int64_t width, std::int64_t height)
    : model_(model),
      conditioning_(conditioning),
      fusion_(run.fusion),
      steps_(run.steps.steps()),
      width_(static_cast<int>(width)),
      height_(static_cast<int>(height)) {
  set_step(0);
}

void ConditionedNetwork::set_step(std::size_t step) {
  step_ = step;
  if (fusion_ && (step == 0 || fusion_->settings.jitter))
    grid_ = grid_of_step(*fusion_, width_, height_, step);
}

at::Tensor ConditionedNetwork::operator()(const at::Tensor& x, double timestep, Branches branches) {
  if (grid_.tiles() > 1)
    return merge_predictions(x, grid_, fusion_->batch, [&](const std::vector<LatentWindow>& windows) {
      return predict(x, timestep, branches, windows);
    });
  return predict(x, timestep, branches, {{0, 0, x.size(3), x.size(2)}});
}

// Of something that lies under the latents, `scale` of its pixels to a latent.
at::Tensor ConditionedNetwork::beside(const at::Tensor& whole, const std::vector<LatentWindow>& windows,
                                      std::int64_t scale, Branches branches) const {
  std::vector<at::Tensor> pieces;
  for (const LatentWindow& window : windows)
    pieces.push_back(repeated(window.of(whole, scale), times(branches)));
  return pieces.size() == 1 ? pieces[0] : at::cat(pieces);
}

at::Tensor ConditionedNetwork::predict(const at::Tensor& x, double timestep, Branches branches,
                                       const std::vector<LatentWindow>& windows) {
  const auto pieces = static_cast<std::int64_t>(windows.size());
  UNetInput input;
  std::vector<at::Tensor> seen;
  for (const LatentWindow& window : windows) seen.push_back(window.of(x));
  input.latents = seen.size() == 1 ? seen[0] : at::cat(seen);
  input.timesteps = at::full({input.latents.size(0)}, timestep, x.options().dtype(at::kFloat));
  input.context = by_branch(conditioning_.uncond, conditioning_.cond, branches, pieces);
  input.vector = by_branch(conditioning_.uncond_vector, conditioning_.cond_vector, branches, pieces);
  input.labels = repeated(conditioning_.labels, times(branches) * pieces);
  evaluations_ += times(branches) * pieces;
  if (is_controlled()) {
    const std::int64_t scale = conditioning_.hint.size(3) / x.size(3);
    input.control = model_.control_net()(input, beside(conditioning_.hint, windows, scale, branches));
    for (at::Tensor& residual : input.control) residual = residual * conditioning_.control_weight;
  }
  const at::Tensor noisy = input.latents;
  if (conditioning_.channels_beside.defined())  // of which a ControlNet knows nothing
    input.latents = at::cat({noisy, beside(conditioning_.channels_beside, windows, 1, branches)}, 1);
  at::Tensor predicted = model_.unet()(input);
  const ColourAnchor& colours = conditioning_.colours;
  if (!colours.latents.defined()) return predicted;
  return anchored(predicted, noisy, beside(colours.latents, windows, 1, branches),
                  model_.facts().noise.sigma_at(std::round(timestep)), model_.facts().prediction, branches,
                  colours);
}

// As diffusers: the whole step lies between start and end.
bool ConditionedNetwork::is_controlled() const {
  if (!conditioning_.hint.defined()) return false;
  const double step = static_cast<double>(step_), steps = steps_;
  return step / steps >= conditioning_.control_start && (step + 1) / steps <= conditioning_.control_end;
}

}  // namespace upbench
