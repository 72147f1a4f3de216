#include <ATen/ops/clamp.h>

#include "datasets/resample.h"
#include "harness/stages/stage.h"

namespace upbench {
namespace {

class ResizeStage final : public Stage {
 public:
  explicit ResizeStage(nlohmann::json settings) : settings_(std::move(settings)) {}

  Frame run(const Frame& input, const StageContext&, nlohmann::json& used) const override {
    const PictureSize before{static_cast<int>(input.rgb.size(2)), static_cast<int>(input.rgb.size(1))};
    const PictureSize after = resized(settings_, before);
    const std::string kernel = settings_.at("kernel");
    used = {{"width", after.width}, {"height", after.height}, {"kernel", kernel}};
    return {.rgb = resample(input.rgb.clamp(0, 1), after.height, after.width, kernel),
            .target = input.target,
            .boundaries = scaled(input.boundaries, static_cast<double>(after.width) / before.width,
                                 static_cast<double>(after.height) / before.height)};
  }

 private:
  nlohmann::json settings_;
};

}  // namespace

std::unique_ptr<Stage> make_resize_stage(const std::string&, const nlohmann::json& settings) {
  return std::make_unique<ResizeStage>(settings);
}

}  // namespace upbench
