#include "reports/plots.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/summary.h"

namespace upbench {

std::vector<Plot> make_plots(const Analysis& analysis) {
  std::vector<Plot> plots;
  const auto add = [&](std::optional<Plot> plot) {
    if (!plot) return;
    const auto taken = std::count_if(plots.begin(), plots.end(),
                                     [&](const Plot& other) { return other.name == plot->name; });
    if (taken > 0) plot->name += fmt::format("_{}", plots.size());
    plots.push_back(std::move(*plot));
  };
  const std::size_t metrics = analysis.data->plan.metrics.size();
  for (std::size_t m = 0; m < metrics; ++m) add(plot_quality_against_time(analysis, m));
  const Table axes = axes_table(analysis);
  for (const ReportAxis& axis : analysis.axes)
    if (axis.varies())
      for (std::size_t m = 0; m < metrics; ++m) add(plot_axis_response(analysis, axes, axis, m));
  for (std::size_t m = 0; m < metrics; ++m) add(plot_picture_scores(analysis, m));
  return plots;
}

}  // namespace upbench
