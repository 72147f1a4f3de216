#include "models/diffusion/sampling/sigma_schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <span>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "models/diffusion/sampling/beta_quantile.h"
#include "models/diffusion/sampling/named_row.h"

namespace upbench {
namespace {

constexpr double kKarrasRho = 7;
constexpr double kBetaShape = 0.6;     // both of Lee et al.
constexpr double kSmallSteps = 0.025;  // of linear_quadratic: what its first half covers
constexpr int kTurboSteps = 10;
constexpr int kLcmSteps = 50;

// research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html
using AysTable = std::array<double, 11>;
constexpr AysTable kAysSd15 = {14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520,
                               1.8841921177,  1.3943805092, 0.9642583904, 0.6523686016,
                               0.3977456272,  0.1515232662, 0.0291671582};
constexpr AysTable kAysSdxl = {14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769,
                               1.3405244945,  0.8620721141, 0.5550693289, 0.3798540708,
                               0.2332364134,  0.1114188177, 0.0291671582};

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

// The entries at descending timesteps, `count` of them; what repeats the one before is left out.
template <class Function>
std::vector<double> entries(const std::vector<double>& table, int count, Function timestep) {
  std::vector<double> sigmas;
  for (int i = 0; i < count; ++i) {
    const auto t = static_cast<std::ptrdiff_t>(timestep(i));
    const double sigma =
        table[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(t, 0, std::ssize(table) - 1))];
    if (sigmas.empty() || sigma != sigmas.back()) sigmas.push_back(sigma);
  }
  return sigmas;
}

// Where the steps of `beta` lie, from 1 down, as shares of the timesteps. A plan of many cells asks for the
// same few numbers of steps again and again.
const std::vector<double>& beta_places(int steps) {
  static std::mutex mutex;
  static std::unordered_map<int, std::vector<double>> known;  // whose values stay where they are
  const std::lock_guard lock(mutex);
  std::vector<double>& places = known[steps];
  if (places.empty())
    for (int i = 0; i < steps; ++i)
      places.push_back(beta_quantile(1 - static_cast<double>(i) / steps, kBetaShape, kBetaShape));
  return places;
}

// Those of schedulers that pick timesteps; empty for others. Ties round to even, as in NumPy.
std::vector<double> from_table(Scheduler scheduler, int steps, const std::vector<double>& table) {
  const int size = static_cast<int>(table.size());
  const double stride = static_cast<double>(size) / steps;
  switch (scheduler) {
    case Scheduler::simple:
      return entries(table, steps, [&](int i) { return size - 1 - static_cast<int>(i * stride); });
    case Scheduler::ddim_uniform: {
      const int whole = std::max(size / steps, 1), count = (size - 2) / whole + 1;
      return entries(table, count, [&](int i) { return 1 + (count - 1 - i) * whole; });
    }
    case Scheduler::beta: {
      const std::vector<double>& places = beta_places(steps);
      return entries(table, steps,
                     [&](int i) { return std::nearbyint(places[static_cast<std::size_t>(i)] * (size - 1)); });
    }
    case Scheduler::turbo:
      return entries(table, steps, [&](int i) { return std::nearbyint(size - i * stride) - 1; });
    case Scheduler::turbo_comfy:
      return entries(table, std::min(steps, kTurboSteps),
                     [&](int i) { return (kTurboSteps - i) * size / kTurboSteps - 1; });
    case Scheduler::lcm: {
      const int distilled = std::min(kLcmSteps, size), skip = size / distilled;
      const double pick = static_cast<double>(distilled) / steps;
      return entries(table, steps, [&](int i) { return (distilled - std::floor(i * pick)) * skip - 1; });
    }
    default:
      return {};
  }
}

// 1 - s for s from 0 to 1: `small` steps of equal length, then a parabola that leaves with their slope.
std::vector<double> linear_quadratic(int steps, double greatest) {
  const int small = steps / 2, rest = steps - small;
  const double slope = small == 0 ? 0 : kSmallSteps / small, covered = slope * small;
  const double bend = (1 - covered - slope * rest) / (static_cast<double>(rest) * rest);
  std::vector<double> sigmas;
  for (int i = 0; i < steps; ++i) {
    const int beyond = std::max(i - small, 0);
    sigmas.push_back(greatest * (1 - slope * i - bend * beyond * beyond));
  }
  return sigmas;
}

// steps + 1 levels of which the last gives way to 0, from where the table's curve is at `greatest`.
std::vector<double> align_your_steps(std::span<const double> table, int steps, double greatest) {
  const auto last = static_cast<double>(table.size() - 1);
  const auto log_at = [&](double place) {
    const auto i = static_cast<std::size_t>(std::min(place, last - 1));
    const double share = place - static_cast<double>(i);
    return (1 - share) * std::log(table[i]) + share * std::log(table[i + 1]);
  };
  double first = 0;
  for (std::size_t i = 0; i + 1 < table.size() && greatest < table[i]; ++i)
    first = static_cast<double>(i) +
            std::min(1.0, std::log(table[i] / greatest) / std::log(table[i] / table[i + 1]));
  std::vector<double> sigmas =
      spaced(first, last, steps + 1, [&](double place) { return std::exp(log_at(place)); });
  sigmas.pop_back();
  return sigmas;
}

}  // namespace

