#include "models/diffusion/lora.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/checkpoint/refuse.h"
#include "models/diffusion/lora_names.h"

namespace upbench {
namespace {

// One module and the weight it changes.
struct Change {
  at::Tensor* weight;
  const LoraModule* module;
  double scale;  // alpha / rank
};

std::string shape_of(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

void check_complete(const std::string& name, const LoraModule& module) {
  if (!module.down.defined() || !module.up.defined())
    refuse("LoRA: module {} has {}, expected a pair of matrices, down and up: the file is cut",
           printable(name),
           module.down.defined() ? "no up"
           : module.up.defined() ? "no down"
                                 : "neither down nor up");
  for (const at::Tensor& matrix : {module.down, module.up, module.middle})
    if (matrix.defined() && !(matrix.is_floating_point() && (matrix.dim() == 2 || matrix.dim() == 4)))
      refuse("LoRA: module {} has a matrix {} of {}, expected 2 or 4 dimensions of a floating-point type",
             printable(name), shape_of(matrix), c10::toString(matrix.scalar_type()));
  const std::int64_t rank = module.down.size(0);
  const auto is_plain = [](const at::Tensor& matrix) {
    return matrix.numel() == matrix.size(0) * matrix.size(1);
  };
  const at::Tensor& middle = module.middle;
  const bool chained = rank > 0 && module.up.size(1) == rank && is_plain(module.up) &&
                       (!middle.defined() || (middle.dim() == 4 && middle.size(0) == rank &&
                                              middle.size(1) == rank && is_plain(module.down)));
  if (!chained)
    refuse("LoRA: module {}: down {}, {}up {} do not follow on each other", printable(name),
           shape_of(module.down),
           module.middle.defined() ? fmt::format("mid {}, ", shape_of(module.middle)) : "",
           shape_of(module.up));
}

double scale_of(const std::string& name, const LoraModule& module) {
  if (!module.alpha.defined()) return 1;
  if (module.alpha.numel() != 1)
    refuse("LoRA: the alpha of {} is {}, expected one number", printable(name), shape_of(module.alpha));
  const double alpha = module.alpha.to(at::kDouble).item<double>();
  if (!std::isfinite(alpha)) refuse("LoRA: the alpha of {} is not finite", printable(name));
  return alpha / static_cast<double>(module.down.size(0));
}

// [outputs, inputs(, k, k)] of what the module adds.
std::vector<std::int64_t> change_shape(const LoraModule& module) {
  std::vector<std::int64_t> shape = (module.middle.defined() ? module.middle : module.down).sizes().vec();
  shape[0] = module.up.size(0);
  shape[1] = module.down.size(1);
  return shape;
}

// A 1x1 convolution and a linear layer have the same numbers.
bool fits(std::vector<std::int64_t> change, std::vector<std::int64_t> weight) {
  for (std::vector<std::int64_t>* shape : {&change, &weight})
    while (shape->size() > 2 && shape->back() == 1) shape->pop_back();
  return change == weight;
}

at::Tensor change_of(const LoraModule& module, const at::Tensor& weight) {
  const auto full = [&](const at::Tensor& matrix) { return matrix.to(weight.device(), at::kFloat); };
  const at::Tensor up = full(module.up).flatten(1), down = full(module.down).flatten(1);
  if (!module.middle.defined()) return at::mm(up, down).reshape(weight.sizes());
  const at::Tensor middle = full(module.middle).flatten(1);  // [rank, rank k k]
  const at::Tensor left =
      at::mm(up, middle).reshape({up.size(0), module.middle.size(1), -1});  // [outputs, rank, k k]
  return at::matmul(left.transpose(1, 2), down).transpose(1, 2).reshape(weight.sizes());
}

// The context's width, by which families differ; 0: cannot be told.
std::int64_t context_width(const NamedTensors& unet) {
  for (const auto& [name, tensor] : unet)
    if (name.ends_with("attn2.to_k.weight") && tensor.dim() == 2) return tensor.size(1);
  return 0;
}

std::int64_t context_width(const LoraFile& file) {
  for (const auto& [name, module] : file.modules)
    if ((name.ends_with("attn2.to_k") || name.ends_with("attn2_to_k")) && module.down.defined() &&
        module.down.dim() >= 2)
      return module.down.size(1);
  return 0;
}

std::string family_of_width(std::int64_t width) {
  switch (width) {
    case 768:
      return "SD 1";
    case 1024:
      return "SD 2";
    case 1280:
      return "the SDXL refiner";
    case 2048:
      return "SDXL";
    default:
      return "";
  }
}

std::string described(std::int64_t width) {
  if (width == 0) return "a model that cannot be told";
  const std::string family = family_of_width(width);
  return family.empty() ? fmt::format("a model with a context {} wide", width)
                        : fmt::format("{} (its context is {} wide)", family, width);
}

[[noreturn]] void refuse_family(const std::string& what, const LoraFile& file, const NamedTensors& unet) {
  refuse(
      "LoRA: {}; the file looks made for {}, the checkpoint is {}: take a LoRA and a checkpoint of one "
      "family",
      what, described(context_width(file)), described(context_width(unet)));
}

// What finds no network: LDM's names of modules cost a look at the whole UNet and are therefore only asked
// for where the file has such.
std::map<std::string, LoraTarget> targets_for(const LoraFile& file, const NamedTensors& unet,
                                              const std::vector<NamedTensors*>& text_encoders) {
  return lora_targets(unet, {text_encoders.begin(), text_encoders.end()}, has_ldm_modules(file));
}

void check_finite(const LoraFile& file) {
  for (const auto& [name, module] : file.modules)
    for (const at::Tensor& matrix : {module.down, module.up, module.middle})
      if (matrix.defined() && !at::isfinite(matrix).all().item<bool>())
        refuse("LoRA: module {} holds numbers that are not finite", printable(name));
}

}  // namespace

std::optional<LoraFacts> lora_facts(const NamedTensors& tensors) {
  if (!has_lora_names(tensors)) return {};
  const LoraFile file = lora_modules(tensors);
  LoraFacts facts{.dialect = file.dialect, .modules = file.modules.size()};
  for (const auto& [name, module] : file.modules) {
    check_complete(name, module);
    const std::int64_t rank = module.down.size(0);
    facts.least_rank = facts.least_rank == 0 ? rank : std::min(facts.least_rank, rank);
    facts.greatest_rank = std::max(facts.greatest_rank, rank);
  }
  facts.context_width = context_width(file);
  facts.family = described(facts.context_width);
  return facts;
}

LoraReport merge_lora(NamedTensors& unet, const std::vector<NamedTensors*>& text_encoders,
                      const NamedTensors& lora, double strength) {
  if (!std::isfinite(strength)) refuse("LoRA: the strength is {}, expected a finite number", strength);
  const LoraFile file = lora_modules(lora);
  if (file.modules.empty()) refuse("LoRA: the file holds no tensors");
  const std::map<std::string, LoraTarget> targets = targets_for(file, unet, text_encoders);
  LoraReport report{.dialect = file.dialect, .unmatched = {}};
  std::map<LoraTarget, Change> changes;
  for (const auto& [name, module] : file.modules) {
    check_complete(name, module);
    const double scale = scale_of(name, module);
    const auto found = targets.find(name);
    if (found == targets.end()) {
      report.unmatched.push_back(name);
      continue;
    }
    const LoraTarget& target = found->second;
    at::Tensor& weight =
        target.network == 0 ? unet.at(target.tensor) : text_encoders[target.network - 1]->at(target.tensor);
    if (!fits(change_shape(module), weight.sizes().vec()))
      refuse_family(fmt::format("module {} changes [{}], but {} is {}", printable(name),
                                fmt::join(change_shape(module), ", "), target.tensor, shape_of(weight)),
                    file, unet);
    if (!changes.emplace(target, Change{.weight = &weight, .module = &module, .scale = scale}).second)
      refuse("LoRA: two modules change {}, one of them is {}", target.tensor, printable(name));
    ++(target.network == 0 ? report.merged_unet : report.merged_text);
  }
  if (changes.empty())
    refuse_family(fmt::format("none of its {} modules is in the checkpoint, as {}", file.modules.size(),
                              printable(file.modules.begin()->first)),
                  file, unet);
  check_finite(file);
  if (strength == 0) return report;
  for (const auto& [target, change] : changes) {
    const at::Tensor added = change_of(*change.module, *change.weight);
    *change.weight =
        change.weight->to(at::kFloat).add(added, strength * change.scale).to(change.weight->scalar_type());
  }
  return report;
}

}  // namespace upbench
