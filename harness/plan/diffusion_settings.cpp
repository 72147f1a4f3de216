#include "harness/plan/diffusion_settings.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/plan/denoise_translation.h"
#include "harness/plan/refiner_settings.h"
#include "models/diffusion/sampling/denoise.h"

namespace upbench {
namespace {

constexpr double kMostStrength = 100;

NoiseSchedule noise_of(const DiffusionModelFacts& facts) {
  return NoiseSchedule::scaled_linear(facts.first_beta, facts.last_beta);
}

// "detail:0.8+style:0.5" -> [["detail", 0.8], ["style", 0.5]]
nlohmann::json loras_of(const std::string& text) {
  nlohmann::json loras = nlohmann::json::array();
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('+', at), text.size());
    const std::string_view one = std::string_view(text).substr(at, end - at);
    const std::size_t colon = one.rfind(':');
    double strength = 1;
    const std::string_view number = colon == one.npos ? "1" : one.substr(colon + 1);
    const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), strength);
    if (one.substr(0, colon).empty() || error != std::errc() || rest != number.data() + number.size() ||
        !(std::abs(strength) <= kMostStrength))
      throw std::invalid_argument(
          fmt::format("lora '{}': expected NAME:STRENGTH, several joined by +, strengths from -{} to {}",
                      text, kMostStrength, kMostStrength));
    loras.push_back({one.substr(0, colon), strength});
    at = end + 1;
  }
  return loras;
}

// Settings that change nothing beside the others, at their defaults.
void settle_values(SettledStage& stage, const DiffusionModelFacts& facts) {
  nlohmann::json& values = stage.values;
  if (values.at("prompt") == "none") values["prompt"] = "";
  if (facts.unconditional) set_default(stage, "guidance", 1.0, "for a model without text");
  if (!has_steps(values)) {
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, nlohmann::json>>{
             {"sampler", "euler"}, {"noise", "philox"}, {"prompt", ""}, {"negative", ""}})
      set_default(stage, name, value, "where no step is made");
    set_default(stage, "guidance", 1.0, "where no step is made");
  }
  if (values.at("guidance") == 1.0) {
    set_default(stage, "negative", "", "with guidance 1");
    set_default(stage, "guidance-rescale", 0.0, "with guidance 1");
  }
  if (values.at("vae-tiles") == "none") {
    set_default(stage, "vae-tile", 512, "without vae-tiles");
    set_default(stage, "vae-overlap", 64, "without vae-tiles");
  } else if (values.at("vae-tiles") != "comfy") {
    set_default(stage, "vae-overlap", 64, "but with vae-tiles comfy");
  }
}

template <class Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

}  // namespace

void append(std::vector<ParameterKind>& parameters, const std::vector<ParameterKind>& group) {
  parameters.insert(parameters.end(), group.begin(), group.end());
}

const nlohmann::json* model_of_parameter(const nlohmann::json& stage, const char* parameter) {
  for (const nlohmann::json& model : stage.at("models"))
    if (model.at("parameter") == parameter) return &model;
  return nullptr;
}

bool is_given(const nlohmann::json& value) {
  return !value.is_null() && value != "none";
}

void require_strength(const char* kind, const nlohmann::json& parameters, const char* name) {
  const double denoise = parameters.at(name);
  if (parameters.at("as") != "sigma" && denoise > 1)
    throw std::invalid_argument(
        fmt::format("{}: {} {} with as: {}, expected 0 to 1 (as: sigma takes a noise level)", kind, name,
                    denoise, parameters.at("as").get<std::string>()));
}

bool has_steps(const nlohmann::json& settings) {
  const auto made = [&](const char* levels) {
    return settings.contains(levels) && !settings.at(levels).at("sigmas").empty();
  };
  return made("levels") || made("seam-levels");
}

// What "denoise" comes to: the noise levels that are run, the same for every setting that means the same, and
// what their start is in every tool.
nlohmann::json noise_levels(const nlohmann::json& parameters, double denoise,
                            const DiffusionModelFacts& facts) {
  const NoiseSchedule noise = noise_of(facts);
  const int asked = parameters.at("steps");
  const Scheduler scheduler = parse_scheduler(parameters.at("scheduler").get<std::string>());
  const StepOptions options{.sampler = parse_sampler(parameters.at("sampler").get<std::string>()), .rho = {}};
  const DenoiseSteps steps = denoise_steps(parse_denoise_rule(parameters.at("as").get<std::string>()),
                                           denoise, asked, scheduler, noise, options);
  return {{"sigmas", steps.sigmas},
          {"timesteps", steps.timesteps},
          {"start_noise", steps.start_noise},
          {"start_sigma", steps.start_sigma()},
          {"start_timestep", steps.steps() > 0 ? noise.timestep_at(steps.start_sigma()) : 0.0},
          {"whole_timesteps", steps.whole_timesteps},
          {"unit_variance", steps.unit_variance},
          {"translation", denoise_translation(steps.start_sigma(), asked, scheduler, noise, options)}};
}

