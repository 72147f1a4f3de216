#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "harness/shared_cache.h"
#include "models/catalog.h"

namespace upbench {

// A spec's `model:` value as the model catalog takes it: "name", {chain: [...]}, {blend: {name: weight}}; or
// what on_input_range() makes of one.
ModelRequest model_request(const nlohmann::json& value);

// The model whose networks compute on this range where their files do not tell it: "0..255" or "0..1";
// "authors": as it is.
nlohmann::json on_input_range(const nlohmann::json& model, const std::string& input_range);

// A model value -> the upscaler, on the CPU in fp32.
using ModelLoader = std::function<UpscalerPtr(const nlohmann::json& model)>;

// Loaded networks by model value, device and precision; the least recently used are dropped above the budget.
class ModelCache {
 public:
  ModelCache(ModelSearch search, std::size_t budget_bytes);
  ModelCache(ModelLoader load, std::size_t budget_bytes);
  UpscalerPtr get(const nlohmann::json& model, const std::string& device, Precision precision);
  std::size_t loads() const { return cache_.made(); }

  // Whether an upscaler gives in a batch what it gives for single tiles (UpscaleOptions::check_batch);
  // nothing: not known yet.
  std::optional<bool> takes_batches(const Upscaler& upscaler) const;
  void set_takes_batches(const Upscaler& upscaler, bool takes);

 private:
  ModelLoader load_;
  SharedCache<std::string, Upscaler> cache_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, Digest>, bool> takes_batches_;  // by name and tensors
};

// fp32, tf32, fp16, bf16. tf32 is fp32 whose products a GPU rounds to 10 bits of mantissa on its tensor
// cores: the network itself is the same.
Precision parse_precision(const std::string& name);
bool uses_tf32(const std::string& precision);

// Throws std::invalid_argument for tf32 on a CPU: computed there it would be fp32 under another name.
void require_precision(const std::string& precision, const std::string& device);

}  // namespace upbench
