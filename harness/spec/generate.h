#pragma once

#include <string>
#include <vector>

#include "harness/spec/yaml.h"

namespace upbench {

// The `prompts` of `generate`: a list of texts, which may be empty ones, or a file named .txt of UTF-8 text
// with one prompt a line; empty lines are none. Throws SpecError for what is neither and where there is none.
std::vector<std::string> read_prompts(const YamlNode& node);

// The part as a stage's parameters are written: `prompts` says where the stage finds its prompt.
YamlNode generate_parameters(const YamlNode& generate, const std::vector<std::string>& prompts);

}  // namespace upbench
