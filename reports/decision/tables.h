#pragma once

#include "reports/decision/decisions.h"
#include "reports/table.h"

// Decisions as tables. Without rows where there is nothing to decide; callers leave them out.
namespace upbench {

// One row a cell and metric, best first: standing, distance to the best with p-value, win count and effect
// size, and what follows.
Table comparison_table(const Analysis& analysis, const Decisions& decisions);

Table classes_table(const Analysis& analysis,
                    const Decisions& decisions);  // the same of each class, in short
Table stability_table(const Analysis& analysis,
                      const Decisions& decisions);  // pictures that decide the winner
Table sweet_spots_table(const Analysis& analysis, const Decisions& decisions);
// The best start sigmas among them in every tool's denoise.
Table denoise_table(const Analysis& analysis, const Decisions& decisions);
Table front_table(const Analysis& analysis, const Decisions& decisions);      // quality against time
Table shares_table(const Analysis& analysis, const Decisions& decisions);     // what the axes explain
Table agreement_table(const Analysis& analysis, const Decisions& decisions);  // of the metrics

// "sweet spot", "best at the end of the range", "no effect"
const char* verdict_text(const SweetSpot& spot);

}  // namespace upbench
