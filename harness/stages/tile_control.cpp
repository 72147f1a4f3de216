#include "harness/stages/tile_control.h"

#include "harness/plan/diffusion_settings.h"

namespace upbench {

TileControl::TileControl(const nlohmann::json& settings, int pass)
    : given_(is_given(settings.at("control-net"))),
      preprocessor_(settings.at("control-preprocessor")),
      weight_(settings.at("control-weight")),
      start_(settings.at("control-start")),
      end_(settings.at("control-end")),
      rate_(settings.at("control-rate")),
      blur_(settings.at("control-blur")),
      sharpness_(settings.at("control-sharpness")),
      radius_(settings.at("control-variation").get<int>() * pass) {}

void TileControl::steer(Conditioning& conditioning, const at::Tensor& picture,
                        const at::Tensor& latents) const {
  if (!given_) return;
  const bool blurs = preprocessor_ == "blur-gaussian";
  conditioning.hint = blurs ? blurred_hint(picture, blur_) : resampled_hint(picture, rate_);
  conditioning.control_weight = weight_;
  conditioning.control_start = start_;
  conditioning.control_end = end_;
  if (!preprocessor_.starts_with("tile-colorfix")) return;
  conditioning.colours = {.latents = latents,
                          .radius = radius_,
                          .sharpness = preprocessor_ == "tile-colorfix-sharp" ? sharpness_ : 0,
                          .weight = weight_};
}

}  // namespace upbench
