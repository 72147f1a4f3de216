#pragma once

#include <cstddef>
#include <vector>

#include "reports/analysis.h"
#include "reports/decision/classes.h"
#include "reports/decision/sweet_spots.h"
#include "reports/decision/verdict.h"
#include "reports/statistics/variance_shares.h"

// What the statistics say about a run. Computed once a report; the headline, the tables and the plots show
// it.
namespace upbench {

struct Front {
  struct Point {
    std::uint32_t cell = 0;
    double mean = 0;     // of the metric
    double seconds = 0;  // CellTimes
    Efficiency efficiency;
  };
  std::vector<Point> points;  // by time
};

struct Agreement {
  std::size_t first = 0, second = 0;  // metrics
  std::size_t cells = 0;              // comparable in both
  double tau = 0;                     // Kendall's; 1: the same order from worst to best
};

struct Decisions {
  PictureClasses classes;
  std::vector<Verdict> verdicts;               // of each metric
  std::vector<std::vector<Verdict>> by_class;  // of each class, each metric; empty for fewer than two classes
  std::vector<SweetSpot> sweet_spots;
  std::vector<Front> fronts;                       // of each metric
  std::vector<std::vector<VarianceShare>> shares;  // of each metric; axes are indices into Analysis::naming
  std::vector<Agreement> agreements;
};

// Above so many cells the shares of variance are left out: they take the cube of it.
constexpr std::size_t kMostCellsForShares = 400;

Decisions decide(const Analysis& analysis);

}  // namespace upbench
