#pragma once

#include <optional>

#include "reports/plots.h"
#include "reports/table.h"

// The kinds of plot, one file each. Nothing where the plot would hold no data.
namespace upbench {

std::optional<Plot> plot_quality_against_time(const Analysis& analysis, std::size_t metric);
// Drawn from the rows of axes_table().
std::optional<Plot> plot_axis_response(const Analysis& analysis, const Table& axes, const ReportAxis& axis,
                                       std::size_t metric);
std::optional<Plot> plot_picture_scores(const Analysis& analysis, std::size_t metric);

}  // namespace upbench
