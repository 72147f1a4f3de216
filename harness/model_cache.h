#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "harness/shared_cache.h"
#include "models/catalog.h"

namespace upbench {

// A spec's `model:` value as the model catalog takes it: "name", {chain: [...]}, {blend: {name: weight}}.
ModelRequest model_request(const nlohmann::json& value);

// Loaded networks by model value, device and precision; the least recently used are dropped above the budget.
class ModelCache {
 public:
  ModelCache(ModelSearch search, std::size_t budget_bytes);
  UpscalerPtr get(const nlohmann::json& model, const std::string& device, Precision precision);
  std::size_t loads() const { return cache_.made(); }

 private:
  ModelSearch search_;
  SharedCache<std::string, Upscaler> cache_;
};

Precision parse_precision(const std::string& name);  // fp32, fp16, bf16

}  // namespace upbench
