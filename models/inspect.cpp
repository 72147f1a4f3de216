#include "models/inspect.h"

#include <map>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/dtype.h"
#include "models/diffusion/model_files.h"
#include "models/networks/registry.h"

namespace upbench {
namespace {

constexpr std::int64_t kChunk = 1 << 20;  // elements looked at together

std::int64_t count_non_finite(const at::Tensor& tensor) {
  std::int64_t count = 0;
  for (const at::Tensor& part : tensor.flatten().split(kChunk))
    count += part.numel() - at::isfinite(part).sum().item<std::int64_t>();
  return count;
}

// checkpoint: a Checkpoint or a CheckpointHeader.
void describe_file(const std::filesystem::path& file, const auto& checkpoint, nlohmann::json& facts) {
  facts["file"] = file.string();
  facts["bytes"] = std::filesystem::file_size(file);
  facts["format"] = checkpoint.format;
  facts["dialect"] = checkpoint.dialect;
  facts["metadata"] = checkpoint.metadata;
  facts["tensors"] = checkpoint.tensors.size();
}

void describe_elements(const std::map<std::string, TensorEntry>& tensors, nlohmann::json& facts) {
  std::map<std::string, int> dtypes;
  std::int64_t parameters = 0;
  for (const auto& [name, entry] : tensors) {
    ++dtypes[std::string(dtype_name(entry.dtype))];
    if (at::isFloatingType(entry.dtype)) parameters += c10::multiply_integers(entry.shape);
  }
  facts["parameters"] = parameters;
  facts["dtypes"] = dtypes;
}

std::map<std::string, TensorEntry> entries_of(const NamedTensors& tensors) {
  std::map<std::string, TensorEntry> entries;
  for (const auto& [name, tensor] : tensors)
    entries.emplace(name, TensorEntry{tensor.scalar_type(), tensor.sizes().vec()});
  return entries;
}

void describe_values(const NamedTensors& tensors, nlohmann::json& facts) {
  std::int64_t non_finite = 0;
  for (const auto& [name, tensor] : tensors)
    if (tensor.is_floating_point()) non_finite += count_non_finite(tensor);
  facts["tensor_hash"] = tensor_hash(tensors).hex();
  facts["non_finite_values"] = non_finite;
  if (non_finite > 0)
    facts["warning"] =
        fmt::format("{} of {} values are NaN or infinite: a network spreads them over its output", non_finite,
                    facts["parameters"].get<std::int64_t>());
}

void list_tensors(const CheckpointHeader& header, nlohmann::json& facts) {
  facts["listing"] = nlohmann::json::object();
  for (const auto& [name, entry] : header.tensors)
    facts["listing"][name] = fmt::format("{} [{}]", dtype_name(entry.dtype), fmt::join(entry.shape, ", "));
}

nlohmann::json diffusion_parts(const DiffusionFacts& facts) {
  nlohmann::json parts = nlohmann::json::object();
  if (facts.unet)
    parts["unet"] = {{"in_channels", facts.unet->in_channels},
                     {"out_channels", facts.unet->out_channels},
                     {"channels", facts.unet->channels},
                     {"blocks_per_level", facts.unet->blocks_per_level},
                     {"transformer_depth", facts.unet->transformer_depth},
                     {"context_width", facts.unet->context_width},
                     {"vector_width", facts.unet->vector_width},
                     {"class_labels", facts.unet->class_labels},
                     {"heads", facts.unet->heads},
                     {"macs_at_64x64_latents", facts.unet->macs},
                     {"inpainting", facts.inpainting}};
  if (facts.autoencoder)
    parts["vae"] = {{"channels", facts.autoencoder->channels},
                    {"factor", facts.autoencoder->factor},
                    {"encoder", facts.autoencoder->encoder.has_value()},
                    {"decoder", facts.autoencoder->decoder.has_value()}};
  if (facts.tiny_autoencoder)
    parts["tiny_vae"] = {{"channels", facts.tiny_autoencoder->channels},
                         {"factor", facts.tiny_autoencoder->factor},
                         {"encoder", !facts.tiny_autoencoder->encoder.empty()},
                         {"decoder", !facts.tiny_autoencoder->decoder.empty()}};
  if (facts.control_net)
    parts["control_net"] = {{"context_width", facts.control_net->trunk.context_width},
                            {"channels", facts.control_net->trunk.channels}};
  for (const ClipTextFacts& text : facts.text)
    parts["text"].push_back({{"layers", text.layers},
                             {"width", text.width},
                             {"heads", text.heads},
                             {"vocabulary", text.vocabulary},
                             {"projection", text.projection},
                             {"activation", text.quick_gelu ? "quick_gelu" : "gelu"}});
  return parts;
}

// The parts of a diffusion model, with what is wrong with one; false where there are none.
bool describe_diffusion(const DiffusionTensors& model, nlohmann::json& facts) {
  if (model.parts.empty()) return false;
  facts["recognised_by"] = model.parts.layout;
  if (!model.parts.left_out.empty()) facts["tensors_left_out"] = model.parts.left_out.size();
  try {
    const DiffusionFacts made = diffusion_facts(model.parts, model.config);
    facts["architecture"] = describe(made);
    facts["family"] = to_string(made.family);
    facts["parts"] = diffusion_parts(made);
    facts["missing_parts"] = missing_parts(made);
    if (!made.unet) return true;
    facts["family_by"] = made.recognised_by;
    facts["prediction"] = {{"kind", to_string(made.prediction)}, {"by", made.prediction_by}};
    facts["latent_scale"] = made.latent_scale;
  } catch (const std::invalid_argument& error) {
    facts["architecture"] = nullptr;
    facts["problem"] = error.what();
  }
  return true;
}

void describe_network(const NamedTensors& tensors, nlohmann::json& facts) {
  if (describe_diffusion({.parts = parts_of(tensors), .config = {}}, facts)) return;
  try {
    const NetworkMatch match = recognise(tensors);
    facts["architecture"] = match.architecture;
    facts["recognised_by"] = match.recognised_by;
    facts["scale"] = match.scale;
    if (!match.scales.empty()) facts["scales"] = match.scales;
    facts["size_multiple"] = match.size_multiple;
    if (const auto& rule = match.spandrel_padding)
      facts["spandrel_padding"] = {{"size_multiple", rule->size_multiple},
                                   {"minimum_size", rule->minimum_size},
                                   {"mirrored", rule->mirrored}};
    facts["receptive_radius"] = match.receptive_radius;
    facts["macs_per_input_pixel"] = match.macs_per_pixel;
    for (const auto& [scale, macs] : match.macs_by_scale)
      facts["macs_by_scale"][std::to_string(scale)] = macs;
    facts["hyper_parameters"] = nlohmann::json::object();
    for (const auto& [name, value] : match.hyper_parameters) facts["hyper_parameters"][name] = value;
  } catch (const std::invalid_argument& error) {
    facts["architecture"] = nullptr;
    facts["problem"] = error.what();
  }
}

}  // namespace

nlohmann::json inspect_checkpoint(const std::filesystem::path& file, const InspectOptions& options) {
  nlohmann::json facts;
  if (std::filesystem::is_directory(file)) {
    facts["file"] = file.string();
    facts["format"] = "diffusers folder";
    const DiffusionTensors model = read_diffusion({.checkpoint = file}, options.header_only);
    (void)describe_diffusion(model, facts);
    if (!model.licences.empty()) facts["licences"] = model.licences;
    if (!options.header_only) facts["tensor_hash"] = parts_hash(model.parts).hex();
    return facts;
  }
  if (options.header_only) {
    const CheckpointHeader header = read_checkpoint_header(file, options.param_key);
    describe_file(file, header, facts);
    describe_elements(header.tensors, facts);
    list_tensors(header, facts);
    return facts;
  }
  const Checkpoint checkpoint = read_checkpoint(file, options.param_key);
  describe_file(file, checkpoint, facts);
  describe_elements(entries_of(checkpoint.tensors), facts);
  describe_network(checkpoint.tensors, facts);
  describe_values(checkpoint.tensors, facts);
  return facts;
}

}  // namespace upbench
