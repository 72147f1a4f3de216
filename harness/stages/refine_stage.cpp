#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "datasets/resample.h"
#include "harness/stages/diffusion_stage.h"
#include "models/diffusion/colour_fix.h"

namespace upbench {
namespace {

constexpr std::string_view kPosteriorNoise = "posterior";

// Sides as the networks take them: mirrored over the right and the lower edge.
at::Tensor extended(const at::Tensor& picture, std::int64_t multiple) {
  const auto missing = [&](int side) { return (multiple - picture.size(side) % multiple) % multiple; };
  const std::int64_t right = missing(3), below = missing(2);
  if (right == 0 && below == 0) return picture;
  const bool narrow = right >= picture.size(3) || below >= picture.size(2);
  return at::pad(picture, {0, right, 0, below}, narrow ? "replicate" : "reflect");
}

// What a tile ControlNet sees (tile_resample of sd-webui-controlnet): the picture, from a rate of 1.1 on
// made smaller by averaging areas and enlarged again.
at::Tensor tile_hint(const at::Tensor& picture, double rate) {
  if (rate < 1.1) return picture;
  const std::int64_t height = picture.size(2), width = picture.size(3);
  const auto smaller = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(side) / rate));
  };
  const Image small = resample(picture.squeeze(0), static_cast<int>(smaller(height)),
                               static_cast<int>(smaller(width)), "area");
  return resample(small, static_cast<int>(height), static_cast<int>(width), "bicubic-a75")
      .clamp(0, 1)
      .unsqueeze(0);
}

class RefineStage final : public DiffusionStage {
 public:
  RefineStage(const std::string& id, const nlohmann::json& settings)
      : DiffusionStage(id, settings),
        samples_posterior_(settings.at("posterior") == "sample"),
        fix_(colour_fix(settings.at("colour-fix").get<std::string>())) {
    const nlohmann::json& control = settings.at("control-net");
    controlled_ = !control.is_null() && control != "none";
    control_weight_ = settings.at("control-weight");
    control_start_ = settings.at("control-start");
    control_end_ = settings.at("control-end");
    control_rate_ = settings.at("control-rate");
  }

 private:
  Frame make(const DiffusionModel& model, const Frame& input, const StageContext& context,
             nlohmann::json& used) const override {
    const at::Tensor picture = input.rgb.clamp(0, 1).unsqueeze(0);
    const at::Tensor inside = extended(picture, model.coder()->factor());
    at::Tensor latents = encoded(model, inside, context, used);
    if (steps() > 0) latents = sampled(model, latents, guides(model, inside, context, used), context, used);
    Frame frame{.rgb = decoded(model, latents, used)
                           .slice(1, 0, input.rgb.size(1))
                           .slice(2, 0, input.rgb.size(2))
                           .contiguous(),
                .target = input.target,
                .boundaries = input.boundaries};
    if (fix_ != ColourFix::none) frame.rgb = fix_colours(fix_, frame.rgb.clamp(0, 1), picture.squeeze(0));
    return frame;
  }

  // Cells that differ in what comes later share the latents.
  at::Tensor encoded(const DiffusionModel& model, const at::Tensor& picture, const StageContext& context,
                     nlohmann::json& used) const {
    const auto make = [&] {
      at::Tensor draws;
      if (samples_posterior_) {
        NoiseSource source(noise(), stream_seed(context.seed, kPosteriorNoise));
        const std::int64_t factor = model.coder()->factor();
        draws =
            source.draw({1, model.coder()->channels(), picture.size(2) / factor, picture.size(3) / factor})
                .to(model.device());
      }
      return encode_picture(model, tiles(), picture, draws);
    };
    std::shared_ptr<const Coded> coded;
    if (context.latents == nullptr) {
      coded = std::make_shared<const Coded>(make());
    } else {
      coded = context.latents->get(latents_key(model, context), [&] {
        auto made = std::make_shared<const Coded>(make());
        const std::size_t bytes = made->result.nbytes();
        return LatentCache::Made{std::move(made), bytes};
      });
    }
    if (coded->repeated) used["encoded_again_in"] = "fp32";
    return coded->result;
  }

  Digest latents_key(const DiffusionModel& model, const StageContext& context) const {
    Hasher hasher;
    hasher.add_field("upbench-latents-1").add_field(context.stage_input).add_field(model.coder_hash());
    hasher.add_field(precision()).add_field(to_string(tiles().mode));
    hasher.add_field(static_cast<std::uint64_t>(tiles().size))
        .add_field(static_cast<std::uint64_t>(tiles().overlap));
    hasher.add_field(std::uint64_t{samples_posterior_});
    if (samples_posterior_) hasher.add_field(context.seed).add_field(static_cast<std::uint64_t>(noise()));
    return hasher.finish();
  }

  Conditioning guides(const DiffusionModel& model, const at::Tensor& picture, const StageContext& context,
                      nlohmann::json& used) const {
    Conditioning made = conditioning(model, picture.size(2), picture.size(3), context, used);
    if (!controlled_) return made;
    made.hint = tile_hint(picture, control_rate_);
    made.control_weight = control_weight_;
    made.control_start = control_start_;
    made.control_end = control_end_;
    return made;
  }

  bool samples_posterior_;
  ColourFix fix_;
  bool controlled_ = false;
  double control_weight_ = 1, control_start_ = 0, control_end_ = 1, control_rate_ = 1;
};

}  // namespace

std::unique_ptr<Stage> make_refine_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<RefineStage>(id, settings);
}

}  // namespace upbench
