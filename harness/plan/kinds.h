#pragma once

#include "harness/stage_kinds.h"

// One function per kind of stage, each in its own file; harness/stage_kinds.cpp lists them.
namespace upbench {

StageKind upscale_kind();
StageKind resize_kind();
StageKind degrade_kind();

}  // namespace upbench
