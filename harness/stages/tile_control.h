#pragma once

#include <nlohmann/json.hpp>

#include "models/diffusion/sample_latents.h"

namespace upbench {

// The tile ControlNet of a stage and its preprocessor. settings: those of harness/plan/control_settings.h.
class TileControl {
 public:
  // pass: 1 or, as the extension does in hires fix, 2 times the settings' variation.
  explicit TileControl(const nlohmann::json& settings, int pass = 1);

  // Adds what there is: of a tile, that tile. picture [1, 3, H, W] in [0, 1]: what is refined; latents: of
  // it.
  void steer(Conditioning& conditioning, const at::Tensor& picture, const at::Tensor& latents) const;

 private:
  bool given_ = false;
  std::string preprocessor_;
  double weight_, start_, end_, rate_, blur_, sharpness_;
  int radius_;
};

}  // namespace upbench
