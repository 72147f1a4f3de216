#pragma once

#include <optional>

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
// Kendall's tau of all pairs of metrics.
std::optional<Plot> plot_agreement(const Analysis& analysis, const Decisions& decisions);
// Drawn from the rows of axes_table().
std::optional<Plot> plot_axis_response(const Analysis& analysis, const Table& axes, const ReportAxis& axis,
                                       std::size_t metric);
std::optional<Plot> plot_picture_scores(const Analysis& analysis, std::size_t metric);

}  // namespace upbench
