#include "models/diffusion/facts.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/model_latents.h"

namespace upbench {
namespace {

struct FamilyRow {
  DiffusionFamily family;
  std::string name;
  double latent_scale;
};

const std::vector<FamilyRow>& families() {
  static const std::vector<FamilyRow> rows = {
      {DiffusionFamily::sd1, "sd1", 0.18215},
      {DiffusionFamily::sd2, "sd2", 0.18215},
      {DiffusionFamily::sdxl, "sdxl", 0.13025},
      {DiffusionFamily::sdxl_refiner, "sdxl-refiner", 0.13025},
      {DiffusionFamily::x4_upscaler, "sd-x4-upscaler", 0.08333},
      {DiffusionFamily::other, "other", 0.18215},
      {DiffusionFamily::none, "none", 0.18215},
  };
  return rows;
}

const FamilyRow& row_of(DiffusionFamily family) {
  for (const FamilyRow& row : families())
    if (row.family == family) return row;
  throw std::logic_error("a family without a row");
}

void recognise_family(DiffusionFacts& facts) {
  if (!facts.unet) {
    facts.recognised_by = "no UNet";
    return;
  }
  const UNetFacts& unet = *facts.unet;
  facts.recognised_by = fmt::format("context {} wide, {} channels in", unet.context_width, unet.in_channels);
  if (unet.vector_width > 0) facts.recognised_by += fmt::format(", vector of {}", unet.vector_width);
  if (unet.class_labels > 0) facts.recognised_by += fmt::format(", {} classes", unet.class_labels);
  facts.inpainting = unet.in_channels == 9 && unet.out_channels == 4;
  const auto is = [&](std::int64_t context, std::int64_t vector) {
    return unet.context_width == context && unet.vector_width == vector;
  };
  if (unet.in_channels == 7 && unet.class_labels > 0)
    facts.family = DiffusionFamily::x4_upscaler;
  else if (is(2048, 2816))
    facts.family = DiffusionFamily::sdxl;
  else if (is(1280, 2560))
    facts.family = DiffusionFamily::sdxl_refiner;
  else if (is(768, 0))
    facts.family = DiffusionFamily::sd1;
  else if (is(1024, 0))
    facts.family = DiffusionFamily::sd2;
  else
    facts.family = DiffusionFamily::other;
}

// The bias by whose spread ComfyUI tells SD 2's models that predict v.
constexpr double kVelocitySpread = 0.09;

std::optional<double> spread_of_last_norm(const NamedTensors& unet) {
  const at::Tensor* last = nullptr;
  for (const auto& [name, tensor] : unet)
    if (name.starts_with("up_blocks.") && name.ends_with("transformer_blocks.0.norm1.bias")) last = &tensor;
  if (last == nullptr || last->is_meta()) return std::nullopt;
  return last->to(at::kDouble).std().item<double>();
}

void settle_prediction(const ModelParts& parts, const DiffusionConfig& config, DiffusionFacts& facts) {
  const auto set = [&](Prediction prediction, std::string why) {
    facts.prediction = prediction;
    facts.prediction_by = std::move(why);
  };
  if (config.prediction) return set(*config.prediction, "configuration");
  if (parts.velocity_marked) return set(Prediction::v, "the file's tensor v_pred");
  if (facts.family == DiffusionFamily::sd2)
    if (const auto spread = spread_of_last_norm(parts.unet))
      return set(*spread > kVelocitySpread ? Prediction::v : Prediction::epsilon,
                 fmt::format("spread {:.4f} of the last transformer's first norm, v above {}", *spread,
                             kVelocitySpread));
  set(Prediction::epsilon, "nothing says otherwise");
}

// Facts of one part, with its name before what is wrong.
template <class Facts, class Make>
std::optional<Facts> facts_of(const char* part, const NamedTensors& tensors, const Make& make) {
  if (tensors.empty()) return std::nullopt;
  try {
    return make(tensors);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", part, error.what()));
  }
}

}  // namespace

Prediction parse_prediction(std::string_view name) {
  if (name == "epsilon") return Prediction::epsilon;
  if (name == "v") return Prediction::v;
  throw std::invalid_argument(fmt::format("unknown prediction '{}', expected epsilon or v", name));
}

std::string to_string(Prediction prediction) {
  return prediction == Prediction::v ? "v" : "epsilon";
}

std::string to_string(DiffusionFamily family) {
  return row_of(family).name;
}

DiffusionFacts diffusion_facts(const ModelParts& parts, const DiffusionConfig& config) {
  DiffusionFacts facts;
  facts.layout = parts.layout;
  facts.unet = facts_of<UNetFacts>("UNet", parts.unet,
                                   [&](const NamedTensors& t) { return unet_facts(t, config.unet_heads); });
  AutoencoderNorm norm;
  norm.groups = config.autoencoder_groups.value_or(norm.groups);
  facts.autoencoder = facts_of<AutoencoderFacts>(
      "autoencoder", parts.autoencoder, [&](const NamedTensors& t) { return autoencoder_facts(t, norm); });
  facts.tiny_autoencoder =
      facts_of<TinyAutoencoderFacts>("tiny autoencoder", parts.tiny_autoencoder,
                                     [](const NamedTensors& t) { return tiny_autoencoder_facts(t); });
  facts.control_net = facts_of<ControlNetFacts>("ControlNet", parts.control_net, [&](const NamedTensors& t) {
    return control_net_facts(t, config.unet_heads);
  });
  for (std::size_t i = 0; i < parts.text.size(); ++i) {
    const ClipTextConfig text = i < config.text.size() ? config.text[i] : ClipTextConfig{};
    facts.text.push_back(*facts_of<ClipTextFacts>(
        "text encoder", parts.text[i], [&](const NamedTensors& t) { return clip_text_facts(t, text); }));
  }
  recognise_family(facts);
  settle_prediction(parts, config, facts);
  facts.latent_scale = config.latent_scale.value_or(row_of(facts.family).latent_scale);
  facts.latent_shift = config.latent_shift.value_or(0);
  if (config.first_beta || config.last_beta)
    facts.noise = NoiseSchedule::scaled_linear(config.first_beta.value_or(NoiseSchedule::kFirstBeta),
                                               config.last_beta.value_or(NoiseSchedule::kLastBeta));
  return facts;
}

std::string describe(const DiffusionFacts& facts) {
  std::vector<std::string> parts;
  if (facts.unet) parts.emplace_back(facts.inpainting ? "UNet for inpainting" : "UNet");
  if (facts.autoencoder) parts.emplace_back("autoencoder");
  if (facts.tiny_autoencoder) parts.emplace_back("tiny autoencoder");
  if (facts.control_net) parts.emplace_back("ControlNet");
  if (!facts.text.empty())
    parts.push_back(fmt::format("{} text encoder{}", facts.text.size(), facts.text.size() == 1 ? "" : "s"));
  return fmt::format("{}: {}", to_string(facts.family), fmt::join(parts, ", "));
}

bool is_unconditional(const DiffusionFacts& facts) {
  return facts.unet && facts.unet->context_width == 0;
}

std::vector<std::string> missing_parts(const DiffusionFacts& facts) {
  std::vector<std::string> missing;
  if (!facts.unet) missing.emplace_back("unet");
  if (!facts.autoencoder && !facts.tiny_autoencoder) missing.emplace_back("vae");
  if (facts.text.empty() && !is_unconditional(facts)) missing.emplace_back("text");
  return missing;
}

LatentSpace latent_space(const DiffusionFacts& facts) {
  return {.channels = static_cast<int>(facts.unet->out_channels),
          .scale = facts.latent_scale,
          .shift = facts.latent_shift,
          .family = to_string(facts.family)};
}

std::string latent_mismatch(const DiffusionFacts& from, const DiffusionFacts& to) {
  if (!from.unet || !to.unet) return "one of the models has no UNet";
  return latent_mismatch(latent_space(from), latent_space(to));
}

}  // namespace upbench
