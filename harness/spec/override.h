#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/spec/yaml.h"

namespace upbench {

extern const std::vector<std::string> kSpecKeys;  // of the top level

// Applies `path=value` to the tree of a spec. Keys that a map lacks are added (reading the spec then refuses
// unknown ones). Throws SpecError "--set TEXT: ..." for a path that leads nowhere.
void apply_override(YamlNode& root, const std::string& text, const std::filesystem::path& directory);

// `over` on top of `base`: maps merge key by key, everything else is replaced; a source of pictures replaces
// the base's.
void merge_onto(YamlNode& base, const YamlNode& over);

// The tree of `file`'s text with everything that it extends.
YamlNode load_extended(std::string_view text, const std::string& name,
                       const std::filesystem::path& directory);

// Throws SpecError naming the file unless it is a readable regular file of at most 1 MB.
std::string read_spec_file(const std::filesystem::path& file);

}  // namespace upbench
