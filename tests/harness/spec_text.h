#pragma once

#include <string>
#include <vector>

#include "harness/spec.h"

namespace upbench::test {

inline constexpr const char* kSpecHead =
    "name: t\nimages: {path: photos, lr: {scale: 4}}\nmetrics: [psnr-y]\n";  // 3 lines

inline Spec parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_spec(text, "s.yaml", "", overrides);
}

inline std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const SpecError& error) {
    return error.what();
  }
  return "accepted";
}

inline const Axis& axis(const Spec& spec, const std::string& path) {
  for (const StageSpec& stage : spec.pipeline)
    for (const Axis& one : stage.parameters)
      if (one.path == path) return one;
  throw std::logic_error("no axis " + path);
}

}  // namespace upbench::test
