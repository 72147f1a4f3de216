#include "reports/plots.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/summary.h"

namespace upbench {
namespace {

// The plot of the sweet spot shows all that the response would; strengths of several tools have no order but
// that of their sigma.
bool is_drawn_as_curve(const Analysis& analysis, const Decisions& decisions, std::size_t axis,
                       std::size_t m) {
  return std::ranges::any_of(decisions.sweet_spots, [&](const SweetSpot& spot) {
    return spot.axis == axis && spot.metric == m &&
           (spot.over_sigma || spot.settings.size() == analysis.axes[axis].values.size());
  });
}

// The average, or where curves over sigma have none, each of them.
bool is_worth_a_plot(const Decisions& decisions, const SweetSpot& spot) {
  if (!spot.content.empty()) return false;
  return spot.group.empty() ||
         (spot.over_sigma && std::ranges::none_of(decisions.sweet_spots, [&](const SweetSpot& other) {
            return other.axis == spot.axis && other.metric == spot.metric && other.group.empty();
          }));
}

// Spots of one axis and group, one a metric.
std::vector<std::vector<const SweetSpot*>> drawn_together(const Decisions& decisions) {
  std::vector<std::vector<const SweetSpot*>> groups;
  for (const SweetSpot& spot : decisions.sweet_spots) {
    if (!is_worth_a_plot(decisions, spot)) continue;
    const auto group = std::ranges::find_if(groups, [&](const auto& known) {
      return known.front()->axis == spot.axis && known.front()->group == spot.group;
    });
    if (group == groups.end())
      groups.push_back({&spot});
    else
      group->push_back(&spot);
  }
  return groups;
}

}  // namespace

std::vector<Plot> make_plots(const Analysis& analysis, const Decisions& decisions) {
  std::vector<Plot> plots;
  const auto add = [&](std::optional<Plot> plot) {
    if (!plot) return;
    const auto taken = std::count_if(plots.begin(), plots.end(),
                                     [&](const Plot& other) { return other.name == plot->name; });
    if (taken > 0) plot->name += fmt::format("_{}", plots.size());
    plots.push_back(std::move(*plot));
  };
  const std::vector<std::size_t> metrics = analysis.quality_metrics();
  const auto is_drawn = [&](std::size_t m) { return std::ranges::count(metrics, m) > 0; };
  for (const std::size_t m : metrics) add(plot_quality_against_time(analysis, decisions, m));
  const auto add_all = [&](std::vector<Plot> all) {
    for (Plot& plot : all) add(std::move(plot));
  };
  for (const auto& spots : drawn_together(decisions)) add(plot_responses(analysis, spots));
  for (const SweetSpot& spot : decisions.sweet_spots)
    if (is_drawn(spot.metric) && is_worth_a_plot(decisions, spot)) add(plot_sweet_spot(analysis, spot));
  const Table axes = axes_table(analysis);
  for (std::size_t axis = 0; axis < analysis.axes.size(); ++axis)
    if (analysis.axes[axis].varies())
      for (const std::size_t m : metrics)
        if (!is_drawn_as_curve(analysis, decisions, axis, m))
          add(plot_axis_response(analysis, axes, analysis.axes[axis], m));
  add_all(plot_grids(analysis));
  add_all(plot_artifact_rates(analysis));
  add(plot_agreement(analysis, decisions));
  for (const Verdict& verdict : decisions.verdicts)
    if (is_drawn(verdict.metric)) add(plot_distances(analysis, verdict));
  for (const Verdict& verdict : decisions.verdicts)
    if (is_drawn(verdict.metric)) add(plot_ranks(analysis, verdict));
  for (const std::size_t m : metrics) add(plot_picture_scores(analysis, m));
  add(plot_timing_samples(analysis));
  add_all(plot_cost_growth(analysis));
  return plots;
}

}  // namespace upbench
