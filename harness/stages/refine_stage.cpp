#include <algorithm>
#include <cmath>
#include <optional>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/resample.h"
#include "harness/stages/stage.h"
#include "harness/tf32_scope.h"
#include "models/diffusion/colour_fix.h"
#include "models/diffusion/prompt_conditioning.h"
#include "models/diffusion/sampling/noise_source.h"

namespace upbench {
namespace {

constexpr std::string_view kPosteriorNoise = "posterior";

DenoiseSteps steps_of(const nlohmann::json& levels) {
  DenoiseSteps steps;
  steps.sigmas = levels.at("sigmas").get<std::vector<double>>();
  steps.timesteps = levels.at("timesteps").get<std::vector<double>>();
  steps.start_noise = levels.at("start_noise");
  steps.whole_timesteps = levels.at("whole_timesteps");
  steps.unit_variance = levels.at("unit_variance");
  return steps;
}

template <class T>
std::optional<T> given(const nlohmann::json& settings, const char* name) {
  const nlohmann::json& value = settings.at(name);
  return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}

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

class RefineStage final : public Stage {
 public:
  RefineStage(std::string id, const nlohmann::json& settings)
      : id_(std::move(id)),
        model_(refine_model(settings)),
        precision_(settings.at("precision")),
        noise_(parse_noise_kind(settings.at("noise").get<std::string>())),
        samples_posterior_(settings.at("posterior") == "sample"),
        fix_(colour_fix(settings.at("colour-fix").get<std::string>())),
        tiles_{.mode = coder_tile_mode(settings.at("vae-tiles").get<std::string>()),
               .size = settings.at("vae-tile"),
               .overlap = settings.at("vae-overlap")} {
    run_.sampler = parse_sampler(settings.at("sampler").get<std::string>());
    run_.sampler_options.eta = given<double>(settings, "eta");
    run_.steps = steps_of(settings.at("levels"));
    run_.guidance = settings.at("guidance");
    run_.guidance_rescale = settings.at("guidance-rescale");
    prompt_.prompt = settings.at("prompt");
    prompt_.negative = settings.at("negative");
    prompt_.rules.dialect = prompt_dialect(settings.at("prompt-dialect").get<std::string>());
    prompt_.clip_skip = given<int>(settings, "clip-skip");
    prompt_.guided = run_.guidance != 1;
    const nlohmann::json& control = settings.at("control-net");
    controlled_ = !control.is_null() && control != "none";
    control_weight_ = settings.at("control-weight");
    control_start_ = settings.at("control-start");
    control_end_ = settings.at("control-end");
    control_rate_ = settings.at("control-rate");
  }

  std::vector<std::shared_ptr<const void>> load(const StageContext& context) const override {
    return {model_of(context)};
  }

  Frame run(const Frame& input, const StageContext& context, nlohmann::json& used) const override {
    require_precision(precision_, context.device);
    const Tf32Scope arithmetic(context.device, uses_tf32(precision_));
    const auto model = model_of(context);
    require_planned(model->facts(), model->hash(), context);
    used = describe_model(*model);
    const at::Tensor picture = input.rgb.clamp(0, 1).unsqueeze(0);
    const at::Tensor inside = extended(picture, model->coder()->factor());
    const at::Tensor latents = encoded(*model, inside, context, used);
    const SampledLatents made = sampled(*model, latents, inside, context, used);
    const Coded decoded = decode_latents(*model, tiles_, made.latents);
    if (decoded.repeated) used["decoded_again_in"] = "fp32";
    Frame frame{.rgb = decoded.result.squeeze(0)
                           .slice(1, 0, input.rgb.size(1))
                           .slice(2, 0, input.rgb.size(2))
                           .contiguous(),
                .target = input.target,
                .boundaries = input.boundaries};
    if (fix_ != ColourFix::none) frame.rgb = fix_colours(fix_, frame.rgb.clamp(0, 1), picture.squeeze(0));
    return frame;
  }

 private:
  std::shared_ptr<const DiffusionModel> model_of(const StageContext& context) const {
    return context.diffusion->get(model_, context.device, parse_precision(precision_));
  }

