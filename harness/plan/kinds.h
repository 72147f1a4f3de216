#pragma once

#include "harness/stage_kinds.h"

// One function per kind of stage, each in its own file; harness/stage_kinds.cpp lists them.
namespace upbench {

constexpr int kMostPasses =
    3;  // of a model that is repeated until the picture is large enough, as A1111's wrapper

StageKind upscale_kind();
StageKind resize_kind();
StageKind degrade_kind();
StageKind refine_kind();
StageKind generate_kind();
StageKind hires_kind();

// What the pixels of a model depend on: its tensors, or the name of what has none; of a chain, each part in
// order.
nlohmann::json model_identity(const nlohmann::json& model, const StageKind::FindModel& find_model);

}  // namespace upbench
