#include "harness/stages/diffusion_stage.h"

#include <optional>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/plan/refiner_settings.h"
#include "harness/tf32_scope.h"
#include "models/diffusion/model_latents.h"

namespace upbench {
namespace {

constexpr std::string_view kPosteriorNoise = "posterior";

template <class T>
std::optional<T> given(const nlohmann::json& settings, const char* name) {
  const nlohmann::json& value = settings.at(name);
  return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}

// An inpainting model is given, as A1111 does in plain img2img and txt2img, a mask over everything and the
// latents of an empty (grey) picture.
at::Tensor whole_mask(const DiffusionModel& model, const CoderTiles& tiles, std::int64_t height,
                      std::int64_t width) {
  const at::Tensor empty = at::full({1, 3, height, width}, 0.5, at::TensorOptions(model.device()));
  const at::Tensor grey = encode_picture(model, tiles, empty).result;
  return at::cat({at::ones_like(grey.narrow(1, 0, 1)), grey}, 1);
}

// Of all files that the weights came from.
void add_licences(const DiffusionModel& model, nlohmann::json& said) {
  if (!model.licences().empty()) said["licence"] = fmt::format("{}", fmt::join(model.licences(), "; "));
}

}  // namespace

DenoiseSteps denoise_steps_of(const nlohmann::json& levels) {
  DenoiseSteps steps;
  steps.sigmas = levels.at("sigmas").get<std::vector<double>>();
  steps.timesteps = levels.at("timesteps").get<std::vector<double>>();
  steps.start_noise = levels.at("start_noise");
  steps.whole_timesteps = levels.at("whole_timesteps");
  steps.unit_variance = levels.at("unit_variance");
  return steps;
}

at::Tensor masked_channels(const DiffusionModel& model, const CoderTiles& tiles, const at::Tensor& picture,
                           const at::Tensor& mask) {
  const std::int64_t factor = model.coder()->factor();
  const at::Tensor redrawn = mask.repeat_interleave(factor, 2).repeat_interleave(factor, 3);
  const at::Tensor seen = at::where(redrawn > 0, at::full({}, 0.5, picture.options()), picture);
  return at::cat({mask, encode_picture(model, tiles, seen).result}, 1);
}

DiffusionStage::DiffusionStage(std::string id, const nlohmann::json& settings)
    : id_(std::move(id)),
      model_(refine_model(settings)),
      refiner_(refiner_model(settings)),
      refiner_at_(settings.at("refiner-at")),
      precision_(settings.at("precision")),
      noise_(parse_noise_kind(settings.at("noise").get<std::string>())),
      tiles_{.mode = coder_tile_mode(settings.at("vae-tiles").get<std::string>()),
             .size = settings.at("vae-tile"),
             .overlap = settings.at("vae-overlap")} {
  run_.sampler = parse_sampler(settings.at("sampler").get<std::string>());
  run_.sampler_options.eta = given<double>(settings, "eta");
  run_.steps = denoise_steps_of(settings.at("levels"));
  run_.guidance = settings.at("guidance");
  run_.guidance_rescale = settings.at("guidance-rescale");
  prompt_.prompt = settings.at("prompt");
  prompt_source_ = prompt_source(prompt_.prompt);
  prompt_.negative = settings.at("negative");
  prompt_.rules.dialect = prompt_dialect(settings.at("prompt-dialect").get<std::string>());
  prompt_.clip_skip = given<int>(settings, "clip-skip");
  prompt_.guided = run_.guidance != 1;
}

std::vector<std::shared_ptr<const void>> DiffusionStage::load(const StageContext& context) const {
  picture_prompt(context);  // before any stage computes
  if (refiner_.is_null()) return {model_of(model_, context)};
  return {model_of(model_, context), model_of(refiner_, context)};
}

Frame DiffusionStage::run(const Frame& input, const StageContext& context, nlohmann::json& used) const {
  require_precision(precision_, context.device);
  const Tf32Scope arithmetic(context.device, uses_tf32(precision_));
  const auto model = model_of(model_, context);
  require_planned(model_, *model, context);
  used = describe_model(*model);
  return make(*model, input, context, used);
}

std::shared_ptr<const DiffusionModel> DiffusionStage::model_of(const nlohmann::json& model,
                                                               const StageContext& context) const {
  return context.diffusion->get(model, context.device, parse_precision(precision_));
}

nlohmann::json DiffusionStage::describe_model(const DiffusionModel& model) const {
  nlohmann::json said = {{"architecture", to_string(model.facts().family)},
                         {"tensor_hash", model.hash().hex()},
                         {"vae_hash", model.coder_hash().hex()},
                         {"prediction", to_string(model.facts().prediction)},
                         {"precision", precision_},
                         {"steps", run_.steps.steps()},
                         {"start_sigma", run_.steps.start_sigma()}};
  if (!model.lora_unused().empty()) said["lora_unused"] = model.lora_unused();
  add_licences(model, said);
  return said;
}

void DiffusionStage::require_planned(const nlohmann::json& value, const DiffusionModel& model,
                                     const StageContext& context) const {
  const auto planned = context.planned.find(value.dump());
  if (planned != context.planned.end() && planned->second.tensor_hash != model.hash())
    throw std::runtime_error(fmt::format(
        "{}: weights changed since the run was planned: tensor hash {}, planned {} ({})", id_,
        model.hash().short_hex(), planned->second.tensor_hash.short_hex(), describe(model.facts())));
}

// Null where the setting is a text.
const PicturePrompt* DiffusionStage::picture_prompt(const StageContext& context) const {
  if (!prompt_source_) return nullptr;
  if (context.prompts == nullptr || !context.prompts->contains(*prompt_source_))
    throw std::runtime_error(fmt::format("{}: no {} prompt was looked up", id_, to_string(*prompt_source_)));
  const PicturePrompt& own = context.prompts->at(*prompt_source_);
  if (!own.problem.empty()) throw std::runtime_error(fmt::format("{}: {}", id_, own.problem));
  return &own;
}

Conditioning DiffusionStage::conditioning(const DiffusionModel& model, std::int64_t height,
                                          std::int64_t width, const StageContext& context,
                                          nlohmann::json& used) const {
  PromptRequest request = prompt_;
  if (const PicturePrompt* own = picture_prompt(context)) {
    request.prompt = own->text;
    used["prompt_from"] = to_string(*prompt_source_);
    used["prompt_sha256"] = sha256(own->text).hex();
  }
  request.height = static_cast<int>(height);
  request.width = static_cast<int>(width);
  const bool prompted = !request.prompt.empty() || !request.negative.empty();
  const std::shared_ptr<const Tokenizer> tokenizer =
      prompted ? context.diffusion->tokenizer(model_) : nullptr;
  PromptCounts counts;
  Conditioning made = prompt_conditioning(model, tokenizer.get(), request, &counts);
  used["prompt_tokens"] = counts.tokens;
  if (counts.lost > 0) used["prompt_tokens_lost"] = counts.lost;
  if (model.facts().inpainting) made.channels_beside = whole_mask(model, tiles_, height, width);
  return made;
}

DiffusionStage::Prompts DiffusionStage::prompts(const DiffusionModel& model, std::int64_t height,
                                                std::int64_t width, const StageContext& context,
                                                nlohmann::json& used) const {
  Prompts made{.own = conditioning(model, height, width, context, used), .refiner = {}};
  if (refiner_.is_null()) return made;
  const auto second = model_of(refiner_, context);
  require_planned(refiner_, *second, context);
  used["refiner"] = {{"architecture", to_string(second->facts().family)},
                     {"tensor_hash", second->hash().hex()},
                     {"at", refiner_at_}};
  add_licences(*second, used["refiner"]);
  nlohmann::json counts;  // the stage's own stay
  made.refiner = Handover{.model = second,
                          .conditioning = conditioning(*second, height, width, context, counts),
                          .at = refiner_at_};
  return made;
}

at::Tensor DiffusionStage::sampled(const DiffusionModel& model, const at::Tensor& latents,
                                   const Prompts& prompts, const LatentRun& run, const StageContext& context,
                                   nlohmann::json& used,
                                   const std::function<at::Tensor(const at::Tensor&)>& start) const {
  NoiseSource source(noise_, stream_seed(context.seed));
  const auto draw = [&] { return source.draw(latents.sizes()).to(model.device()); };
  const at::Tensor fresh = draw();
  LatentRun handed = run;
  handed.handover = prompts.refiner;
  const SampledLatents made =
      sample_latents(model, latents, prompts.own, handed, start ? start(fresh) : fresh, draw);
  used["evaluations"] = used.value("evaluations", std::int64_t{0}) + made.evaluations;
  return made.latents;
}

Coded DiffusionStage::encode(const DiffusionModel& model, const at::Tensor& picture, bool samples_posterior,
                             const StageContext& context) const {
  at::Tensor draws;
  if (samples_posterior) {
    NoiseSource noise(noise_, stream_seed(context.seed, kPosteriorNoise));
    const std::int64_t factor = model.coder()->factor();
    draws = noise.draw({1, model.coder()->channels(), picture.size(2) / factor, picture.size(3) / factor})
                .to(model.device());
  }
  return encode_picture(model, tiles_, picture, draws);
}

at::Tensor DiffusionStage::encoded(const DiffusionModel& model, const std::function<at::Tensor()>& picture,
                                   const Digest& source, bool samples_posterior, const StageContext& context,
                                   nlohmann::json& used) const {
  const auto make = [&] { return encode(model, picture(), samples_posterior, context); };
  std::shared_ptr<const Coded> coded;
  if (context.latents == nullptr) {
    coded = std::make_shared<const Coded>(make());
  } else {
    coded = context.latents->get(latents_key(model, source, samples_posterior, context.seed), [&] {
      auto made = std::make_shared<const Coded>(make());
      const std::size_t bytes = made->result.nbytes();
      return LatentCache::Made{std::move(made), bytes};
    });
  }
  if (coded->repeated) used["encoded_again_in"] = "fp32";
  return coded->result;
}

Digest DiffusionStage::latents_key(const DiffusionModel& model, const Digest& source, bool samples_posterior,
                                   std::uint64_t seed) const {
  Hasher hasher;
  hasher.add_field("upbench-latents-1").add_field(source).add_field(model.coder_hash());
  hasher.add_field(precision_).add_field(to_string(tiles_.mode));
  hasher.add_field(static_cast<std::uint64_t>(tiles_.size))
      .add_field(static_cast<std::uint64_t>(tiles_.overlap));
  hasher.add_field(std::uint64_t{samples_posterior});
  if (samples_posterior) hasher.add_field(seed).add_field(static_cast<std::uint64_t>(noise_));
  return hasher.finish();
}

FrameLatents DiffusionStage::kept(const DiffusionModel& model, const at::Tensor& latents) {
  return {.values = latents, .space = latent_space(model.facts()), .model = model.hash()};
}

at::Tensor DiffusionStage::decoded(const DiffusionModel& model, const at::Tensor& latents,
                                   nlohmann::json& used) const {
  const Coded made = decode_latents(model, tiles_, latents);
  if (made.repeated) used["decoded_again_in"] = "fp32";
  return made.result.squeeze(0);
}

}  // namespace upbench
