#include "harness/model_cache.h"

#include <stdexcept>

#include <fmt/format.h>

namespace upbench {

ModelRequest model_request(const nlohmann::json& value) {
  ModelRequest request;
  if (value.is_string()) {
    request.parts = {{value.get<std::string>(), 1.0}};
    request.label = request.parts[0].first;
    return request;
  }
  if (value.is_object() && value.size() == 2 && value.contains("model") && value.contains("input-range")) {
    request = model_request(value["model"]);
    request.input_range = value["input-range"].get<std::string>();
    return request;
  }
  if (value.is_object() && value.size() == 1 && value.contains("chain")) {
    request.kind = ModelRequest::Kind::chain;
    for (const auto& part : value["chain"]) {
      request.parts.emplace_back(part.get<std::string>(), 1.0);
      request.label += (request.label.empty() ? "" : "+") + part.get<std::string>();
    }
    return request;
  }
  if (value.is_object() && value.size() == 1 && value.contains("blend")) {
    request.kind = ModelRequest::Kind::blend;
    for (const auto& [name, weight] : value["blend"].items()) {
      request.parts.emplace_back(name, weight.get<double>());
      request.label += fmt::format("{}{}*{}", request.label.empty() ? "" : "+", weight.get<double>(), name);
    }
    return request;
  }
  throw std::invalid_argument(fmt::format(
      "model {}: expected a name, {{chain: [a, b]}} or {{blend: {{a: 0.5, b: 0.5}}}}", value.dump()));
}

nlohmann::json on_input_range(const nlohmann::json& model, const std::string& input_range) {
  if (input_range == "authors") return model;
  return {{"model", model}, {"input-range", input_range}};
}

ModelCache::ModelCache(ModelSearch search, std::size_t budget_bytes)
    : ModelCache([search = std::move(search)](
                     const nlohmann::json& model) { return load_upscaler(model_request(model), search); },
                 budget_bytes) {}

ModelCache::ModelCache(ModelLoader load, std::size_t budget_bytes)
    : load_(std::move(load)), cache_(budget_bytes) {}

UpscalerPtr ModelCache::get(const nlohmann::json& model, const std::string& device, Precision precision) {
  const std::string key = fmt::format("{} {} {}", model.dump(), device, static_cast<int>(precision));
  return cache_.get(key, [&] {
    UpscalerPtr upscaler = load_(model)->to(device, precision);
    const auto bytes = static_cast<std::size_t>(upscaler->info().parameters) * sizeof(float) + 1;
    return SharedCache<std::string, Upscaler>::Made{std::move(upscaler), bytes};
  });
}

std::optional<bool> ModelCache::takes_batches(const Upscaler& upscaler) const {
  const std::lock_guard lock(mutex_);
  const auto found = takes_batches_.find({upscaler.info().name, upscaler.info().tensor_hash});
  return found == takes_batches_.end() ? std::nullopt : std::optional(found->second);
}

void ModelCache::set_takes_batches(const Upscaler& upscaler, bool takes) {
  const std::lock_guard lock(mutex_);
  takes_batches_[{upscaler.info().name, upscaler.info().tensor_hash}] = takes;
}

bool uses_tf32(const std::string& precision) {
  return precision == "tf32";
}

void require_precision(const std::string& precision, const std::string& device) {
  if (uses_tf32(precision) && device == "cpu")
    throw std::invalid_argument(
        "precision tf32: NVIDIA GPUs have it, the CPU has not; expected fp32, fp16 or bf16 with --device "
        "cpu");
}

Precision parse_precision(const std::string& name) {
  if (name == "fp32" || uses_tf32(name)) return Precision::fp32;
  if (name == "fp16") return Precision::fp16;
  if (name == "bf16") return Precision::bf16;
  throw std::invalid_argument(fmt::format("unknown precision '{}': expected fp32, tf32, fp16 or bf16", name));
}

}  // namespace upbench
