#include "reports/artifact_rates.h"
#include "reports/decision/tables.h"
#include "reports/run_view.h"
#include "reports/summary.h"

namespace upbench {

std::vector<Table> report_tables(const Analysis& analysis, const Decisions& decisions,
                                 std::size_t most_trials) {
  return {ranking_table(analysis, decisions),
          comparison_table(analysis, decisions),
          artifact_rates_table(analysis),
          artifact_pairs_table(analysis),
          artifact_classes_table(analysis),
          sweet_spots_table(analysis, decisions),
          denoise_table(analysis, decisions),
          classes_table(analysis, decisions),
          stability_table(analysis, decisions),
          front_table(analysis, decisions),
          agreement_table(analysis, decisions),
          published_table(analysis),
          axes_table(analysis),
          shares_table(analysis, decisions),
          model_time_table(analysis),
          failures_table(analysis),
          missing_table(analysis),
          TrialTable(analysis, TrialTable::For::people).table(most_trials),
          exclusions_table(analysis),
          duplicates_table(analysis),
          same_pixels_table(analysis),
          notes_table(analysis),
          conventions_table(analysis),
          reproduce_table(analysis),
          plan_table(analysis),
          work_table(analysis),
          weights_table(analysis),
          settings_table(analysis),
          environment_table(analysis)};
}

}  // namespace upbench
