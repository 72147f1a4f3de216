#include "harness/stage_kinds.h"

#include "harness/plan/kinds.h"

namespace upbench {

const std::vector<StageKind>& stage_kinds() {
  static const std::vector<StageKind> kinds = {upscale_kind(), resize_kind(),   degrade_kind(),
                                               refine_kind(),  generate_kind(), hires_kind()};
  return kinds;
}

const StageKind* find_stage_kind(std::string_view name) {
  for (const StageKind& kind : stage_kinds())
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace upbench
