#include "reports/decision/verdict.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reports/gate/policy.h"
#include "reports/statistics/descriptive.h"
#include "reports/statistics/paired.h"
#include "reports/statistics/sample_size.h"

namespace upbench {
namespace {

using Eigen::Index;

constexpr double kLevel = 0.05;

std::vector<std::uint32_t> all_pictures(const Analysis& analysis) {
  std::vector<std::uint32_t> pictures(analysis.data->plan.images.size());
  std::iota(pictures.begin(), pictures.end(), 0U);
  return pictures;
}

std::vector<double> column_difference(const ScoreMatrix& matrix, std::size_t first, std::size_t second) {
  std::vector<double> differences(matrix.pictures.size());
  Eigen::VectorXd::Map(differences.data(), matrix.scores.rows()) =
      matrix.scores.col(static_cast<Index>(first)) - matrix.scores.col(static_cast<Index>(second));
  return differences;
}

// Flips to a cell that is the best's equal for every practical purpose say nothing.
std::vector<Verdict::FlipWithout> find_flips(const ScoreMatrix& matrix, double margin) {
  const Eigen::RowVectorXd means = matrix.scores.colwise().mean();
  const std::size_t best = winner_of(matrix.scores);
  std::vector<Verdict::FlipWithout> flips;
  if (matrix.pictures.size() < 3) return flips;
  for (const Flip& flip : flips_without_picture(matrix.scores)) {
    const double lead = means[static_cast<Index>(best)] - means[static_cast<Index>(flip.winner)];
    if (lead > margin) flips.push_back({matrix.pictures[flip.left_out], matrix.cells[flip.winner]});
  }
  return flips;
}

// Pictures that would tell two columns apart, among so many that are left.
std::size_t pictures_for(const Verdict& verdict, const std::vector<double>& differences) {
  const std::size_t open = verdict.open().size() + 1, pairs = open * (open - 1) / 2;
  const double lead = mean(differences), spread = standard_deviation(differences);
  if (!(std::abs(lead) > 0) || !(spread > 0)) return 0;
  return std::max({pictures_for_difference(lead, spread, {.alpha = kLevel / static_cast<double>(pairs)}),
                   fewest_pictures(verdict.comparisons), verdict.pictures + 1});
}

}  // namespace

double margin_of(const Analysis& analysis, std::size_t m) {
  std::vector<double> means;
  for (const CellFigures& cell : analysis.cells)
    if (std::isfinite(cell.metrics[m].mean)) means.push_back(std::abs(cell.metrics[m].mean));
  return limits_of({}, analysis.metric(m), means.empty() ? 0 : mean(means)).margin;
}

BootstrapOptions affordable_resamples(std::size_t pictures, std::size_t cells) {
  const double each =
      static_cast<double>(pictures) * static_cast<double>(cells) + 100.0 * static_cast<double>(cells);
  return {.resamples = static_cast<int>(std::clamp(5e8 / each, 1'000.0, 10'000.0))};
}

ScoreMatrix comparable_scores(const Analysis& analysis, std::size_t m,
                              const std::vector<std::uint32_t>* pictures) {
  ScoreMatrix matrix;
  for (std::uint32_t c = 0; c < analysis.cells.size(); ++c)
    if (const MetricFigures& figures = analysis.cells[c].metrics[m]; figures.comparable && figures.scored > 0)
      matrix.cells.push_back(c);
  if (matrix.cells.empty()) return matrix;
  for (const std::uint32_t picture : pictures ? *pictures : all_pictures(analysis))
    if (std::isfinite(analysis.cells[matrix.cells.front()].metrics[m].of_picture[picture]))
      matrix.pictures.push_back(picture);
  matrix.scores.resize(static_cast<Index>(matrix.pictures.size()), static_cast<Index>(matrix.cells.size()));
  const double sign = analysis.metric(m).higher_is_better ? 1 : -1;
  for (std::size_t c = 0; c < matrix.cells.size(); ++c)
    for (std::size_t i = 0; i < matrix.pictures.size(); ++i)
      matrix.scores(static_cast<Index>(i), static_cast<Index>(c)) =
          sign * analysis.cells[matrix.cells[c]].metrics[m].of_picture[matrix.pictures[i]];
  return matrix;
}

std::vector<std::uint32_t> Verdict::leaders() const {
  std::vector<std::uint32_t> cells = perfect;
  for (std::size_t i = 0; perfect.empty() && i < contenders.size(); ++i)
    if (leads(i)) cells.push_back(contenders[i].cell);
  return cells;
}

std::vector<std::size_t> Verdict::open() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < contenders.size(); ++i)
    if (leads(i) && !contenders[i].rival.equal && !contenders[i].same) found.push_back(i);
  return found;
}

bool Verdict::tells_anything() const {
  return !perfect.empty() ||
         std::ranges::any_of(contenders, [](const Contender& c) { return c.rival.worse; });
}

bool Verdict::is_settled() const {
  return !perfect.empty() || (tells_anything() && open().empty());
}

Verdict judge_metric(const Analysis& analysis, std::size_t m, const std::vector<std::uint32_t>* pictures) {
  Verdict verdict;
  verdict.metric = m;
  for (std::uint32_t c = 0; c < analysis.cells.size(); ++c)
    if (const MetricFigures& figures = analysis.cells[c].metrics[m];
        figures.comparable && figures.scored == 0 && analysis.metric(m).higher_is_better)
      verdict.perfect.push_back(c);
  const ScoreMatrix matrix = comparable_scores(analysis, m, pictures);
  verdict.pictures = matrix.pictures.size();
  if (matrix.cells.size() < 2 || matrix.pictures.empty()) return verdict;
  const BestOf best_of =
      compare_with_best(matrix.scores, affordable_resamples(matrix.pictures.size(), matrix.cells.size()));
  verdict.distinct = best_of.distinct;
  verdict.comparisons = best_of.comparisons;
  std::vector<std::size_t> order(matrix.cells.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return best_of.cells[a].standing.mean > best_of.cells[b].standing.mean;
  });
  const double margin = margin_of(analysis, m);
  for (const std::size_t c : order) {
    const double p = equivalence_test(column_difference(matrix, best_of.best, c), margin);
    verdict.contenders.push_back({matrix.cells[c], best_of.cells[c], p <= kLevel});
  }
  verdict.flips = find_flips(matrix, margin);
  if (const std::vector<std::size_t> open = verdict.open(); !open.empty())
    verdict.needed = pictures_for(verdict, column_difference(matrix, best_of.best, order[open.front()]));
  return verdict;
}

}  // namespace upbench
