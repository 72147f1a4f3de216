#include "harness/store/results.h"

#include <algorithm>
#include <span>

#include "harness/store/values.h"

namespace upbench {

std::vector<MetricRow> metrics_of(Database& database, const Digest& run) {
  std::vector<MetricRow> metrics;
  Rows rows = database.query(
      "SELECT name, unit, convention, higher_is_better, version, border, decimals FROM metrics"
      " WHERE run = ? ORDER BY ordinal",
      run);
  while (rows.next())
    metrics.push_back({.name = rows.text(0),
                       .unit = rows.text(1),
                       .convention = rows.text(2),
                       .higher_is_better = rows.integer(3) != 0,
                       .version = static_cast<int>(rows.integer(4)),
                       .border = static_cast<int>(rows.integer(5)),
                       .decimals = static_cast<int>(rows.integer(6))});
  return metrics;
}

ScoreColumns::ScoreColumns(Database& database, const Digest& run) : metrics_(metrics_of(database, run)) {
  Rows rows = database.query(
      "SELECT reference FROM run_images JOIN images ON images.key = run_images.image"
      " WHERE run = ? ORDER BY ordinal",
      run);
  while (rows.next()) references_.push_back(rows.digest(0));
}

void ScoreColumns::read(const Rows& rows, int first) {
  const std::string_view name = rows.view(first);
  const auto metric = std::ranges::find_if(metrics_, [&](const MetricRow& row) {
    return row.name == name && row.version == rows.integer(first + 2) &&
           row.border == rows.integer(first + 3);
  });
  if (metric == metrics_.end()) return;
  if (count_ == scores_.size()) scores_.emplace_back();
  Score& score = scores_[count_++];
  score.metric = static_cast<std::size_t>(metric - metrics_.begin());
  score.reference = rows.digest(first + 1);
  score.value.value = rows.real(first + 4);
  score.value.flag = parse_flag(rows.view(first + 5));
  score.value.reason = rows.view(first + 6);
  score.value.seconds = rows.real(first + 7);
  score.key = rows.digest(first + 8);
}

void ScoreColumns::fill(TrialResult& result) const {
  result.scores.assign(metrics_.size(), {});
  const Digest& reference = references_.at(result.image);
  const auto counts = [&](const Score& score) { return score.reference == reference; };
  const auto scores = std::span(scores_).first(count_);
  for (const Score& score : scores)
    if (counts(score)) result.scores[score.metric] = score.value;
  std::erase_if(result.detections, [&](const DetectionRow& row) {
    return std::ranges::none_of(scores,
                                [&](const Score& score) { return counts(score) && score.key == row.key; });
  });
}

}  // namespace upbench
