#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/analysis.h"
#include "reports/decision/classes.h"
#include "reports/decision/start_sigma.h"
#include "reports/statistics/response.h"

// Where along each numeric axis the scores are best.
namespace upbench {

struct SweetSpot {
  std::size_t axis = 0, metric = 0;
  std::string group;    // the other settings, "lanczos"; empty: all of them, averaged
  std::string content;  // class of the pictures; empty: all
  std::size_t pictures = 0;
  double margin = 0;             // what counts as equally good, in the metric's unit
  bool logarithmic = false;      // fitted over the logarithm of the setting,
  bool by_order = false;         // or over its place in the order; `response` is in settings
  std::vector<double> settings;  // ascending
  std::vector<double> means;     // of each setting, as the metric has them (not turned)
  Response response;             // greater is better: curve and band of other metrics have the sign turned
  // The axis is the denoise of a stage, and `settings` are the sigmas that it starts from (start_sigma.h).
  bool over_sigma = false;
  std::vector<DenoiseTranslation> denoise;  // of the best setting; empty: no effect
  std::vector<std::string> in_tools;        // of each setting, tools_text() of what its cell states

  // A setting as people read it: "0.42", "1.05".
  std::string shown(double setting) const;
};

// Axes with at least three numeric values, on at least three pictures. Curves of the settings of the other
// axes are averaged; where these are at most kMostGroups, each has its own curve, too. Classes of at least
// five pictures have theirs of the average.
// A denoise axis is followed over the start sigma where the cells state it: strengths that start at the same
// level are one setting, and those that make no step are none. Curves of other tools, schedulers and numbers
// of steps then lie at other sigmas; over the stretch that all of them cover they are averaged at the
// settings of the one with the most there, the others linear in log sigma between their own. Where one has
// fewer than three settings there, there is no average, only the curve of each.
constexpr std::size_t kMostGroups = 8;
std::vector<SweetSpot> find_sweet_spots(const Analysis& analysis, const PictureClasses& classes);

// Of the settings that are as good as the best: least and greatest of the run that holds the best; NaN: none.
Interval plateau_of(const SweetSpot& spot);

}  // namespace upbench
