#pragma once

#include "reports/analysis.h"

namespace upbench {

// Trials of all cells together.
struct Totals {
  explicit Totals(const Analysis& analysis) {
    for (const CellFigures& cell : analysis.cells) {
      ok += cell.ok;
      failed += cell.failed;
      skipped += cell.skipped;
      pending += cell.pending;
      repeats += cell.repeats;
      for (const MetricFigures& figures : cell.metrics) infinite += figures.infinite;
    }
  }
  std::size_t all() const { return ok + failed + skipped + pending; }
  std::size_t ok = 0, failed = 0, skipped = 0, pending = 0, repeats = 0, infinite = 0;
};

}  // namespace upbench
