#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "harness/adaptive.h"

namespace upbench {

struct AdaptiveCommandOptions {
  bool adaptive = false;
  std::string by;
  std::optional<double> margin;
  std::string refine;
  double resolution = 0;
  double budget_s = 0;
};

void add_adaptive_options(CLI::App& command, AdaptiveCommandOptions& options);

// Fills what was not given: the first metric of the spec, and the margin below which `compare` calls a change
// of it harmless. Throws std::invalid_argument where the metric has no such margin.
AdaptiveOptions adaptive_options(const AdaptiveCommandOptions& options, const Sweep& sweep);

// What was decided, and by how much work.
std::string adaptive_text(const Sweep& sweep, const AdaptiveOptions& options, const AdaptiveResult& result);
nlohmann::json to_json(const Sweep& sweep, const AdaptiveOptions& options, const AdaptiveResult& result);

}  // namespace upbench
