#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "harness/plan/hires_size.h"
#include "harness/stages/diffusion_stage.h"
#include "harness/stages/tile_control.h"
#include "models/diffusion/latent_resize.h"
#include "models/diffusion/model_latents.h"
#include "models/fitted_upscale.h"

namespace upbench {
namespace {

using Slice = std::pair<std::int64_t, std::int64_t>;

constexpr int kPass = 2;

class HiresStage final : public DiffusionStage {
 public:
  HiresStage(const std::string& id, const nlohmann::json& settings)
      : DiffusionStage(id, settings),
        settings_(settings),
        samples_posterior_(settings.at("posterior") == "sample"),
        rules_(parse_fit_rules(settings.at("order").get<std::string>())),
        control_(settings, kPass) {
    const nlohmann::json& upscaler = settings.at("upscaler");
    if (upscaler.is_string() && is_latent_resize(upscaler.get_ref<const std::string&>()))
      latent_ = parse_latent_resize(upscaler.get<std::string>());
    else if (upscaler != "none")
      upscaler_ = upscaler;
  }

  std::vector<std::shared_ptr<const void>> load(const StageContext& context) const override {
    auto held = DiffusionStage::load(context);
    if (const UpscalerPtr upscaler = upscaler_of(context)) held.push_back(upscaler);
    return held;
  }

 private:
  // The model is already the one of this pass: it encodes what the model of the pass before has decoded.
  Frame make(const DiffusionModel& model, const Frame& input, const StageContext& context,
             nlohmann::json& used) const override {
    const PictureSize before{static_cast<int>(input.rgb.size(2)), static_cast<int>(input.rgb.size(1))};
    const int factor = model.coder()->factor();
    const HiresSize size = hires_size(settings_, before, factor);
    used["enlarged_to"] = {size.enlarged.width, size.enlarged.height};
    at::Tensor latents = latent_ ? enlarged_latents(model, input, size, context, used)
                                 : enlarged_picture(model, input, size, context, used);
    latents = cut(latents, size);
    const Image base = base_of(input, size, factor, context);
    if (latent_run().steps.steps() > 0) {
      Prompts told = prompts(model, size.output.height, size.output.width, context, used);
      control_.steer(told.own, base.clamp(0, 1).unsqueeze(0), latents);
      latents = sampled(model, latents, told, latent_run(), context, used);
    }
    return {.rgb = decoded(model, latents, used),
            .target = input.target,
            .boundaries = moved(input.boundaries, before, size, factor),
            .base = base,
            .latents = kept(model, latents)};
  }

  static std::vector<BoundaryRow> moved(const std::vector<BoundaryRow>& boundaries, PictureSize before,
                                        const HiresSize& size, int factor) {
    std::vector<BoundaryRow> made =
        scaled(boundaries, static_cast<double>(size.enlarged.width) / before.width,
               static_cast<double>(size.enlarged.height) / before.height);
    for (BoundaryRow& boundary : made)
      boundary.position -=
          boundary.vertical ? size.left + size.cut_x / 2 * factor : size.top + size.cut_y / 2 * factor;
    return made;
  }

  // Those of the pass before, never decoded; of a picture its own.
  at::Tensor enlarged_latents(const DiffusionModel& model, const Frame& input, const HiresSize& size,
                              const StageContext& context, nlohmann::json& used) const {
    const std::int64_t factor = model.coder()->factor();
    at::Tensor latents;
    if (input.latents) {
      if (const std::string why = latent_mismatch(input.latents->space, latent_space(model.facts()));
          !why.empty())
        throw std::runtime_error(fmt::format("{}: {}", id(), why));
      latents = input.latents->values;
      used["latents_of"] = input.latents->model.hex();
    } else {
      at::Tensor inside = input.rgb.clamp(0, 1)
                              .slice(1, 0, input.rgb.size(1) / factor * factor)
                              .slice(2, 0, input.rgb.size(2) / factor * factor)
                              .unsqueeze(0);
      latents =
          encoded(model, [&] { return inside; }, context.stage_input, samples_posterior_, context, used);
    }
    return resize_latents(latents, size.coded.height / factor, size.coded.width / factor, *latent_);
  }

