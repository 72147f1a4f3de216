#pragma once

#include <vector>

#include "reports/history.h"
#include "reports/plots.h"

namespace upbench {

// One plot a metric: a line a cell over the runs of a history, with the runs from which on its level is
// another one. None of a history with a single run.
std::vector<Plot> history_plots(const HistoryReport& report);

}  // namespace upbench
