#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reports/analysis.h"

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

// Quality against time for each metric, response along each varying axis for each metric, scores of the
// pictures for each metric. A plot that would hold no data is left out.
std::vector<Plot> make_plots(const Analysis& analysis);

}  // namespace upbench
