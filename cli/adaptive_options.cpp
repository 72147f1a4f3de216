#include "cli/adaptive_options.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "cli/progress.h"
#include "reports/gate/policy.h"

namespace upbench {
namespace {

const char* to_string(RaceStanding::State state) {
  switch (state) {
    case RaceStanding::State::waiting:
      return "not tried";
    case RaceStanding::State::racing:
      return "in the race";
    case RaceStanding::State::left:
      return "left";
    case RaceStanding::State::failed:
      break;
  }
  return "failed";
}

bool has_winner(const AdaptiveResult& result) {
  return result.winner < result.standings.size();
}

}  // namespace

void add_adaptive_options(CLI::App& command, AdaptiveCommandOptions& options) {
  const auto group = command.add_option_group("adaptive", "Find the best cell without running all of them");
  CLI::Option* adaptive = group->add_flag("--adaptive", options.adaptive,
                                          "Cells race over pictures in random order and leave once shown to "
                                          "gain less than the margin on the leader");
  adaptive->excludes(command.get_option("--only"));
  group->add_option("--by", options.by, "The metric that decides (default: the first of the spec)")
      ->type_name("METRIC")
      ->needs(adaptive);
  group->add_option("--margin", options.margin, "A difference that does not matter, in the metric's unit")
      ->check(CLI::NonNegativeNumber)
      ->needs(adaptive);
  group
      ->add_option("--refine", options.refine,
                   "An axis with numbers: a few of its values first, then those beside the best")
      ->type_name("AXIS")
      ->needs(adaptive);
  group
      ->add_option("--resolution", options.resolution,
                   "How finely --refine looks, in the axis's unit (default: all)")
      ->check(CLI::NonNegativeNumber)
      ->needs("--refine");
  group->add_option("--budget", options.budget_s, "Seconds after which no further round begins")
      ->check(CLI::PositiveNumber)
      ->needs(adaptive);
}

AdaptiveOptions adaptive_options(const AdaptiveCommandOptions& options, const Sweep& sweep) {
  const std::vector<MetricRow>& metrics = sweep.plan.rows.metrics;
  AdaptiveOptions chosen{.metric = options.by,
                         .margin = options.margin.value_or(0),
                         .refine = options.refine,
                         .resolution = options.resolution,
                         .budget_s = options.budget_s};
  if (chosen.metric.empty()) {
    if (metrics.empty()) throw std::invalid_argument("--adaptive: the spec has no metric to decide by");
    chosen.metric = metrics.front().name;
  }
  const auto metric = std::ranges::find(metrics, chosen.metric, &MetricRow::name);
  if (options.margin || metric == metrics.end()) return chosen;
  chosen.margin = limits_of({}, *metric, 0).margin;
  if (chosen.margin <= 0)
    throw std::invalid_argument(
        fmt::format("--adaptive: which difference of {} does not matter? Expected --margin", metric->name));
  return chosen;
}

std::string adaptive_text(const Sweep& sweep, const AdaptiveOptions& options, const AdaptiveResult& result) {
  const std::vector<CellRow>& cells = sweep.plan.rows.cells;
  std::string text = fmt::format("adaptive sweep by {}, margin {:g}: ", options.metric, options.margin);
  text += has_winner(result) ? fmt::format("{} is best", label_text(cells[result.winner].label))
                             : "no cell could be scored";
  const auto remaining =
      std::ranges::count(result.standings, RaceStanding::State::racing, &RaceStanding::state);
  if (remaining > 1) text += fmt::format(", with {} others that could not be told from it", remaining - 1);
  text += fmt::format(
      "; {} of {} trials ({:.0f} %) on at most {} pictures\n", result.trials, result.work.progress.total,
      100.0 * static_cast<double>(result.trials) / static_cast<double>(result.work.progress.total),
      result.pictures);
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (i != result.winner)
      text +=
          fmt::format("  {}: {}\n", label_text(cells[i].label), describe_standing(sweep, options, result, i));
  return text + "Run all: the same command without --adaptive.\n";
}

nlohmann::json to_json(const Sweep& sweep, const AdaptiveOptions& options, const AdaptiveResult& result) {
  nlohmann::json cells = nlohmann::json::array();
  for (std::size_t i = 0; i < result.standings.size(); ++i)
    cells.push_back({{"cell", label_text(sweep.plan.rows.cells[i].label)},
                     {"state", to_string(result.standings[i].state)},
                     {"pictures", result.standings[i].pictures},
                     {"why", describe_standing(sweep, options, result, i)}});
  return {
      {"metric", options.metric},
      {"margin", options.margin},
      {"winner",
       has_winner(result) ? nlohmann::json(label_text(sweep.plan.rows.cells[result.winner].label)) : nullptr},
      {"trials", result.trials},
      {"pictures", result.pictures},
      {"out_of_time", result.out_of_time},
      {"cells", cells}};
}

}  // namespace upbench