  nlohmann::json describe_model(const DiffusionModel& model) const {
    nlohmann::json said = {{"architecture", to_string(model.facts().family)},
                           {"tensor_hash", model.hash().hex()},
                           {"prediction", to_string(model.facts().prediction)},
                           {"precision", precision_},
                           {"steps", run_.steps.steps()},
                           {"start_sigma", run_.steps.start_sigma()}};
    if (!model.lora_unused().empty()) said["lora_unused"] = model.lora_unused();
    return said;
  }

  void require_planned(const DiffusionFacts& facts, const Digest& hash, const StageContext& context) const {
    const auto planned = context.planned.find(model_.dump());
    if (planned != context.planned.end() && planned->second.tensor_hash != hash)
      throw std::runtime_error(
          fmt::format("{}: weights changed since the run was planned: tensor hash {}, planned {} ({})", id_,
                      hash.short_hex(), planned->second.tensor_hash.short_hex(), describe(facts)));
  }

  // Cells that differ in what comes later share the latents.
  at::Tensor encoded(const DiffusionModel& model, const at::Tensor& picture, const StageContext& context,
                     nlohmann::json& used) const {
    const auto make = [&] {
      at::Tensor noise;
      if (samples_posterior_) {
        NoiseSource source(noise_, stream_seed(context.seed, kPosteriorNoise));
        const std::int64_t factor = model.coder()->factor();
        noise =
            source.draw({1, model.coder()->channels(), picture.size(2) / factor, picture.size(3) / factor})
                .to(model.device());
      }
      return encode_picture(model, tiles_, picture, noise);
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
    hasher.add_field(precision_).add_field(to_string(tiles_.mode));
    hasher.add_field(static_cast<std::uint64_t>(tiles_.size))
        .add_field(static_cast<std::uint64_t>(tiles_.overlap));
    hasher.add_field(std::uint64_t{samples_posterior_});
    if (samples_posterior_) hasher.add_field(context.seed).add_field(static_cast<std::uint64_t>(noise_));
    return hasher.finish();
  }

  SampledLatents sampled(const DiffusionModel& model, const at::Tensor& latents, const at::Tensor& picture,
                         const StageContext& context, nlohmann::json& used) const {
    if (run_.steps.steps() == 0) return {.latents = latents};
    PromptRequest request = prompt_;
    request.height = static_cast<int>(picture.size(2));
    request.width = static_cast<int>(picture.size(3));
    const bool prompted = !request.prompt.empty() || !request.negative.empty();
    const std::shared_ptr<const Tokenizer> tokenizer =
        prompted ? context.diffusion->tokenizer(model_) : nullptr;
    PromptCounts counts;
    Conditioning conditioning = prompt_conditioning(model, tokenizer.get(), request, &counts);
    if (controlled_) {
      conditioning.hint = tile_hint(picture, control_rate_);
      conditioning.control_weight = control_weight_;
      conditioning.control_start = control_start_;
      conditioning.control_end = control_end_;
    }
    if (model.facts().inpainting) conditioning.channels_beside = whole_mask(model, picture);
    NoiseSource source(noise_, stream_seed(context.seed));
    const auto draw = [&] { return source.draw(latents.sizes()).to(model.device()); };
    SampledLatents made = sample_latents(model, latents, conditioning, run_, draw(), draw);
    used["evaluations"] = made.evaluations;
    used["prompt_tokens"] = counts.tokens;
    if (counts.lost > 0) used["prompt_tokens_lost"] = counts.lost;
    return made;
  }

  // An inpainting model is given, as A1111 does in plain img2img, a mask over everything and the latents of
  // an empty (grey) picture.
  at::Tensor whole_mask(const DiffusionModel& model, const at::Tensor& picture) const {
    const at::Tensor grey = encode_picture(model, tiles_, at::full_like(picture, 0.5)).result;
    return at::cat({at::ones_like(grey.narrow(1, 0, 1)), grey}, 1);
  }

  std::string id_;
  nlohmann::json model_;
  std::string precision_;
  NoiseKind noise_;
  bool samples_posterior_;
  ColourFix fix_;
  CoderTiles tiles_;
  LatentRun run_;
  PromptRequest prompt_;
  bool controlled_ = false;
  double control_weight_ = 1, control_start_ = 0, control_end_ = 1, control_rate_ = 1;
};

}  // namespace

std::unique_ptr<Stage> make_refine_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<RefineStage>(id, settings);
}

}  // namespace upbench
