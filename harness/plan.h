#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/record.h"
#include "harness/spec.h"
#include "harness/store.h"

// spec -> every trial, checked and keyed, before any work. Torch-free and pure: facts about models come in by a function.
namespace upbench {

struct ModelFacts {
  std::string label;               // as the report shows it
  int scale = 0;                   // 0: any
  Digest tensor_hash;              // zero: no weights
  std::string architecture;
  double macs_per_pixel = 0;       // per input pixel
  std::int64_t weight_bytes = 0;
};

struct PlanInputs {
  std::vector<ImageRow> images;
  std::vector<MetricRow> metrics;
  // Called once per distinct model value; throws std::invalid_argument for what cannot be loaded.
  std::function<ModelFacts(const nlohmann::json& model)> model_facts;
  EnvironmentRow environment;
  std::vector<std::string> command;
};

struct Excluded {
  std::vector<std::pair<std::string, std::string>> label;
  std::string reason;              // "scale 2, but the pictures ask for 4 (fit: a1111 would repeat it)"
  std::uint64_t trials = 0;
};

struct Duplicates {
  std::string reason;              // "tile 128 covers the picture: same as tile none"
  std::uint64_t trials = 0;
};

struct Estimate {
  double macs = 0;                 // of distinct executions
  double seconds = 0;              // wall, at the given rate; see estimate_rate() in harness
  std::uint64_t device_bytes = 0;  // peak
  std::uint64_t output_bytes = 0;  // kept pictures
};

struct Plan {
  RunPlan rows;                    // what the store takes
  std::vector<Excluded> excluded;
  std::vector<Duplicates> duplicates;
  std::uint64_t executions = 0;    // trials that are not aliases
  std::uint64_t shared_stages = 0; // stage executions saved because cells share a prefix
  Estimate estimate;
};

// Throws SpecError or std::invalid_argument. Refuses more than 10^8 trials with the count. Execution order: cells of a group together, then
// by picture; it is a permutation (TrialRow::position), independent of report order.
Plan make_plan(const Spec& spec, const PlanInputs& inputs);

}  // namespace upbench
