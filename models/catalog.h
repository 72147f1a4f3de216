#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "models/upscaler.h"

namespace upbench {

// What a spec's `model:` value asks for: one model, a chain (applied in order), or a weighted average of
// weights.
struct ModelRequest {
  enum class Kind { single, chain, blend };
  Kind kind = Kind::single;
  // Name or file, weight (blend only). FILE@KEY takes the tensors under this key of the file ("x.pth@params",
  // checkpoint/dialect.h).
  std::vector<std::pair<std::string, double>> parts;
  std::string label;  // as the report shows it: "a_x2+b_x2"
  // "0..255", "0..1": of networks whose files do not tell it (networks/network.h); empty: the authors'.
  std::string input_range = {};
};

struct BuiltinModel {
  std::string name;
  std::string description;
};
const std::vector<BuiltinModel>& builtin_models();  // null model first; interpolators; embedded networks

// Where file names are looked up: built-in name, path beside the spec, then by stem in each of model_dirs
// (recursively).
struct ModelSearch {
  std::filesystem::path spec_dir;
  std::vector<std::filesystem::path> model_dirs;
};

// Throws std::invalid_argument for an unknown name (with near misses), two hits, an unrecognised or refused
// file.
UpscalerPtr load_upscaler(const ModelRequest& request, const ModelSearch& search);

// One file, no look-up.
UpscalerPtr load_upscaler_file(const std::filesystem::path& file);

}  // namespace upbench
