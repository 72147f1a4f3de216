#include "models/diffusion/parts.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "models/diffusion/networks/autoencoder_names.h"
#include "models/diffusion/networks/clip_names.h"
#include "models/diffusion/networks/control_net.h"
#include "models/diffusion/networks/tiny_autoencoder.h"
#include "models/diffusion/networks/unet_names.h"

namespace upbench {
namespace {

// Moves the tensors whose names begin with `prefix` out of `tensors`, without it.
NamedTensors taken(NamedTensors& tensors, std::string_view prefix) {
  NamedTensors part;
  auto at = tensors.lower_bound(std::string(prefix));
  while (at != tensors.end() && at->first.starts_with(prefix)) {
    auto node = tensors.extract(at++);
    node.key() = node.key().substr(prefix.size());
    part.insert(std::move(node));
  }
  return part;
}

bool holds(const NamedTensors& tensors, std::string_view name) {
  return tensors.contains(std::string(name));
}

bool holds_below(const NamedTensors& tensors, std::string_view prefix) {
  const auto at = tensors.lower_bound(std::string(prefix));
  return at != tensors.end() && at->first.starts_with(prefix);
}

NamedTensors translated(NamedTensors (*names)(const NamedTensors&), const NamedTensors& part) {
  return part.empty() ? part : names(part);
}

void add_text(ModelParts& parts, const NamedTensors& text) {
  if (!text.empty()) parts.text.push_back(clip_text_from_ldm(text));
}

NamedTensors autoencoder_or_tiny(ModelParts& parts, const NamedTensors& tensors) {
  const bool tiny = holds_below(tensors, "encoder.layers.") || holds_below(tensors, "decoder.layers.");
  if (!tiny) return autoencoder_from_ldm(tensors);
  parts.tiny_autoencoder = tiny_autoencoder_names(tensors);
  return {};
}

void take_ldm(NamedTensors& tensors, ModelParts& parts) {
  parts.layout = "LDM";
  parts.velocity_marked = tensors.erase("v_pred") > 0;
  parts.unet = translated(unet_from_ldm, taken(tensors, "model.diffusion_model."));
  parts.autoencoder = translated(autoencoder_from_ldm, taken(tensors, "first_stage_model."));
  parts.control_net = translated(control_net_from_ldm, taken(tensors, "control_model."));
  add_text(parts, taken(tensors, "cond_stage_model."));
  for (const char* number : {"0", "1"})
    add_text(parts, taken(tensors, fmt::format("conditioner.embedders.{}.", number)));
}

void take_diffusers(NamedTensors& tensors, ModelParts& parts) {
  parts.layout = "diffusers";
  parts.unet = taken(tensors, "unet.");
  parts.autoencoder = autoencoder_or_tiny(parts, taken(tensors, "vae."));
  parts.control_net = taken(tensors, "controlnet.");
  add_text(parts, taken(tensors, "text_encoder."));
  add_text(parts, taken(tensors, "text_encoder_2."));
}

// A file that holds one part under names of its own.
struct Alone {
  const char* layout;
  bool (*is)(const NamedTensors&);
  void (*take)(const NamedTensors& tensors, ModelParts& parts);
};

bool is_text(const NamedTensors& t) {
  return std::ranges::any_of(std::array{"text_model.", "transformer.text_model.", "transformer.resblocks.",
                                        "model.transformer.resblocks.", "encoder.layers.0.self_attn."},
                             [&](const char* prefix) { return holds_below(t, prefix); });
}

bool is_tiny(const NamedTensors& t) {
  return holds(t, "encoder.layers.0.weight") || holds(t, "decoder.layers.1.weight") ||
         (holds(t, "0.weight") && holds(t, "1.conv.0.weight")) ||
         (holds(t, "1.weight") && holds(t, "3.conv.0.weight"));
}

// Whose names say more come first: a ControlNet has most of a UNet's.
constexpr std::array<Alone, 7> kAlone = {{
    {"one part, diffusers: ControlNet",
     [](const NamedTensors& t) { return holds(t, "controlnet_cond_embedding.conv_in.weight"); },
     [](const NamedTensors& t, ModelParts& parts) { parts.control_net = t; }},
    {"one part, LDM: ControlNet", [](const NamedTensors& t) { return holds(t, "input_hint_block.0.weight"); },
     [](const NamedTensors& t, ModelParts& parts) { parts.control_net = control_net_from_ldm(t); }},
    {"one part, LDM: UNet", [](const NamedTensors& t) { return holds(t, "input_blocks.0.0.weight"); },
     [](const NamedTensors& t, ModelParts& parts) { parts.unet = unet_from_ldm(t); }},
    {"one part, diffusers: UNet",
     [](const NamedTensors& t) { return holds(t, "conv_in.weight") && holds_below(t, "down_blocks."); },
     [](const NamedTensors& t, ModelParts& parts) { parts.unet = t; }},
    {"one part: text encoder", is_text, [](const NamedTensors& t, ModelParts& parts) { add_text(parts, t); }},
    {"one part: tiny autoencoder", is_tiny,
     [](const NamedTensors& t, ModelParts& parts) { parts.tiny_autoencoder = tiny_autoencoder_names(t); }},
    {"one part: autoencoder",
     [](const NamedTensors& t) {
       return holds(t, "encoder.conv_in.weight") || holds(t, "decoder.conv_in.weight");
     },
     [](const NamedTensors& t, ModelParts& parts) { parts.autoencoder = autoencoder_from_ldm(t); }},
}};

// What one file may say about a part and what another says, in order of ModelParts.
constexpr std::array<std::pair<NamedTensors ModelParts::*, const char*>, 4> kSingle = {{
    {&ModelParts::unet, "UNet"},
    {&ModelParts::autoencoder, "autoencoder"},
    {&ModelParts::tiny_autoencoder, "tiny autoencoder"},
    {&ModelParts::control_net, "ControlNet"},
}};

// The encoder and the decoder of a tiny autoencoder come in files of their own.
bool are_halves(const NamedTensors& a, const NamedTensors& b) {
  return std::ranges::none_of(a, [&](const auto& entry) { return b.contains(entry.first); });
}

}  // namespace

bool ModelParts::empty() const {
  return text.empty() &&
         std::ranges::all_of(kSingle, [&](const auto& part) { return (this->*part.first).empty(); });
}

ModelParts parts_of(NamedTensors tensors) {
  ModelParts parts;
  if (holds_below(tensors, "model.diffusion_model.") || holds_below(tensors, "first_stage_model.") ||
      holds_below(tensors, "cond_stage_model.") || holds_below(tensors, "control_model.") ||
      holds_below(tensors, "conditioner.embedders.")) {
    take_ldm(tensors, parts);
  } else if (holds_below(tensors, "unet.") || holds_below(tensors, "vae.") ||
             holds_below(tensors, "text_encoder.") || holds_below(tensors, "controlnet.")) {
    take_diffusers(tensors, parts);
  } else if (const auto alone =
                 std::ranges::find_if(kAlone, [&](const Alone& one) { return one.is(tensors); });
             alone != kAlone.end()) {
    parts.layout = alone->layout;
    alone->take(std::exchange(tensors, {}), parts);
  }
  std::ranges::transform(tensors, std::back_inserter(parts.left_out),
                         [](const auto& entry) { return entry.first; });
  return parts;
}

void add_parts(ModelParts& parts, ModelParts more) {
  for (const auto& [part, name] : kSingle) {
    NamedTensors &here = parts.*part, &there = more.*part;
    if (!here.empty() && !there.empty() &&
        !(part == &ModelParts::tiny_autoencoder && are_halves(here, there)))
      throw std::invalid_argument(fmt::format("{} a second time, expected each part once", name));
    here.merge(there);
  }
  std::ranges::move(more.text, std::back_inserter(parts.text));
  std::ranges::move(more.left_out, std::back_inserter(parts.left_out));
  parts.velocity_marked = parts.velocity_marked || more.velocity_marked;
  if (parts.layout.empty()) parts.layout = more.layout;
}

void replace_parts(ModelParts& parts, ModelParts more) {
  if (!more.autoencoder.empty() || !more.tiny_autoencoder.empty()) {
    parts.autoencoder.clear();
    parts.tiny_autoencoder.clear();
  }
  if (!more.unet.empty()) parts.unet.clear();
  if (!more.control_net.empty()) parts.control_net.clear();
  if (!more.text.empty()) parts.text.clear();
  more.left_out.clear();
  add_parts(parts, std::move(more));
}

}  // namespace upbench
