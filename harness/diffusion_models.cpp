#include "harness/diffusion_models.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/model_cache.h"
#include "models/diffusion/model_latents.h"
#include "models/embedded_models.h"
#include "models/model_search.h"
#include "models/network_upscaler.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

// Rises whenever a diffusion model may give other pixels from the same weights.
constexpr int kDiffusionVersion = 1;

constexpr const char* kVocabularyFile = "bpe_simple_vocab_16e6.txt.gz";

fs::path find(const std::string& name, const ModelSearch& search) {
  std::error_code ignored;
  if (fs::path folder = search.spec_dir / name; !name.empty() && fs::is_directory(folder, ignored))
    return folder;
  for (const fs::path& models : search.model_dirs)
    if (fs::path folder = models / name; !name.empty() && fs::is_directory(folder, ignored)) return folder;
  if (const auto file = find_model_file(name, search)) return *file;
  std::vector<std::string> known = model_stems(search), built_in;
  for (const EmbeddedModel& model : embedded_refiners()) built_in.push_back(model.name);
  known.insert(known.end(), built_in.begin(), built_in.end());
  const std::vector<std::string> near = near_misses(name, known);
  throw std::invalid_argument(fmt::format(
      "no checkpoint '{}': expected a file or a diffusers folder beside the spec, the stem of a "
      "file or the name of a diffusers folder in a --models folder, or a built-in one ({}){}",
      name, fmt::join(built_in, ", "), near.empty() ? "" : fmt::format("; near: {}", fmt::join(near, ", "))));
}

// Why it cannot refine pictures.
std::string refusal_of(const DiffusionFacts& facts) {
  if (const std::vector<std::string> missing = missing_parts(facts); !missing.empty())
    return fmt::format("{} has no {}: give a whole checkpoint, or the autoencoder with vae", describe(facts),
                       fmt::join(missing, ", "));
  if (facts.family == DiffusionFamily::x4_upscaler)
    return "the x4 upscaler works from a small picture, not from its own: it cannot refine";
  if (facts.autoencoder && !(facts.autoencoder->encoder && facts.autoencoder->decoder))
    return "the autoencoder has only one half, expected encoder and decoder";
  const std::int64_t channels =
      facts.autoencoder ? facts.autoencoder->channels : facts.tiny_autoencoder->channels;
  if (channels != facts.unet->out_channels)
    return fmt::format("the autoencoder has {} latent channels, the UNet {}: it belongs to another family",
                       channels, facts.unet->out_channels);
  if (facts.control_net)
    if (std::string why = control_net_mismatch(*facts.control_net, *facts.unet); !why.empty())
      return fmt::format("the ControlNet does not fit: {}", why);
  std::int64_t width = 0;
  for (const ClipTextFacts& text : facts.text) width += text.width;
  if (width != facts.unet->context_width)
    return fmt::format("the text encoders give a context {} wide, the UNet takes {}", width,
                       facts.unet->context_width);
  return {};
}

int factor_of(const DiffusionFacts& facts) {
  if (facts.tiny_autoencoder) return facts.tiny_autoencoder->factor;
  return facts.autoencoder ? facts.autoencoder->factor : 8;
}

constexpr std::int64_t kMeasuredSide = 512;  // pixels, for work by pixel

double coder_macs_per_pixel(const DiffusionFacts& facts) {
  if (!facts.autoencoder) return 0;
  return (encode_macs(*facts.autoencoder, kMeasuredSide, kMeasuredSide) +
          decode_macs(*facts.autoencoder, kMeasuredSide, kMeasuredSide)) /
         (kMeasuredSide * kMeasuredSide);
}

std::int64_t bytes_of(const ModelParts& parts) {
  std::int64_t bytes = 0;
  const auto add = [&](const NamedTensors& tensors) {
    for (const auto& [name, tensor] : tensors) bytes += static_cast<std::int64_t>(tensor.nbytes());
  };
  for (const NamedTensors* part :
       {&parts.unet, &parts.autoencoder, &parts.tiny_autoencoder, &parts.control_net})
    add(*part);
  for (const NamedTensors& text : parts.text) add(text);
  return bytes;
}

}  // namespace

bool is_diffusion(const nlohmann::json& model) {
  return model.is_object() && model.contains("diffusion");
}

