#include "cli/rate_plan.h"

#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/statistics/corrected_rate.h"
#include "reports/statistics/proportion.h"
#include "reports/statistics/sample_size.h"

namespace upbench {
namespace {

const CLI::Validator kShare = CLI::Validator(
    [](std::string& text) {
      double value = 0;
      if (!CLI::detail::lexical_cast(text, value) || !(value > 0 && value <= 1))
        return std::string("expected a share above 0, at most 1 (0.02 is 2 %)");
      return std::string();
    },
    "SHARE");

}  // namespace

void add_rate_options(CLI::App& command, RatePlanOptions& options) {
  command
      .add_option("--rate", options.rate, "Instead of a spec: the rate of an artifact as it is, 0.02 for 2 %")
      ->check(kShare);
  command.add_option("--detect", options.detect, "The rate that must be told from it")->check(kShare);
  command.add_option("--power", options.power, "Chance to find it")
      ->check(CLI::Range(0.01, 0.999))
      ->capture_default_str();
  command.add_option("--alpha", options.alpha, "Chance to find what is not there, two-sided")
      ->check(CLI::Range(1e-6, 0.5))
      ->capture_default_str();
  command.add_option("--sensitivity", options.sensitivity, "Of the detector (docs/artifacts.md)")
      ->check(kShare);
  command.add_option("--specificity", options.specificity, "Of the detector")->check(kShare);
}

std::string describe_rate_plan(const RatePlanOptions& options) {
  if (options.rate == 0 || options.detect == 0)
    throw std::invalid_argument("plan: expected both --rate and --detect");
  if (options.sensitivity + options.specificity <= 1)
    throw std::invalid_argument(
        "plan: a detector whose sensitivity and specificity add up to 1 or less tells nothing");
  const double before = flagged_rate(options.rate, options.sensitivity, options.specificity),
               after = flagged_rate(options.detect, options.sensitivity, options.specificity);
  if (before == after || before >= 1 || after >= 1)
    throw std::invalid_argument("plan: expected two different rates below 1");
  const PowerOptions power{.alpha = options.alpha, .power = options.power};
  const double difference = std::abs(after - before),
               independent = before * (1 - after) + after * (1 - before);
  const std::size_t apart = pictures_for_rates(before, after, power),
                    same = pictures_for_paired_rates(difference, independent, power),
                    nested = pictures_for_paired_rates(difference, difference, power);
  std::string text =
      fmt::format("To tell {:.3g} % from {:.3g} % with {:.3g} % power at alpha {:g}:\n", 100 * options.rate,
                  100 * options.detect, 100 * options.power, options.alpha);
  if (options.sensitivity < 1 || options.specificity < 1)
    text +=
        fmt::format("  (a detector of sensitivity {:g} and specificity {:g} flags {:.3g} % and {:.3g} %)\n",
                    options.sensitivity, options.specificity, 100 * before, 100 * after);
  const auto flagged = static_cast<std::size_t>(std::lround(before * static_cast<double>(apart)));
  const Interval interval = wilson_interval(flagged, apart);
  text += fmt::format(
      "  {} pictures in each cell, other pictures in either (two proportions, Fleiss)\n"
      "  {} pictures in both cells, where artifacts of one say nothing about the other (McNemar, Connor)\n"
      "  {} pictures in both cells, where one cell has all that the other has: never fewer\n"
      "With {} pictures a rate of {:.3g} % is known to within [{:.2g} %, {:.2g} %].\n",
      apart, same, nested, apart, 100 * before, 100 * interval.low, 100 * interval.high);
  return text;
}

}  // namespace upbench
