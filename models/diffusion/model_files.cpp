#include "models/diffusion/model_files.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "models/diffusion/lora.h"

namespace upbench {
namespace {

using std::filesystem::path;

constexpr std::uintmax_t kLongestConfig = 1 << 20;

nlohmann::json read_config(const path& file) {
  if (!std::filesystem::exists(file)) return nlohmann::json::object();
  if (std::filesystem::file_size(file) > kLongestConfig)
    throw std::invalid_argument(fmt::format("{}: longer than 1 MB, expected a configuration", file.string()));
  std::ifstream in(file);
  const nlohmann::json config = nlohmann::json::parse(in, nullptr, false);
  if (!config.is_object())
    throw std::invalid_argument(fmt::format("{}: expected a JSON object", file.string()));
  return config;
}

// A number of the configuration; nothing where it is absent or null.
template <class T>
std::optional<T> number(const nlohmann::json& config, const char* name) {
  const auto value = config.find(name);
  if (value == config.end() || value->is_null()) return std::nullopt;
  if (!value->is_number())
    throw std::invalid_argument(
        fmt::format("configuration: {} is {}, expected a number", name, value->dump()));
  return value->get<T>();
}

// diffusers calls the number of heads attention_head_dim (its issue 2011), newer files num_attention_heads.
std::vector<std::int64_t> heads_of(const nlohmann::json& config) {
  for (const char* name : {"num_attention_heads", "attention_head_dim"}) {
    const auto value = config.find(name);
    if (value == config.end() || value->is_null()) continue;
    if (value->is_number_integer()) return {value->get<std::int64_t>()};
    if (value->is_array() && std::ranges::all_of(*value, [](const auto& n) { return n.is_number_integer(); }))
      return value->get<std::vector<std::int64_t>>();
    throw std::invalid_argument(
        fmt::format("configuration: {} is {}, expected a number or a list of them", name, value->dump()));
  }
  return {};
}

ClipTextConfig text_config(const nlohmann::json& config) {
  ClipTextConfig text;
  text.heads = number<std::int64_t>(config, "num_attention_heads");
  text.end_token = number<std::int64_t>(config, "eos_token_id");
  // transformers: 2 stands in old configurations of CLIP, whose end token is the vocabulary's last
  if (text.end_token == 2) text.end_token.reset();
  if (config.contains("hidden_act")) text.quick_gelu = config["hidden_act"] == "quick_gelu";
  return text;
}

void read_scheduler(const nlohmann::json& config, DiffusionConfig& made) {
  if (const std::string kind = config.value("prediction_type", ""); !kind.empty())
    made.prediction = parse_prediction(kind == "v_prediction" ? "v" : kind);
  if (const std::string kind = config.value("beta_schedule", "scaled_linear"); kind != "scaled_linear")
    throw std::invalid_argument(fmt::format(
        "scheduler: beta_schedule {}, expected scaled_linear, as Stable Diffusion is trained", kind));
  made.first_beta = number<double>(config, "beta_start");
  made.last_beta = number<double>(config, "beta_end");
}

void add_licence(const std::map<std::string, std::string>& metadata, std::set<std::string>& licences) {
  if (std::string stated = stated_licence(metadata); !stated.empty()) licences.insert(std::move(stated));
}

NamedTensors read_tensors(const path& file, bool header_only, std::set<std::string>& licences) {
  if (!header_only) {
    Checkpoint checkpoint = read_checkpoint(file);
    add_licence(checkpoint.metadata, licences);
    return std::move(checkpoint.tensors);
  }
  const CheckpointHeader header = read_checkpoint_header(file);
  add_licence(header.metadata, licences);
  NamedTensors tensors;
  for (const auto& [name, entry] : header.tensors)
    tensors.emplace(name, at::empty(entry.shape, at::TensorOptions(entry.dtype).device(at::kMeta)));
  return tensors;
}

// The files that an index lists: weights in several pieces.
std::vector<path> pieces(const path& index) {
  std::set<std::string> names;
  const nlohmann::json listed = read_config(index);
  const auto map = listed.find("weight_map");
  if (map == listed.end() || !map->is_object())
    throw std::invalid_argument(
        fmt::format("{}: no weight_map, expected an index of tensors", index.string()));
  for (const auto& [tensor, file] : map->items()) names.insert(file.get<std::string>());
  std::vector<path> files;
  for (const std::string& name : names) {
    if (path(name).has_parent_path())
      throw std::invalid_argument(
          fmt::format("{}: names {}, expected a file beside it", index.string(), name));
    files.push_back(index.parent_path() / name);
  }
  return files;
}

// The weights in a folder of one part: full precision before half, safetensors before pickles.
std::vector<path> weight_files(const path& folder) {
  static constexpr std::array kStems = {"diffusion_pytorch_model", "model", "pytorch_model"};
  static constexpr std::array kEndings = {".safetensors", ".safetensors.index.json", ".fp16.safetensors",
                                          ".bin",         ".bin.index.json",         ".fp16.bin"};
  for (const char* ending : kEndings) {
    for (const char* stem : kStems) {
      const path file = folder / (std::string(stem) + ending);
      if (!std::filesystem::exists(file)) continue;
      return std::string_view(ending).ends_with(".json") ? pieces(file) : std::vector{file};
    }
  }
  throw std::invalid_argument(fmt::format("{}: no weights, expected one of {} with one of {}",
                                          folder.string(), fmt::join(kStems, ", "),
                                          fmt::join(kEndings, ", ")));
}

enum class Part { unet, vae, control_net, text };

void read_part_config(const path& folder, Part part, DiffusionConfig& config) {
  const nlohmann::json said = read_config(folder / "config.json");
  if (part == Part::unet) config.unet_heads = heads_of(said);
  if (part == Part::text) config.text.push_back(text_config(said));
  if (part != Part::vae) return;
  config.autoencoder_groups = number<std::int64_t>(said, "norm_num_groups");
  config.latent_scale = number<double>(said, "scaling_factor");
  config.latent_shift = number<double>(said, "shift_factor");
}

// One part from a file or a folder; what its folder and files say goes into `made`.
ModelParts read_part(const path& from, Part part, DiffusionTensors& made, bool header_only) {
  if (!std::filesystem::is_directory(from)) {
    if (part == Part::text) made.config.text.emplace_back();
    return parts_of(read_tensors(from, header_only, made.licences));
  }
  read_part_config(from, part, made.config);
  NamedTensors tensors;
  for (const path& file : weight_files(from)) tensors.merge(read_tensors(file, header_only, made.licences));
  return parts_of(std::move(tensors));
}

DiffusionTensors read_folder(const path& folder, bool header_only) {
  static constexpr std::array<std::pair<const char*, Part>, 5> kFolders = {
      {{"unet", Part::unet},
       {"vae", Part::vae},
       {"text_encoder", Part::text},
       {"text_encoder_2", Part::text},
       {"controlnet", Part::control_net}}};
  DiffusionTensors made;
  for (const auto& [name, part] : kFolders)
    if (const path inner = folder / name; std::filesystem::is_directory(inner))
      add_parts(made.parts, read_part(inner, part, made, header_only));
  made.parts.layout = "diffusers folder";
  read_scheduler(read_config(folder / "scheduler" / "scheduler_config.json"), made.config);
  return made;
}

DiffusionTensors read_any(const path& from, bool header_only) {
  if (!std::filesystem::is_directory(from)) {
    DiffusionTensors made;
    made.parts = parts_of(read_tensors(from, header_only, made.licences));
    return made;
  }
  if (!std::filesystem::exists(from / "model_index.json"))
    throw std::invalid_argument(
        fmt::format("{}: no model_index.json, expected a checkpoint file or a folder as diffusers saves it",
                    from.string()));
  return read_folder(from, header_only);
}

void require(bool found, const path& file, const char* what) {
  if (!found) throw std::invalid_argument(fmt::format("{}: no {} in it", file.string(), what));
}

void replace_part(const path& from, Part part, DiffusionTensors& made, bool header_only) {
  if (from.empty()) return;
  ModelParts read = read_part(from, part, made, header_only);
  ModelParts wanted;
  wanted.layout = read.layout;
  if (part == Part::unet) {
    wanted.unet = std::move(read.unet);
    wanted.velocity_marked = read.velocity_marked;
    require(!wanted.empty(), from, "UNet");
  } else if (part == Part::vae) {
    wanted.autoencoder = std::move(read.autoencoder);
    wanted.tiny_autoencoder = std::move(read.tiny_autoencoder);
    require(!wanted.empty(), from, "autoencoder");
  } else {
    wanted.control_net = std::move(read.control_net);
    require(!wanted.empty(), from, "ControlNet");
  }
  replace_parts(made.parts, std::move(wanted));
}

void replace_text(const std::vector<path>& files, DiffusionTensors& made, bool header_only) {
  if (files.empty()) return;
  made.parts.text.clear();
  made.config.text.clear();
  for (const path& file : files) {
    ModelParts read = read_part(file, Part::text, made, header_only);
    require(!read.text.empty(), file, "text encoder");
    std::ranges::move(read.text, std::back_inserter(made.parts.text));
  }
}

void merge_loras(const DiffusionFiles& files, DiffusionTensors& made) {
  ModelParts& parts = made.parts;
  std::vector<NamedTensors*> text;
  for (NamedTensors& encoder : parts.text) text.push_back(&encoder);
  for (const auto& [file, strength] : files.loras) {
    try {
      const LoraReport report =
          merge_lora(parts.unet, text, read_tensors(file, false, made.licences), strength);
      for (const std::string& module : report.unmatched)
        made.lora_unused.push_back(fmt::format("{}: {}", file.filename().string(), module));
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(fmt::format("{}: {}", file.string(), error.what()));
    }
  }
}

}  // namespace

DiffusionTensors read_diffusion(const DiffusionFiles& files, bool header_only) {
  DiffusionTensors made;
  if (files.embedded != nullptr) {
    const EmbeddedModel& model = *files.embedded;
    Checkpoint checkpoint = read_checkpoint(model.data, model.size, model.name);
    add_licence(checkpoint.metadata, made.licences);
    made.parts = parts_of(std::move(checkpoint.tensors));
  } else if (!files.checkpoint.empty()) {
    made = read_any(files.checkpoint, header_only);
    require(!made.parts.empty(), files.checkpoint, "part of a diffusion model that is known");
  }
  replace_part(files.unet, Part::unet, made, header_only);
  replace_part(files.vae, Part::vae, made, header_only);
  replace_part(files.control_net, Part::control_net, made, header_only);
  replace_text(files.text_encoders, made, header_only);
  if (!header_only) merge_loras(files, made);
  return made;
}

Digest parts_hash(const ModelParts& parts) {
  Hasher hasher;
  hasher.add_field("upbench-diffusion-1");
  for (const NamedTensors* part :
       {&parts.unet, &parts.autoencoder, &parts.tiny_autoencoder, &parts.control_net})
    hasher.add_field(tensor_hash(*part));
  for (const NamedTensors& part : parts.text) hasher.add_field(tensor_hash(part));
  return hasher.finish();
}

}  // namespace upbench
