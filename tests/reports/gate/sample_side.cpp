#include "tests/reports/gate/sample_side.h"

#include <stdexcept>
#include <string>

#include "reports/gate/policy.h"
#include "reports/statistics/random.h"

namespace upbench {

GateSide sample_side() {
  GateSide side;
  side.source = "base.db";
  side.run = "sample";
  side.environment = {{"upbench", "0.1.0"}, {"device", {{"name", "cpu"}}}, {"threads", 2}};
  side.metrics = {{.name = "psnr-y", .unit = "dB", .convention = "c", .border = 4, .decimals = 2},
                  {.name = "lpips-alex", .unit = "", .convention = "c", .higher_is_better = false}};
  side.cells = {{"model = a", {{{"id", "upscale"}, {"weights", std::string(64, 'a')}}}},
                {"model = b", {{{"id", "upscale"}, {"weights", std::string(64, 'b')}}}}};
  Random random(3);
  for (std::size_t p = 0; p < 20; ++p)
    side.pictures.push_back({"p" + std::to_string(p), std::string(64, '1')});
  for (std::size_t c = 0; c < 2; ++c)
    for (std::size_t p = 0; p < 20; ++p) {
      GateSide::Trial trial{.finished = true};
      trial.scores = {{28 + 2 * random.normal(), ValueFlag::ok},
                      {0.2 + 0.02 * random.normal(), ValueFlag::ok}};
      for (int i = 0; i < 9; ++i) trial.model_seconds.push_back(1 + 0.01 * random.normal());
      side.trials[{c, p, 0}] = trial;
    }
  return side;
}

GateSide with_detector(GateSide side, const std::string& name) {
  side.detectors.push_back({.name = name, .version = 1, .calibrated = true, .calibration = "c1"});
  for (auto& [key, trial] : side.trials) trial.decisions.push_back(false);
  return side;
}

std::string policy_refusal(const std::string& text) {
  try {
    parse_policy(text, "p.yaml");
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace upbench
