#include "models/diffusion/sampling/sigma_schedule.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "models/diffusion/sampling/named_row.h"

namespace upbench {
namespace {

constexpr double kKarrasRho = 7;

// `count` values evenly spaced from `from` to `to`, both included; of one value the first.
template <class Function>
std::vector<double> spaced(double from, double to, int count, Function sigma) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i)
    values.push_back(sigma(count == 1 ? from : from + (to - from) * i / (count - 1)));
  return values;
}

// The table's part up to `greatest`: what a schedule that steps through the table sees of it.
std::vector<double> table_up_to(const NoiseSchedule& noise, double greatest) {
  const auto& all = noise.sigmas();
  const auto end = std::upper_bound(all.begin(), all.end(), greatest * (1 + 1e-12));
  return {all.begin(), std::max(end, all.begin() + 2)};
}

std::vector<double> simple(const std::vector<double>& table, int steps) {
  std::vector<double> sigmas;
  const double stride = static_cast<double>(table.size()) / steps;
  for (int i = 0; i < steps; ++i)
    sigmas.push_back(table[table.size() - 1 - static_cast<std::size_t>(i * stride)]);
  return sigmas;
}

std::vector<double> ddim_uniform(const std::vector<double>& table, int steps) {
  std::vector<double> sigmas;
  const std::size_t stride = std::max<std::size_t>(table.size() / static_cast<std::size_t>(steps), 1);
  for (std::size_t t = 1; t < table.size(); t += stride) sigmas.push_back(table[t]);
  std::ranges::reverse(sigmas);
  return sigmas;
}

}  // namespace

const std::vector<SchedulerRow>& schedulers() {
  static const std::vector<SchedulerRow> rows = {
      {Scheduler::uniform, "uniform", "timesteps evenly spaced (k-diffusion, A1111; \"normal\" in ComfyUI)"},
      {Scheduler::karras, "karras", "evenly spaced in sigma^(1/7)"},
      {Scheduler::exponential, "exponential", "evenly spaced in log sigma"},
      {Scheduler::sgm_uniform, "sgm-uniform", "one timestep more evenly spaced, without the last"},
      {Scheduler::simple, "simple", "every (T / n)-th entry of the table of sigmas, from its end"},
      {Scheduler::ddim_uniform, "ddim-uniform", "every (T // n)-th entry from 1"},
      {Scheduler::kl_optimal, "kl-optimal", "evenly spaced in atan(sigma); n levels and 0, as ComfyUI"},
      {Scheduler::kl_optimal_forge, "kl-optimal-forge", "the same with n + 1 levels and no 0, as Forge"},
  };
  return rows;
}

Scheduler parse_scheduler(std::string_view name) {
  return named_row(schedulers(), name, "scheduler").scheduler;
}

std::string_view to_string(Scheduler scheduler) {
  return std::ranges::find(schedulers(), scheduler, &SchedulerRow::scheduler)->name;
}

std::vector<double> sigma_schedule(Scheduler scheduler, int steps, const NoiseSchedule& noise,
                                   std::optional<double> greatest) {
  if (steps < 1)
    throw std::invalid_argument(fmt::format("a schedule of {} steps, expected at least 1", steps));
  const double most = std::clamp(greatest.value_or(noise.greatest()), noise.least(), noise.greatest());
  const double last_timestep = noise.timestep_at(most);
  const auto at = [&](double timestep) { return noise.sigma_at(timestep); };
  std::vector<double> sigmas;
  switch (scheduler) {
    case Scheduler::uniform:
      sigmas = spaced(last_timestep, 0, steps, at);
      break;
    case Scheduler::sgm_uniform:
      sigmas = spaced(last_timestep, 0, steps + 1, at);
      sigmas.pop_back();
      break;
    case Scheduler::karras:
      sigmas = spaced(std::pow(most, 1 / kKarrasRho), std::pow(noise.least(), 1 / kKarrasRho), steps,
                      [](double root) { return std::pow(root, kKarrasRho); });
      break;
    case Scheduler::exponential:
      sigmas =
          spaced(std::log(most), std::log(noise.least()), steps, [](double log) { return std::exp(log); });
      break;
    case Scheduler::simple:
      sigmas = simple(table_up_to(noise, most), steps);
      break;
    case Scheduler::ddim_uniform:
      sigmas = ddim_uniform(table_up_to(noise, most), steps);
      break;
    case Scheduler::kl_optimal:
    case Scheduler::kl_optimal_forge: {
      const bool forge = scheduler == Scheduler::kl_optimal_forge;
      sigmas = spaced(std::atan(most), std::atan(noise.least()), steps + (forge ? 1 : 0),
                      [](double angle) { return std::tan(angle); });
      if (forge) return sigmas;
      break;
    }
  }
  sigmas.push_back(0);
  return sigmas;
}

}  // namespace upbench
