#pragma once

#include <string>
#include <vector>

#include "harness/spec/yaml.h"

namespace upbench {

// Ids of the stages of a `pipeline` list: as written, else the kind, then kind-2, ... Empty where an item is
// no one-key map (refused elsewhere).
std::vector<std::string> stage_ids(const YamlNode& pipeline);

std::vector<StageSpec> read_pipeline(const YamlNode& node);
// With the stage `generate` before those of the pipeline, which may be absent or empty; fills the prompts.
std::vector<StageSpec> read_generation(const YamlNode& generate, const YamlNode* pipeline,
                                       std::vector<std::string>& prompts);
std::vector<Exclusion> read_exclusions(const YamlNode& node, const std::vector<StageSpec>& pipeline);

}  // namespace upbench
