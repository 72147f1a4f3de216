#pragma once

#include "models/diffusion/sample_latents.h"
#include "models/diffusion/sampling/guidance.h"
#include "models/diffusion/tiled/merge_predictions.h"

namespace upbench {

// The UNet of a model, and its ControlNet, as a sampler's network (a DenoisingNetwork, through std::ref),
// over the whole latents or over tiles whose predictions are merged. What it refers to must outlive it.
class ConditionedNetwork {
 public:
  // width, height: of the latents.
  ConditionedNetwork(const DiffusionModel& model, const Conditioning& conditioning, const LatentRun& run,
                     std::int64_t width, std::int64_t height);

  // Of those of the run, from 0: says where the ControlNet acts and where jittered tiles lie.
  void set_step(std::size_t step);
  std::int64_t evaluations() const { return evaluations_; }
  const FusedGrid& grid() const { return grid_; }  // of the step; empty without fusion

  // x: [N, C, h, w], N 1 or, with both branches, 2.
  at::Tensor operator()(const at::Tensor& x, double timestep, Branches branches);

 private:
  at::Tensor predict(const at::Tensor& x, double timestep, Branches branches,
                     const std::vector<LatentWindow>& windows);
  at::Tensor beside(const at::Tensor& whole, const std::vector<LatentWindow>& windows, std::int64_t scale,
                    Branches branches) const;
  bool is_controlled() const;

  const DiffusionModel& model_;
  const Conditioning& conditioning_;
  const std::optional<FusedTiles>& fusion_;
  int steps_, width_, height_;
  std::size_t step_ = 0;
  FusedGrid grid_;
  std::int64_t evaluations_ = 0;
};

// Where tiles of a step lie; jittered ones by the seed.
FusedGrid grid_of_step(const FusedTiles& tiles, int width, int height, std::size_t step);

}  // namespace upbench
