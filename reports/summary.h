#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reports/analysis.h"
#include "reports/decision/decisions.h"
#include "reports/table.h"

// The tables of a report. Tables about things that did not happen (failures, exclusions, ...) come without
// rows; callers leave them out.
namespace upbench {

// One row a cell, best first by the first metric: axes, n, mean and spread of each metric, trial counts,
// times. Means that are not shown to be worse than the best are marked, where anything is shown at all.
Table ranking_table(const Analysis& analysis, const Decisions& decisions);

// Table::Row::key of the cell's row there: plots lead to it.
std::string ranking_row_key(std::uint32_t cell);

// One row a value of every varying axis: mean and spread of each metric over pictures (cells of the value
// averaged first) and the effect: mean paired difference from the axis's first value, over cells that differ
// in this axis alone and the same pictures.
Table axes_table(const Analysis& analysis);

inline constexpr const char* kTrialsId = "trials";  // of the table of trials

// One row a trial. programs: every axis, status always, exact identities; people: the varying axes.
class TrialTable {
 public:
  enum class For { people, programs };
  TrialTable(const Analysis& analysis, For reader);
  const std::vector<Table::Column>& columns() const { return columns_; }
  Table::Row row(std::size_t trial) const;
  Table table(std::size_t most_rows) const;

 private:
  const Analysis& analysis_;
  For reader_;
  std::vector<std::size_t> axes_;
  std::vector<Table::Column> columns_;
};

Table published_table(const Analysis& analysis);  // scores that the spec quotes beside those of the run

Table conventions_table(const Analysis& analysis);
Table settings_table(const Analysis& analysis);  // one value in all cells
Table environment_table(const Analysis& analysis);
Table exclusions_table(const Analysis& analysis);
Table failures_table(const Analysis& analysis);  // failed and skipped trials by cell and reason
Table missing_table(
    const Analysis& analysis);  // scores without a value in trials that are ok, by metric and reason
Table duplicates_table(const Analysis& analysis);   // by cell and the cell that it repeats
Table same_pixels_table(const Analysis& analysis);  // by cell and the other cell with byte-equal outputs
Table notes_table(const Analysis& analysis);        // pictures with notes or a problem

// All of a report in its order, the trials of people with at most so many rows.
std::vector<Table> report_tables(const Analysis& analysis, const Decisions& decisions,
                                 std::size_t most_trials);

}  // namespace upbench