std::string levels_hash(const nlohmann::json& settings, const char* which) {
  const nlohmann::json& levels = settings.at(which);
  Hasher hasher;
  const auto add = [&](double number) {
    hasher.add_field(std::uint64_t{std::bit_cast<std::uint32_t>(static_cast<float>(number))});
  };
  for (const char* name : {"sigmas", "timesteps"}) {
    hasher.add_field(std::uint64_t{levels.at(name).size()});
    for (const double number : levels.at(name)) add(number);
  }
  add(levels.at("start_noise"));
  const bool between = describe(parse_sampler(settings.at("sampler").get<std::string>())).evaluations > 1;
  hasher.add_field(std::uint64_t{between && levels.at("whole_timesteps").get<bool>()});
  const bool ends_above_zero = !levels.at("sigmas").empty() && levels.at("sigmas").back() != 0.0;
  hasher.add_field(std::uint64_t{ends_above_zero && levels.at("unit_variance").get<bool>()});
  return hasher.finish().hex();
}

void set_default(SettledStage& stage, const char* parameter, nlohmann::json value, const char* why) {
  if (stage.values.at(parameter) == value) return;
  stage.values[parameter] = std::move(value);
  stage.notes.push_back({parameter, fmt::format("{} does not matter {}", parameter, why)});
}

nlohmann::json refine_model(const nlohmann::json& settings) {
  nlohmann::json value = {{"checkpoint", settings.at("checkpoint")}};
  for (const char* name : {"vae", "control-net"})
    if (settings.contains(name) && is_given(settings.at(name))) value[name] = settings.at(name);
  if (is_given(settings.at("lora"))) value["loras"] = loras_of(settings.at("lora"));
  return {{"diffusion", std::move(value)}};
}

SettledStage settle_diffusion(const nlohmann::json& parameters, double denoise,
                              const StageKind::FindModel& find_model) {
  SettledStage stage{.values = parameters, .models = {}, .notes = {}, .refusal = {}};
  const ModelFacts& facts = find_model(refine_model(parameters));
  stage.models = {{{"parameter", "checkpoint"},
                   {"scale", 1},
                   {"factor", facts.diffusion ? facts.diffusion->factor : 1},
                   {"identity", {{"weights", facts.tensor_hash.hex()}, {"version", facts.version}}}}};
  stage.values["levels"] = {{"sigmas", nlohmann::json::array()}};
  if (!facts.diffusion) {
    stage.refusal = fmt::format("{} is no diffusion model", parameters.at("checkpoint").dump());
    return stage;
  }
  stage.refusal = facts.diffusion->refusal;
  try {
    stage.values["levels"] = noise_levels(parameters, denoise, *facts.diffusion);
  } catch (const std::invalid_argument& error) {
    if (stage.refusal.empty()) stage.refusal = error.what();
    return stage;
  }
  settle_values(stage, *facts.diffusion);
  settle_refiner(stage, find_model);
  const bool prompted = stage.values.at("prompt") != "" || stage.values.at("negative") != "";
  if (prompted && facts.diffusion->unconditional && stage.refusal.empty())
    stage.refusal = fmt::format("{} is a model without text, expected no prompt",
                                parameters.at("checkpoint").get<std::string>());
  if (prompted && facts.diffusion->vocabulary.empty() && stage.refusal.empty())
    stage.refusal =
        "a prompt needs CLIP's vocabulary: put bpe_simple_vocab_16e6.txt.gz or a tokenizer folder with "
        "vocab.json and merges.txt beside the checkpoint or into a --models folder";
  if (prompted) stage.models[0]["identity"]["vocabulary"] = facts.diffusion->vocabulary;
  return stage;
}

int evaluations(const nlohmann::json& settings, const char* levels) {
  const int steps = static_cast<int>(settings.at(levels).at("sigmas").size()) - 1;
  if (steps < 1) return 0;
  const SamplerRow& sampler = describe(parse_sampler(settings.at("sampler").get<std::string>()));
  const int branches = settings.at("guidance") == 1.0 ? 1 : 2;
  return branches * (sampler.evaluations * (steps - 1) + 1);
}

