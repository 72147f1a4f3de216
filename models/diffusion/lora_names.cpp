#include "models/diffusion/lora_names.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/checkpoint/refuse.h"
#include "models/diffusion/networks/unet_names.h"

namespace upbench {
namespace {

// The ends of names, and which matrix of a module each is. The longest that fits counts.
struct Ending {
  std::string_view text;
  at::Tensor LoraModule::* matrix;
};
constexpr std::array kEndings{
    Ending{".lora_down.weight", &LoraModule::down},
    Ending{".lora_up.weight", &LoraModule::up},
    Ending{".lora_mid.weight", &LoraModule::middle},
    Ending{".alpha", &LoraModule::alpha},
    Ending{".lora_A.weight", &LoraModule::down},
    Ending{".lora_B.weight", &LoraModule::up},
    Ending{".lora_A.default.weight", &LoraModule::down},
    Ending{".lora_B.default.weight", &LoraModule::up},
    Ending{".lora.down.weight", &LoraModule::down},
    Ending{".lora.up.weight", &LoraModule::up},
    Ending{".lora_linear_layer.down.weight", &LoraModule::down},
    Ending{".lora_linear_layer.up.weight", &LoraModule::up},
    Ending{"_lora.down.weight", &LoraModule::down},
    Ending{"_lora.up.weight", &LoraModule::up},
};

// Parts of names that tell other adapters.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kOthers{{
    {".hada_w", "LoHa"},
    {".hada_t", "LoHa"},
    {".lokr_", "LoKr"},
    {".dora_scale", "DoRA"},
    {".lora_magnitude_vector", "DoRA"},
    {".oft_", "OFT"},
    {".boft_", "OFT"},
    {".on_input", "(IA)^3"},
    {".diff", "a full difference of weights"},  // at the end only: ".diffusion_model" is something else
    {".w_norm", "a difference of norms"},
    {".b_norm", "a difference of norms"},
    {".bias_indices", "LyCORIS with sparse biases"},
}};

constexpr std::string_view kKohya = "lora_";

void replace_end(std::string& name, std::string_view from, std::string_view to) {
  if (name.ends_with(from)) name.replace(name.size() - from.size(), from.size(), to);
}

// What a name belongs to where that is no LoRA; empty: it may be one.
std::string_view other_adapter(std::string_view name) {
  for (const auto& [part, kind] : kOthers)
    if (part == ".diff" ? name.ends_with(part) || name.ends_with(".diff_b") : name.find(part) != name.npos)
      return kind;
  return {};
}

// The longest ending that fits; null: none.
const Ending* ending_of(std::string_view name) {
  const Ending* best = nullptr;
  for (const Ending& ending : kEndings)
    if (name.size() > ending.text.size() && name.ends_with(ending.text) &&
        (!best || ending.text.size() > best->text.size()))
      best = &ending;
  return best;
}

std::string underscored(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

void add_unet(const NamedTensors& unet, std::map<std::string, LoraTarget>& targets) {
  constexpr std::string_view kWeight = ".weight";
  for (const auto& [name, tensor] : unet) {
    if (!name.ends_with(kWeight)) continue;
    const std::string module = name.substr(0, name.size() - kWeight.size());
    const LoraTarget target{.network = 0, .tensor = name};
    targets.emplace("lora_unet_" + underscored(module), target);
    targets.emplace("unet." + module, target);
    targets.emplace(module, target);  // the oldest files of diffusers, and peft's own
  }
}

void add_text(const NamedTensors& text, std::size_t number, std::map<std::string, LoraTarget>& targets) {
  constexpr std::string_view kWeight = ".weight", kModel = "text_model.";
  for (const auto& [name, tensor] : text) {
    if (!name.ends_with(kWeight)) continue;
    const std::string module = name.substr(0, name.size() - kWeight.size());
    const LoraTarget target{.network = number, .tensor = name};
    const std::string diffusers = number == 1 ? "text_encoder." : fmt::format("text_encoder_{}.", number);
    targets.emplace(fmt::format("lora_te{}_{}", number, underscored(module)), target);
    if (number == 1) targets.emplace("lora_te_" + underscored(module), target);
    targets.emplace(diffusers + module, target);
    // As transformers 5 calls them.
    if (module.starts_with(kModel)) targets.emplace(diffusers + module.substr(kModel.size()), target);
  }
}

}  // namespace

std::string plain_module(std::string name) {
  constexpr std::string_view kPeft = "base_model.model.";
  if (name.starts_with(kPeft)) name.erase(0, kPeft.size());
  // "attn1.processor.to_q", "attn1.processor.to_out" -> "attn1.to_q", "attn1.to_out.0"
  constexpr std::string_view kProcessor = ".processor.";
  if (const std::size_t at = name.find(kProcessor); at != std::string::npos) {
    name.replace(at, kProcessor.size(), ".");
    replace_end(name, ".to_out", ".to_out.0");
  }
  // Text encoders': "self_attn.to_q" -> "self_attn.q_proj"
  for (const char* part : {"q", "k", "v", "out"})
    replace_end(name, fmt::format(".self_attn.to_{}", part), fmt::format(".self_attn.{}_proj", part));
  return name;
}

bool has_lora_names(const NamedTensors& tensors) {
  return std::ranges::any_of(tensors, [](const auto& entry) {
    return !other_adapter(entry.first).empty() || ending_of(entry.first) != nullptr;
  });
}

LoraFile lora_modules(const NamedTensors& lora) {
  LoraFile file{.dialect = "diffusers", .modules = {}};
  for (const auto& [name, tensor] : lora) {
    if (const std::string_view kind = other_adapter(name); !kind.empty())
      refuse(
          "LoRA: {} is part of {}, which is not supported; expected LoRA (low-rank pairs of matrices): merge "
          "the "
          "adapter into a checkpoint with the tool that made it",
          printable(name), kind);
    const Ending* ending = ending_of(name);
    if (!ending)
      refuse(
          "LoRA: {} is no tensor of a LoRA; expected names that end as .lora_down.weight or .lora_A.weight "
          "do",
          printable(name));
    const std::string module = plain_module(name.substr(0, name.size() - ending->text.size()));
    if (module.starts_with(kKohya)) file.dialect = "kohya";
    at::Tensor& matrix = file.modules[module].*ending->matrix;
    if (matrix.defined()) refuse("LoRA: {} is there twice, under two names", printable(name));
    matrix = tensor;
  }
  return file;
}

bool has_ldm_modules(const LoraFile& file) {
  return std::ranges::any_of(file.modules, [](const auto& entry) {
    for (const char* prefix :
         {"lora_unet_input_blocks_", "lora_unet_middle_block_", "lora_unet_output_blocks_",
          "lora_unet_time_embed_", "lora_unet_label_emb_", "lora_unet_out_"})
      if (entry.first.starts_with(prefix)) return true;
    return false;
  });
}

std::map<std::string, LoraTarget> lora_targets(const NamedTensors& unet,
                                               const std::vector<const NamedTensors*>& text, bool with_ldm) {
  std::map<std::string, LoraTarget> targets;
  add_unet(unet, targets);
  for (std::size_t i = 0; i < text.size(); ++i) add_text(*text[i], i + 1, targets);
  if (!with_ldm) return targets;
  constexpr std::string_view kWeight = ".weight";
  for (const auto& [own, ldm] : ldm_unet_names(unet_facts(unet)))
    if (ldm.ends_with(kWeight))
      targets.emplace("lora_unet_" + underscored(ldm.substr(0, ldm.size() - kWeight.size())),
                      LoraTarget{.network = 0, .tensor = own});
  return targets;
}

}  // namespace upbench
