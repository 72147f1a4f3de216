#pragma once

#include <cstddef>
#include <vector>

#include "reports/gate/side.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/random.h"

namespace upbench {

// How much model times differ from run to run beyond what samples within a run do: another day, another
// temperature, another neighbour. Of the logarithm of a run's level, so 0.03 is 3 %.
struct RunDrift {
  std::size_t repeats = 0;            // with times; below 2 nothing is known, and both are 0
  double all_cells = 0;               // standard deviation of what all cells of a run share
  double each_cell = 0;               // of what is a cell's own
  Interval all_cells_interval{0, 0};  // of 95 %, by chi square with repeats - 1 degrees of freedom

  // The ratio of a new run's times to another's, for each cell; both runs drift.
  std::vector<double> draw_ratios(std::size_t cells, Random& random) const;
};

// Estimates the drift of these repeats and takes it out: afterwards every run's times of a cell have one
// median, that over the runs. A cell takes part where every repeat has at least kLeastTimes samples of it.
RunDrift take_out_drift(std::vector<GateSide>& sides);

// Every model time of each cell multiplied by its ratio.
void scale_times(GateSide& side, const std::vector<double>& ratio_of_cell);

}  // namespace upbench
