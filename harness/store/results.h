#pragma once

#include <cstddef>
#include <vector>

#include "harness/store.h"
#include "harness/store/sqlite.h"

// Which scores of an output count for a trial: an output may have been scored against several references and
// with several versions of a metric.
namespace upbench {

class ScoreColumns {
 public:
  ScoreColumns(Database& database, const Digest& run);
  std::size_t metrics() const { return metrics_.size(); }

  // Columns of the table `scores` that read() takes, in this order.
  static constexpr const char* kColumns =
      "metric, reference, version, border, value, flag, reason, seconds, key";
  // One score of the output that is being read; of metrics that the run has not, nothing.
  void read(const Rows& rows, int first_column);
  void clear() { count_ = 0; }
  // Puts those that count for the trial's picture into its scores, sorts its detections out by them.
  void fill(TrialResult& result) const;

 private:
  struct Score {
    std::size_t metric = 0;
    Digest reference, key;
    TrialResult::Value value;
  };
  std::vector<MetricRow> metrics_;
  std::vector<Digest> references_;  // by image
  std::vector<Score> scores_;       // the first count_ are in use
  std::size_t count_ = 0;
};

std::vector<MetricRow> metrics_of(Database& database, const Digest& run);

}  // namespace upbench
