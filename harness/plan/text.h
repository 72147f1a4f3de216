#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "harness/plan.h"

namespace upbench {

// What `upbench plan` shows: axes with values, counts, exclusions and repeats with their reasons, checkpoints
// in loading order, estimate.
std::string describe_plan(const Plan& plan, const Spec& spec);
nlohmann::json plan_to_json(const Plan& plan, const Spec& spec);

}  // namespace upbench
