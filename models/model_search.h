#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/catalog.h"

namespace upbench {

// The file that `name` means: a path (as it is, or beside the spec), else a stem or file name under the model
// folders, walked recursively: of .safetensors, .pth, .pth.tar, .pt and .ckpt in any letter case. Nothing
// where there is none. Throws std::invalid_argument when two files bear it, naming both.
std::optional<std::filesystem::path> find_model_file(const std::string& name, const ModelSearch& search);

// Up to three of the known names that `name` may have meant, nearest first.
std::vector<std::string> near_misses(std::string_view name, const std::vector<std::string>& known);

// The stems of all checkpoint files under the model folders, sorted.
std::vector<std::string> model_stems(const ModelSearch& search);

}  // namespace upbench