const std::vector<SchedulerRow>& schedulers() {
  static const std::vector<SchedulerRow> rows = {
      {Scheduler::uniform, "uniform", "timesteps evenly spaced (k-diffusion, A1111; \"normal\" in ComfyUI)"},
      {Scheduler::karras, "karras", "evenly spaced in sigma^(1/7)"},
      {Scheduler::exponential, "exponential", "evenly spaced in log sigma"},
      {Scheduler::polyexponential, "polyexponential", "log sigma spaced as a power rho of even numbers"},
      {Scheduler::sgm_uniform, "sgm-uniform", "one timestep more evenly spaced, without the last"},
      {Scheduler::simple, "simple", "every (T / n)-th entry of the table of sigmas, from its end"},
      {Scheduler::ddim_uniform, "ddim-uniform", "every (T // n)-th entry from 1 (\"leading\" in diffusers)"},
      {Scheduler::beta, "beta", "timesteps at quantiles of Beta(0.6, 0.6), as ComfyUI"},
      {Scheduler::beta_sigma, "beta-sigma", "sigmas at these quantiles, as A1111 and diffusers"},
      {Scheduler::linear_quadratic, "linear-quadratic", "half the steps short and equal, then quadratic"},
      {Scheduler::kl_optimal, "kl-optimal", "evenly spaced in atan(sigma); n levels and 0, as ComfyUI"},
      {Scheduler::kl_optimal_forge, "kl-optimal-forge", "the same with n + 1 levels and no 0, as Forge"},
      {Scheduler::turbo, "turbo", "timesteps round(i T / n) - 1, as Forge; \"trailing\" in diffusers"},
      {Scheduler::turbo_comfy, "turbo-comfy",
       "the first n of timesteps 999, 899, .., as ComfyUI's SDTurboScheduler"},
      {Scheduler::lcm, "lcm", "n of the 50 timesteps of latent consistency models"},
      {Scheduler::ays_sd15, "ays-sd15", "Align Your Steps of SD 1.5, as its authors and ComfyUI"},
      {Scheduler::ays_sdxl, "ays-sdxl", "Align Your Steps of SDXL, the same"},
  };
  return rows;
}

Scheduler parse_scheduler(std::string_view name) {
  return named_row(schedulers(), name, "scheduler").scheduler;
}

std::string_view to_string(Scheduler scheduler) {
  return std::ranges::find(schedulers(), scheduler, &SchedulerRow::scheduler)->name;
}

std::vector<double> karras_levels(int levels, double greatest, double least, double rho) {
  return spaced(std::pow(greatest, 1 / rho), std::pow(least, 1 / rho), levels,
                [&](double root) { return std::pow(root, rho); });
}

std::vector<double> sigma_schedule(Scheduler scheduler, int steps, const NoiseSchedule& noise,
                                   std::optional<double> greatest, std::optional<double> rho) {
  if (steps < 1)
    throw std::invalid_argument(fmt::format("a schedule of {} steps, expected at least 1", steps));
  if (rho && !(*rho > 0 && std::isfinite(*rho)))
    throw std::invalid_argument(fmt::format("rho of a schedule is {}, expected a positive number", *rho));
  const double least = noise.least();
  const double most = std::clamp(greatest.value_or(noise.greatest()), least, noise.greatest());
  const double last_timestep = noise.timestep_at(most);
  const auto at = [&](double timestep) { return noise.sigma_at(timestep); };
  const bool forge = scheduler == Scheduler::kl_optimal_forge;
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
      sigmas = karras_levels(steps, most, least, rho.value_or(kKarrasRho));
      break;
    case Scheduler::exponential:
    case Scheduler::polyexponential: {
      const double power = scheduler == Scheduler::exponential ? 1 : rho.value_or(1);
      sigmas =
          spaced(1, 0, steps, [&](double u) { return least * std::pow(most / least, std::pow(u, power)); });
      break;
    }
    case Scheduler::beta_sigma:
      sigmas = spaced(1, 0, steps, [&](double u) {
        return least + beta_quantile(u, kBetaShape, kBetaShape) * (most - least);
      });
      break;
    case Scheduler::linear_quadratic:
      sigmas = linear_quadratic(steps, most);
      break;
    case Scheduler::kl_optimal:
    case Scheduler::kl_optimal_forge:
      sigmas = spaced(std::atan(most), std::atan(least), steps + (forge ? 1 : 0),
                      [](double angle) { return std::tan(angle); });
      break;
    case Scheduler::ays_sd15:
    case Scheduler::ays_sdxl:
      sigmas = align_your_steps(scheduler == Scheduler::ays_sd15 ? kAysSd15 : kAysSdxl, steps, most);
      break;
    case Scheduler::simple:
    case Scheduler::ddim_uniform:
    case Scheduler::beta:
    case Scheduler::turbo:
    case Scheduler::turbo_comfy:
    case Scheduler::lcm:
      sigmas = from_table(scheduler, steps, table_up_to(noise, most));
      break;
  }
  if (!forge) sigmas.push_back(0);
  return sigmas;
}

}  // namespace upbench
