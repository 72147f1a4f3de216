#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "harness/stage_kinds.h"

// A tile ControlNet and its preprocessor, for the kinds of stages that may have one.
namespace upbench {

std::vector<ParameterKind> control_parameters();  // control-net, control-weight, ...

// Settings that change nothing beside the others, at their defaults.
void settle_control(SettledStage& stage);

// What the pixels depend on, of a stage that makes steps.
void add_control_effect(const nlohmann::json& settings, StageEffect& what);

}  // namespace upbench
