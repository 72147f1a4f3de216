#pragma once

#include <optional>
#include <vector>

#include "reports/plots.h"
#include "reports/table.h"

// The kinds of plot, one file each. Nothing where the plot would hold no data.
namespace upbench {

std::optional<Plot> plot_quality_against_time(const Analysis& analysis, const Decisions& decisions,
                                              std::size_t metric);
// Of each cell to the best: every picture, mean and interval.
std::optional<Plot> plot_distances(const Analysis& analysis, const Verdict& verdict);
// Interval of each cell's rank and its share of first places.
std::optional<Plot> plot_ranks(const Analysis& analysis, const Verdict& verdict);
// Smoothed response with its band, interval of the best setting, plateau. Over a start sigma each setting
// says what it is in every tool's denoise.
std::optional<Plot> plot_sweet_spot(const Analysis& analysis, const SweetSpot& spot);
nlohmann::json setting_axis(const SweetSpot& spot, const std::string& title);  // of its field "setting"
// Kendall's tau of all pairs of metrics.
std::optional<Plot> plot_agreement(const Analysis& analysis, const Decisions& decisions);
// Drawn from the rows of axes_table().
std::optional<Plot> plot_axis_response(const Analysis& analysis, const Table& axes, const ReportAxis& axis,
                                       std::size_t metric);
// Every metric along one setting, each as a share of its own range; over a start sigma with the tools'
// strengths as a second scale. The spots are of one axis and one group, at most one a metric.
std::optional<Plot> plot_responses(const Analysis& analysis, const std::vector<const SweetSpot*>& spots);
// Tile size against overlap, and checkpoints against each other: every metric, then the time.
std::vector<Plot> plot_grids(const Analysis& analysis);
// Of the union and each detector that flagged anything: by cell, and by class of picture and cell.
std::vector<Plot> plot_artifact_rates(const Analysis& analysis);
// Every lap of the model times.
std::optional<Plot> plot_timing_samples(const Analysis& analysis);
// Time and peak memory against the size of the output, where the run has more than one.
std::vector<Plot> plot_cost_growth(const Analysis& analysis);
std::optional<Plot> plot_picture_scores(const Analysis& analysis, std::size_t metric);

}  // namespace upbench
