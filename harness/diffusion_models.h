#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "harness/shared_cache.h"
#include "harness/stage_kinds.h"
#include "models/catalog.h"
#include "models/diffusion/model.h"
#include "models/diffusion/text/tokenizer.h"

namespace upbench {

// A model value {diffusion: {checkpoint: NAME, ...}} of a plan (StageKind::FindModel). Each name is a file or
// a folder beside the spec, the stem of a file in a --models folder, or the name of a folder in one. Throws
// std::invalid_argument for one that is not there, with near misses.
bool is_diffusion(const nlohmann::json& model);
DiffusionFiles diffusion_files(const nlohmann::json& model, const ModelSearch& search);

// Reads the whole of it, for the hash of its tensors.
ModelFacts diffusion_model_facts(const nlohmann::json& model, const ModelSearch& search);

// CLIP's vocabulary for a model: of its folder's tokenizer, or bpe_simple_vocab_16e6.txt.gz or merges.txt
// with vocab.json beside it or in a --models folder. Empty: there is none.
std::filesystem::path find_vocabulary(const DiffusionFiles& files, const ModelSearch& search);

// Diffusion models on a device; the least recently used are dropped above the budget.
class DiffusionCache {
 public:
  DiffusionCache(ModelSearch search, std::size_t budget_bytes);
  std::shared_ptr<const DiffusionModel> get(const nlohmann::json& model, const std::string& device,
                                            Precision precision);
  // Throws std::invalid_argument where there is no vocabulary.
  std::shared_ptr<const Tokenizer> tokenizer(const nlohmann::json& model);
  std::size_t loads() const { return models_.made(); }

 private:
  ModelSearch search_;
  SharedCache<std::string, DiffusionModel> models_;
  SharedCache<std::string, Tokenizer> tokenizers_;
};

}  // namespace upbench
