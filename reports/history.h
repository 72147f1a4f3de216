#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "reports/gate/policy.h"
#include "reports/gate/side.h"
#include "reports/statistics/change_points.h"

// Results over many versions: a text file with one run a line, oldest first, that grows at its end.
namespace upbench {

struct HistoryEntry {
  std::string revision;  // of what was measured, such as a commit; may be empty
  std::string added;     // UTC, ISO 8601
  GateSide side;
};

// Appends the run; the file is made where there is none. One object a line: schema "upbench-history-1",
// revision, added, baseline (docs/baseline.schema.json). Throws std::invalid_argument for a file that is no
// history.
void add_to_history(const std::filesystem::path& file, const HistoryEntry& entry);

// Throws std::invalid_argument "FILE:LINE: ..." for what is no history, and for an empty one.
std::vector<HistoryEntry> read_history(const std::filesystem::path& file);

// One metric, or the model time, of one cell over the runs.
struct HistorySeries {
  std::string cell, metric, unit;  // "model time": unit "ratio", relative to its first value
  int decimals = 4;
  bool higher_is_better = true;
  std::size_t pictures = 0;       // that every value is a mean over; of the time: median over them
  std::vector<std::size_t> runs;  // places in the history, ascending
  std::vector<double> values;     // one a run
  struct Change {
    std::size_t first = 0;         // run from which on the level is another one: the cause came after
    std::size_t last_before = 0;   // this run
    double before = 0, after = 0;  // levels
    double worsening = 0;          // positive is worse; of the time: ratio
    double p = 1;
  };
  std::vector<Change> changes;
  // What the newest run differs from the one before by, above the tolerance, worsening as above; nothing
  // where it is no news. Change points need three runs on each side, this needs none.
  bool newest_differs = false;
  double newest_worsening = 0;
};

struct HistoryReport {
  std::vector<std::string> labels;  // of the runs: the revision's beginning, or when it was added
  std::vector<HistorySeries> series;
  std::vector<std::string> notes;  // runs and pictures that are left out, and why
};

// Series of what the newest run has. A run takes part where its metric has the same version and convention,
// in times where its machine is the same; pictures where all these runs scored them against the same
// reference. Changes smaller than the policy's tolerance are left out.
HistoryReport report_history(const std::vector<HistoryEntry>& entries, const GatePolicy& policy = {});

std::string history_text(const HistoryReport& report);
std::string history_markdown(const HistoryReport& report);
std::string history_json(const HistoryReport& report);  // schema "upbench-history-report-1"

}  // namespace upbench
