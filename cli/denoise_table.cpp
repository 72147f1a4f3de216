#include "cli/denoise_table.h"

#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/diffusion/sampling/denoise.h"

namespace upbench {
namespace {

constexpr int kRows = 20;    // of denoise, evenly up to 1
constexpr int kColumn = 18;  // characters of a tool's three numbers

}  // namespace

std::string denoise_table(int steps, const std::string& scheduler, bool json) {
  const NoiseSchedule noise = NoiseSchedule::scaled_linear();
  const Scheduler chosen = parse_scheduler(scheduler);
  (void)denoise_steps(DenoiseRule::a1111, 1, steps, chosen, noise);  // refuses steps before any output
  nlohmann::json list = nlohmann::json::array();
  std::string names = "denoise", columns = "       ";
  for (const DenoiseRuleRow& row : denoise_rules()) {
    if (row.rule == DenoiseRule::sigma) continue;
    names += fmt::format("  {:>{}}", row.name, kColumn);
    columns += fmt::format("  {:>{}}", "n   sigma     t", kColumn);
  }
  std::string text = fmt::format(
      "Steps that are run, and the sigma and timestep they start from: {} steps, scheduler {}, Stable "
      "Diffusion 1, "
      "2 and XL\n{}\n{}",
      steps, scheduler, names, columns);
  for (int i = 1; i <= kRows; ++i) {
    const double denoise = static_cast<double>(i) / kRows;
    text += fmt::format("\n{:>7.2f}", denoise);
    for (const DenoiseRuleRow& row : denoise_rules()) {
      if (row.rule == DenoiseRule::sigma) continue;
      try {
        const DenoiseSteps made = denoise_steps(row.rule, denoise, steps, chosen, noise);
        text += fmt::format("  {:>4} {:>7.4f} {:>5.1f}", made.steps(), made.start_sigma(),
                            made.timesteps.front());
        list.push_back({{"denoise", denoise},
                        {"as", row.name},
                        {"steps", made.steps()},
                        {"start_sigma", made.start_sigma()},
                        {"start_timestep", made.timesteps.front()}});
      } catch (const std::invalid_argument& refused) {
        text += fmt::format("  {:>{}}", "refused", kColumn);
        list.push_back({{"denoise", denoise}, {"as", row.name}, {"refused", refused.what()}});
      }
    }
  }
  return json ? list.dump(2) : text;
}

}  // namespace upbench
