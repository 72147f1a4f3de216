#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reports/decision/decisions.h"

namespace upbench {

// A Vega-Lite 6.4 specification with its data inline. Figures (means, frontier, quantiles) are computed here,
// so a plot and a table cannot disagree; at most 5,000 marks, and the caption says what was left out.
struct Plot {
  std::string name;  // for files: a-z, 0-9, '-', '_' only, unique in its report
  std::string title;
  std::string caption;
  bool wide = false;  // long names beside it: wants the page's whole width
  nlohmann::json spec;
};

// Artifact detectors are drawn where their rates are, along settings with the other metrics, and the seam in
// grids of tiles; all else is of the other metrics, unless there are none.
// For each metric: quality against time; along each numeric axis all metrics together, then each sweet spot;
// the response along each other axis; grids of tile sizes and of checkpoints; artifact rates; the agreement
// of the metrics; for each metric the distance to the best, the stability of the ranks, the scores of the
// pictures; samples of the model time, growth of the costs with the picture. A plot that would hold no data
// is left out.
std::vector<Plot> make_plots(const Analysis& analysis, const Decisions& decisions);

}  // namespace upbench
