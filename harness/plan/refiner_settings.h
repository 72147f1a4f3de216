#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "harness/stage_kinds.h"

// A second model that takes over the last noise levels of a run (A1111's "refiner", made for SDXL's).
namespace upbench {

std::vector<ParameterKind> refiner_parameters();  // refiner, refiner-at

// As StageKind::FindModel takes it; null: there is none.
nlohmann::json refiner_model(const nlohmann::json& settings);

// Its identity among the stage's models, or both settings at their defaults where it has no step.
void settle_refiner(SettledStage& stage, const StageKind::FindModel& find_model);

// What the pixels depend on.
void add_refiner_effect(const nlohmann::json& stage, StageEffect& what);

}  // namespace upbench
