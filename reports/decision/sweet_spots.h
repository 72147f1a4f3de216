#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/analysis.h"
#include "reports/decision/classes.h"
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
};

// Axes with at least three numeric values, on at least three pictures. Curves of the settings of the other
// axes are averaged; where these are at most kMostGroups, each has its own curve, too. Classes of at least
// five pictures have theirs of the average.
constexpr std::size_t kMostGroups = 8;
std::vector<SweetSpot> find_sweet_spots(const Analysis& analysis, const PictureClasses& classes);

// Of the settings that are as good as the best: least and greatest of the run that holds the best; NaN: none.
Interval plateau_of(const SweetSpot& spot);

}  // namespace upbench
