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
  if (kind == "hires") return make_hires_stage(id, settings);
  throw std::invalid_argument(
      fmt::format("unknown stage '{}': expected upscale, resize, degrade, refine, generate or hires", kind));
}

void require_planned(const nlohmann::json& model, const UpscalerInfo& info, const StageContext& context) {
  const auto planned = context.planned.find(model.dump());
  if (planned != context.planned.end() && planned->second.tensor_hash != info.tensor_hash)
    throw std::runtime_error(
        fmt::format("{}: weights changed since the run was planned: tensor hash {}, planned {}", info.name,
                    info.tensor_hash.short_hex(), planned->second.tensor_hash.short_hex()));
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
