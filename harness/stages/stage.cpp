#include "harness/stages/stage.h"

#include <stdexcept>

#include <fmt/format.h>

namespace upbench {

std::unique_ptr<Stage> make_stage(const std::string& kind, const std::string& id,
                                  const nlohmann::json& settings) {
  if (kind == "upscale") return make_upscale_stage(id, settings);
  if (kind == "resize") return make_resize_stage(id, settings);
  if (kind == "degrade") return make_degrade_stage(id, settings);
  if (kind == "refine") return make_refine_stage(id, settings);
  if (kind == "generate") return make_generate_stage(id, settings);
  throw std::invalid_argument(
      fmt::format("unknown stage '{}': expected upscale, resize, degrade, refine or generate", kind));
}

std::vector<BoundaryRow> scaled(std::vector<BoundaryRow> boundaries, double x_factor, double y_factor) {
  for (BoundaryRow& boundary : boundaries) {
    const double factor = boundary.vertical ? x_factor : y_factor;
    boundary.position *= factor;
    boundary.half_width *= factor;
  }
  return boundaries;
}

}  // namespace upbench