DiffusionFiles diffusion_files(const nlohmann::json& model, const ModelSearch& search) {
  const nlohmann::json& value = model.at("diffusion");
  DiffusionFiles files;
  const std::string checkpoint = value.at("checkpoint");
  const auto embedded = std::ranges::find(embedded_refiners(), checkpoint, &EmbeddedModel::name);
  if (embedded != embedded_refiners().end()) files.embedded = &*embedded;
  files.checkpoint = files.embedded != nullptr ? fs::path(checkpoint) : find(checkpoint, search);
  if (value.contains("vae")) files.vae = find(value.at("vae"), search);
  if (value.contains("control-net")) files.control_net = find(value.at("control-net"), search);
  for (const auto& lora : value.value("loras", nlohmann::json::array()))
    files.loras.emplace_back(find(lora.at(0), search), lora.at(1).get<double>());
  return files;
}

fs::path find_vocabulary(const DiffusionFiles& files, const ModelSearch& search) {
  if (files.embedded != nullptr) return {};
  std::vector<fs::path> folders = {files.checkpoint / "tokenizer", files.checkpoint.parent_path()};
  folders.insert(folders.end(), search.model_dirs.begin(), search.model_dirs.end());
  for (const fs::path& folder : folders)
    for (const char* name : {"merges.txt", kVocabularyFile, "tokenizer/merges.txt"})
      if (fs::exists(folder / name)) return folder / name;
  return {};
}

ModelFacts diffusion_model_facts(const nlohmann::json& model, const ModelSearch& search) {
  const DiffusionFiles files = diffusion_files(model, search);
  const DiffusionTensors tensors = read_diffusion(files);
  const DiffusionFacts facts = diffusion_facts(tensors.parts, tensors.config);
  ModelFacts made;
  made.label = files.checkpoint.stem().string();
  made.scale = 1;
  made.tensor_hash = parts_hash(tensors.parts);
  made.architecture = to_string(facts.family);
  made.weight_bytes = bytes_of(tensors.parts);
  made.version = kDiffusionVersion;
  if (facts.unet)
    made.macs_per_pixel =
        unet_macs(*facts.unet, kMeasuredSide / factor_of(facts), kMeasuredSide / factor_of(facts)) /
        (kMeasuredSide * kMeasuredSide);
  made.diffusion = {.first_beta = tensors.config.first_beta.value_or(NoiseSchedule::kFirstBeta),
                    .last_beta = tensors.config.last_beta.value_or(NoiseSchedule::kLastBeta),
                    .factor = factor_of(facts),
                    .unconditional = is_unconditional(facts),
                    .coder_macs_per_pixel = coder_macs_per_pixel(facts),
                    .latents = {},
                    .refusal = refusal_of(facts)};
  if (facts.unet) made.diffusion->latents = latent_space(facts);
  if (const fs::path vocabulary = find_vocabulary(files, search); !vocabulary.empty())
    made.diffusion->vocabulary = sha256_file(vocabulary).hex();
  return made;
}

DiffusionCache::DiffusionCache(ModelSearch search, std::size_t budget_bytes)
    : search_(std::move(search)), models_(budget_bytes), tokenizers_(budget_bytes) {}

std::shared_ptr<const DiffusionModel> DiffusionCache::get(const nlohmann::json& model,
                                                          const std::string& device, Precision precision) {
  const std::string key = fmt::format("{} {} {}", model.dump(), device, static_cast<int>(precision));
  return models_.get(key, [&] {
    DiffusionTensors tensors = read_diffusion(diffusion_files(model, search_));
    const auto bytes = static_cast<std::size_t>(bytes_of(tensors.parts)) + 1;
    return SharedCache<std::string, DiffusionModel>::Made{
        std::make_shared<const DiffusionModel>(std::move(tensors), at::Device(device), dtype_of(precision)),
        bytes};
  });
}

std::shared_ptr<const Tokenizer> DiffusionCache::tokenizer(const nlohmann::json& model) {
  const fs::path file = find_vocabulary(diffusion_files(model, search_), search_);
  if (file.empty())
    throw std::invalid_argument(
        fmt::format("a prompt needs CLIP's vocabulary, {}: there is none", kVocabularyFile));
  return tokenizers_.get(file.string(), [&] {
    return SharedCache<std::string, Tokenizer>::Made{
        std::make_shared<const Tokenizer>(Tokenizer::from_file(file)), 1};
  });
}

}  // namespace upbench