StageEffect diffusion_effect(const nlohmann::json& stage) {
  const nlohmann::json& settings = stage.at("settings");
  StageEffect what;
  what.settings = {{"model", stage.at("models").at(0).at("identity")}, {"levels", nullptr}};
  for (const char* name : {"precision", "vae-tiles", "vae-tile", "vae-overlap"})
    what.settings[name] = settings.at(name);
  for (const char* name : {"as", "steps", "scheduler"})
    what.notes.push_back({name, fmt::format("this {} gives the same noise levels", name)});
  if (!has_steps(settings)) return what;
  for (const char* name : {"sampler", "eta", "noise", "guidance", "guidance-rescale", "prompt", "negative",
                           "prompt-dialect", "clip-skip"})
    what.settings[name] = settings.at(name);
  what.settings["levels"] = levels_hash(settings);
  if (const auto source = prompt_source(settings.at("prompt").get_ref<const std::string&>())) {
    what.settings["prompt"] = {{"of", to_string(*source)}};
    what.prompts.insert(*source);
  }
  what.uses_seed = true;
  add_refiner_effect(stage, what);
  return what;
}

std::vector<ParameterKind> model_parameters() {
  using Type = ParameterKind::Type;
  return {
      {.name = "checkpoint",
       .type = Type::checkpoint,
       .help = "a diffusion model: one file as LDM names it, or a folder of diffusers"},
      {.name = "vae",
       .type = Type::checkpoint,
       .help = "an autoencoder in the place of the checkpoint's",
       .optional = true,
       .may_be_none = true},
  };
}

ParameterKind rule_parameter() {
  return {.name = "as",
          .type = ParameterKind::Type::choice,
          .default_value = "a1111",
          .choices = names_of(denoise_rules()),
          .help = "the tool whose rule says what denoise means"};
}

std::vector<ParameterKind> schedule_parameters() {
  using Type = ParameterKind::Type;
  return {
      {.name = "sampler",
       .type = Type::choice,
       .default_value = "euler",
       .choices = names_of(samplers()),
       .help = "how it steps"},
      {.name = "scheduler",
       .type = Type::choice,
       .default_value = "uniform",
       .choices = names_of(schedulers()),
       .help = "how noise levels are spread"},
      {.name = "steps",
       .type = Type::integer,
       .default_value = 20,
       .least = 1,
       .most = 1000,
       .help = "as set in the tool; how many are made follows from `as` and denoise"},
      {.name = "eta",
       .type = Type::number,
       .least = 0,
       .most = 10,
       .help = "share of noise drawn anew; by default the sampler's own",
       .optional = true},
      {.name = "guidance",
       .type = Type::number,
       .default_value = 7.0,
       .least = 0,
       .most = 100,
       .help = "CFG scale; 1: the prompt alone, half the work"},
      {.name = "guidance-rescale",
       .type = Type::number,
       .default_value = 0.0,
       .least = 0,
       .most = 1,
       .help = "CFG rescale (Lin et al. 2023)"},
  };
}

std::vector<ParameterKind> prompt_parameters(ParameterKind prompt) {
  using Type = ParameterKind::Type;
  return {
      std::move(prompt),
      {.name = "negative", .type = Type::text, .default_value = "", .help = "the negative prompt"},
      {.name = "prompt-dialect",
       .type = Type::choice,
       .default_value = "a1111",
       .choices = {"a1111", "comfy", "plain"},
       .help = "whose brackets and chunks prompts have"},
      {.name = "clip-skip",
       .type = Type::integer,
       .least = 0,
       .most = 24,
       .help = "as the dialect's tool counts it",
       .optional = true},
      {.name = "lora",
       .type = Type::text,
       .help = "NAME:STRENGTH, several joined by +, merged into the checkpoint",
       .optional = true,
       .may_be_none = true},
  };
}

ParameterKind noise_parameter() {
  return {.name = "noise",
          .type = ParameterKind::Type::choice,
          .default_value = "philox",
          .choices = {"philox", "torch-cpu"},
          .help = "whose random numbers; both are the same on every device"};
}

ParameterKind posterior_parameter() {
  return {.name = "posterior",
          .type = ParameterKind::Type::choice,
          .default_value = "mean",
          .choices = {"mean", "sample"},
          .help = "what of the autoencoder's distribution becomes the latents"};
}

std::vector<ParameterKind> coder_parameters() {
  using Type = ParameterKind::Type;
  return {
      {.name = "vae-tiles",
       .type = Type::choice,
       .default_value = "none",
       .choices = {"none", "diffusers", "comfy", "fast", "exact"},
       .help = "how the autoencoder is tiled"},
      {.name = "vae-tile",
       .type = Type::integer,
       .default_value = 512,
       .least = 32,
       .most = 65536,
       .help = "pixels of a tile of the autoencoder"},
      {.name = "vae-overlap",
       .type = Type::integer,
       .default_value = 64,
       .least = 0,
       .most = 65536,
       .help = "pixels that these tiles share, with vae-tiles comfy"},
      {.name = "precision",
       .type = Type::choice,
       .default_value = "fp32",
       .choices = {"fp32", "tf32", "fp16", "bf16"},
       .help = "inside the networks"},
  };
}

}  // namespace upbench