  at::Tensor enlarged_picture(const DiffusionModel& model, const Frame& input, const HiresSize& size,
                              const StageContext& context, nlohmann::json& used) const {
    const UpscalerPtr upscaler = upscaler_of(context);
    if (upscaler) {
      upbench::require_planned(upscaler_, upscaler->info(), context);
      used["upscaler"] = {{"architecture", upscaler->info().architecture},
                          {"tensor_hash", upscaler->info().tensor_hash.hex()}};
      if (!upscaler->info().licence.empty()) used["upscaler"]["licence"] = upscaler->info().licence;
    }
    return encoded(
        model, [&] { return pixels(upscaler.get(), input, size, context); },
        picture_key(upscaler.get(), size, context), samples_posterior_, context, used);
  }

  // Of the first pass at this pass's size: what it started from; where latents were enlarged, by Lanczos.
  Image base_of(const Frame& input, const HiresSize& size, int factor, const StageContext& context) const {
    const std::int64_t top = size.cut_y / 2 * factor, left = size.cut_x / 2 * factor;
    return pixels(upscaler_of(context).get(), input, size, context)
        .squeeze(0)
        .slice(1, top, top + size.output.height)
        .slice(2, left, left + size.output.width)
        .contiguous();
  }

  // The enlarged picture [1, 3, H, W], as far as it is coded. Checkpoints with different autoencoders share
  // it.
  at::Tensor pixels(const Upscaler* upscaler, const Frame& input, const HiresSize& size,
                    const StageContext& context) const {
    const auto make = [&] {
      return upscale_fitted(upscaler, input.rgb, size.enlarged.height, size.enlarged.width, rules_)
          .image.slice(1, size.top, size.top + size.coded.height)
          .slice(2, size.left, size.left + size.coded.width)
          .unsqueeze(0);
    };
    if (context.latents == nullptr) return make();
    return context.latents
        ->get(picture_key(upscaler, size, context),
              [&] {
                auto made = std::make_shared<const Coded>(Coded{.result = make().contiguous()});
                const std::size_t bytes = made->result.nbytes();
                return LatentCache::Made{std::move(made), bytes};
              })
        ->result;
  }

  Digest picture_key(const Upscaler* upscaler, const HiresSize& size, const StageContext& context) const {
    Hasher hasher;
    hasher.add_field("upbench-hires-picture-1").add_field(context.stage_input);
    hasher.add_field(upscaler_.dump())
        .add_field(upscaler != nullptr ? upscaler->info().tensor_hash : Digest{})
        .add_field(static_cast<std::uint64_t>(rules_));
    for (const int side : {size.enlarged.width, size.enlarged.height, size.coded.width, size.coded.height})
      hasher.add_field(static_cast<std::uint64_t>(side));
    return hasher.finish();
  }

  // As A1111 cuts what covers the wanted size: of an odd number one more at the right and bottom.
  static at::Tensor cut(const at::Tensor& latents, const HiresSize& size) {
    const auto range = [](std::int64_t side, int cut) { return Slice(cut / 2, side - (cut + 1) / 2); };
    const auto [top, bottom] = range(latents.size(2), size.cut_y);
    const auto [left, right] = range(latents.size(3), size.cut_x);
    return latents.slice(2, top, bottom).slice(3, left, right).contiguous();
  }

  // Null: latents are enlarged, or Lanczos alone.
  UpscalerPtr upscaler_of(const StageContext& context) const {
    return upscaler_.is_null() ? nullptr : context.models.get(upscaler_, context.device, Precision::fp32);
  }

  nlohmann::json settings_;
  bool samples_posterior_;
  FitRules rules_;
  TileControl control_;
  std::optional<LatentResize> latent_;
  nlohmann::json upscaler_;  // null: none
};

}  // namespace

std::unique_ptr<Stage> make_hires_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<HiresStage>(id, settings);
}

}  // namespace upbench
