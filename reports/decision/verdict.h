#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "reports/analysis.h"
#include "reports/statistics/best_of.h"

// Which cell one metric calls best, how sure that is, and what it hangs on.
namespace upbench {

// The scores of one metric that can be compared: comparable cells on the pictures where all are finite.
struct ScoreMatrix {
  std::vector<std::uint32_t> cells, pictures;  // columns and rows of `scores`
  Eigen::MatrixXd scores;                      // greater is better: the sign of other metrics is turned
};

// Of the given pictures, or of all.
ScoreMatrix comparable_scores(const Analysis& analysis, std::size_t metric,
                              const std::vector<std::uint32_t>* pictures = nullptr);

struct Contender {
  std::uint32_t cell = 0;
  Rival rival;        // distances are in the metric's unit, positive: the best is better
  bool same = false;  // shown to differ from the best by less than the metric's margin (TOST, 5 %)
};

struct Verdict {
  std::size_t metric = 0;
  std::size_t pictures = 0;
  std::vector<Contender> contenders;   // best mean first; the first is the best of `leaders`
  std::size_t distinct = 0;            // contenders, those with equal scores counted once
  std::size_t comparisons = 0;         // that the p-values are adjusted for
  std::vector<std::uint32_t> perfect;  // cells without any error on any picture: best without a test
  // Pictures without which another cell is best, by more than the metric's margin; cells of the plan.
  struct FlipWithout {
    std::uint32_t picture = 0, winner = 0;
  };
  std::vector<FlipWithout> flips;
  // Pictures that would tell the best from the first of open(), were the difference and its spread as they
  // are (80 % power); 0: nothing to tell, or the difference is zero.
  std::size_t needed = 0;

  // Not shown to be worse than the best; all are where nothing can be told.
  bool leads(std::size_t contender) const { return !contenders[contender].rival.worse; }
  std::vector<std::uint32_t> leaders() const;
  // The leaders that may differ from the best by what matters: neither equal nor the same.
  std::vector<std::size_t> open() const;
  bool tells_anything() const;  // some cell is shown to be worse
  bool is_settled() const;      // and none is open
};

// Differences smaller than this do not matter: the comparison gate's default margin of the metric.
double margin_of(const Analysis& analysis, std::size_t metric);

// The verdict of one metric over all pictures or a class of them. Fewer than two comparable cells: no
// contenders.
Verdict judge_metric(const Analysis& analysis, std::size_t metric,
                     const std::vector<std::uint32_t>* pictures = nullptr);

// 10,000 where that takes a moment, fewer (at least 1,000) where pictures times cells are many.
BootstrapOptions affordable_resamples(std::size_t pictures, std::size_t cells);

}  // namespace upbench
