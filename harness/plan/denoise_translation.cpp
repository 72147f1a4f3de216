#include "harness/plan/denoise_translation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <mutex>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace upbench {
namespace {

constexpr int kStrengths = 100;              // of the grid, up to 1
constexpr std::size_t kMostRungs = 500'000;  // kept, 24 bytes each

// Everything that a ladder depends on. A noise schedule is known by its ends and length; the last is the
// level that rule `sigma` asks for.
using Setting = std::tuple<DenoiseRule, int, Scheduler, std::optional<Sampler>, std::optional<double>, double,
                           double, int, double>;
using Ladder = std::vector<ToolDenoise>;  // by start sigma, each level once

Ladder make_ladder(DenoiseRule rule, int steps, Scheduler scheduler, const NoiseSchedule& noise,
                   const StepOptions& options) {
  Ladder ladder;
  for (int i = 0; i <= kStrengths; ++i) {
    const double denoise = static_cast<double>(i) / kStrengths;
    try {
      const DenoiseSteps made = denoise_steps(rule, denoise, steps, scheduler, noise, options);
      ladder.push_back({denoise, made.start_sigma(), made.steps()});
    } catch (const std::invalid_argument&) {
      continue;  // the tool refuses this strength
    }
  }
  std::ranges::stable_sort(ladder, {}, &ToolDenoise::start_sigma);
  const auto repeated = std::ranges::unique(ladder, {}, &ToolDenoise::start_sigma);
  ladder.erase(repeated.begin(), repeated.end());
  return ladder;
}

// How far apart, as the logarithm of their ratio; two times nothing are the same.
double distance(double a, double b) {
  return a == b ? 0 : std::abs(std::log(a / b));  // infinite where one is 0
}

std::optional<ToolDenoise> nearest(const Ladder& ladder, double start_sigma) {
  const auto away = [&](const ToolDenoise& rung) { return distance(rung.start_sigma, start_sigma); };
  const auto above = std::ranges::lower_bound(ladder, start_sigma, {}, &ToolDenoise::start_sigma);
  auto found = above;
  if (above == ladder.end() || (above != ladder.begin() && away(*(above - 1)) <= away(*above)))
    found = ladder.empty() ? ladder.end() : above - 1;
  if (found == ladder.end() || !(away(*found) <= std::log(kTranslationFactor))) return {};
  return *found;
}

// The level itself, which some schedulers only reach at the next entry of their table.
Ladder make_rung(double sigma, int steps, Scheduler scheduler, const NoiseSchedule& noise,
                 const StepOptions& options) {
  if (sigma != 0 && !(sigma > noise.least() && sigma <= noise.greatest())) return {};
  const DenoiseSteps made = denoise_steps(DenoiseRule::sigma, sigma, steps, scheduler, noise, options);
  return {{sigma, made.start_sigma(), made.steps()}};
}

// Makes each ladder once and keeps it; forgets all when they are too many.
class Ladders {
 public:
  template <class Make>
  std::optional<ToolDenoise> nearest_in(const Setting& setting, double start_sigma, Make make) {
    const std::lock_guard lock(mutex_);
    auto found = ladders_.find(setting);
    if (found == ladders_.end()) {
      Ladder made = make();
      rungs_ += made.size() + 1;
      if (rungs_ > kMostRungs) {
        ladders_.clear();
        rungs_ = made.size() + 1;
      }
      found = ladders_.emplace(setting, std::move(made)).first;
    }
    return nearest(found->second, start_sigma);
  }

 private:
  std::mutex mutex_;
  std::map<Setting, Ladder> ladders_;
  std::size_t rungs_ = 0;
};

}  // namespace

std::optional<ToolDenoise> translate_denoise(DenoiseRule rule, double start_sigma, int steps,
                                             Scheduler scheduler, const NoiseSchedule& noise,
                                             const StepOptions& options) {
  static Ladders ladders;
  const bool itself = rule == DenoiseRule::sigma;
  const Setting setting{rule,
                        steps,
                        scheduler,
                        options.sampler,
                        options.rho,
                        noise.least(),
                        noise.greatest(),
                        noise.timesteps(),
                        itself ? start_sigma : 0};
  return ladders.nearest_in(setting, start_sigma, [&] {
    return itself ? make_rung(start_sigma, steps, scheduler, noise, options)
                  : make_ladder(rule, steps, scheduler, noise, options);
  });
}

nlohmann::json denoise_translation(double start_sigma, int steps, Scheduler scheduler,
                                   const NoiseSchedule& noise, const StepOptions& options) {
  nlohmann::json tools = nlohmann::json::object();
  for (const DenoiseRuleRow& row : denoise_rules()) {
    const std::optional<ToolDenoise> found =
        translate_denoise(row.rule, start_sigma, steps, scheduler, noise, options);
    tools[row.name] = found ? nlohmann::json{{"denoise", found->denoise},
                                             {"start_sigma", found->start_sigma},
                                             {"steps", found->steps}}
                            : nlohmann::json(nullptr);
  }
  return tools;
}

}  // namespace upbench
