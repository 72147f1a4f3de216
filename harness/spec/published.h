#pragma once

#include <string>
#include <vector>

#include "harness/spec/yaml.h"

namespace upbench {

// published: a list of {where: {AXIS PATH: VALUE AS WRITTEN}, METRIC: NUMBER, ..., source: TEXT}. Throws
// SpecError for an axis, a value or a metric that the spec has not.
std::vector<Published> read_published(const YamlNode& node, const std::vector<StageSpec>& pipeline,
                                      const std::vector<std::string>& metrics);
nlohmann::json published_json(const std::vector<Published>& published);

}  // namespace upbench
