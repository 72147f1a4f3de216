#include <ATen/ops/clamp.h>

#include "datasets/degrade.h"
#include "harness/stages/stage.h"

namespace upbench {
namespace {

class DegradeStage final : public Stage {
 public:
  DegradeStage(std::string id, const nlohmann::json& settings)
      : id_(std::move(id)), settings_(degradation_of(settings)) {}

  Frame run(const Frame& input, const StageContext& context, nlohmann::json& used) const override {
    used = {{"degradation", "nothing"}};
    if (does_nothing(settings_)) return input;
    const Digest content = degradation_content(context.input, id_);
    Frame frame{.rgb = degrade(input.rgb.clamp(0, 1), settings_, context.seed, content),
                .target = input.target,
                .boundaries = {}};
    const auto factor = [&](int side) {
      return static_cast<double>(frame.rgb.size(side)) / static_cast<double>(input.rgb.size(side));
    };
    frame.boundaries = scaled(input.boundaries, factor(2), factor(1));
    used = {{"degradation", describe_degradation(settings_, context.seed, content)},
            {"width", frame.rgb.size(2)},
            {"height", frame.rgb.size(1)}};
    return frame;
  }

 private:
  std::string id_;
  DegradeSettings settings_;
};

}  // namespace

std::unique_ptr<Stage> make_degrade_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<DegradeStage>(id, settings);
}

}  // namespace upbench
