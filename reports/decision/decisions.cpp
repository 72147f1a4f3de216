#include "reports/decision/decisions.h"

#include <algorithm>
#include <cmath>

namespace upbench {
namespace {

using Eigen::Index;

// Times are medians over the pictures that were timed, so only the pictures' scores are resampled.
Front find_front(const Analysis& analysis, std::size_t m) {
  const CellTimes seconds(analysis);
  ScoreMatrix matrix = comparable_scores(analysis, m);
  std::vector<std::uint32_t> kept;
  for (std::size_t c = 0; c < matrix.cells.size(); ++c)
    if (seconds(matrix.cells[c]) > 0) {
      matrix.scores.col(static_cast<Index>(kept.size())) = matrix.scores.col(static_cast<Index>(c)).eval();
      kept.push_back(matrix.cells[c]);
    }
  Front front;
  if (kept.size() < 2 || matrix.pictures.empty()) return front;
  matrix.scores.conservativeResize(Eigen::NoChange, static_cast<Index>(kept.size()));
  Eigen::MatrixXd cost(matrix.scores.rows(), matrix.scores.cols());
  for (std::size_t c = 0; c < kept.size(); ++c) cost.col(static_cast<Index>(c)).setConstant(seconds(kept[c]));
  const std::vector<Efficiency> efficiency =
      pareto_front(matrix.scores, cost, affordable_resamples(matrix.pictures.size(), kept.size()));
  for (std::size_t c = 0; c < kept.size(); ++c)
    front.points.push_back(
        {kept[c], analysis.cells[kept[c]].metrics[m].mean, seconds(kept[c]), efficiency[c]});
  std::ranges::stable_sort(front.points, {}, &Front::Point::seconds);
  return front;
}

std::vector<VarianceShare> find_shares(const Analysis& analysis, std::size_t m) {
  std::vector<std::vector<std::size_t>> levels;
  std::vector<double> means;
  for (std::uint32_t c = 0; c < analysis.cells.size(); ++c) {
    const MetricFigures& figures = analysis.cells[c].metrics[m];
    if (!figures.comparable || !std::isfinite(figures.mean)) continue;
    means.push_back(figures.mean);
    levels.emplace_back();
    for (const std::size_t axis : analysis.naming) levels.back().push_back(analysis.axes[axis].of_cell[c]);
  }
  if (means.size() < 3 || means.size() > kMostCellsForShares || analysis.naming.size() < 2) return {};
  return variance_shares(levels, means);
}

std::vector<Agreement> find_agreements(const Analysis& analysis) {
  std::vector<Agreement> agreements;
  const std::size_t metrics = analysis.data->plan.metrics.size();
  for (std::size_t first = 0; first < metrics; ++first)
    for (std::size_t second = first + 1; second < metrics; ++second) {
      std::vector<double> by_first, by_second;
      for (const CellFigures& cell : analysis.cells) {
        const MetricFigures &a = cell.metrics[first], &b = cell.metrics[second];
        if (!a.comparable || !b.comparable || !std::isfinite(a.mean) || !std::isfinite(b.mean)) continue;
        by_first.push_back(analysis.metric(first).higher_is_better ? a.mean : -a.mean);
        by_second.push_back(analysis.metric(second).higher_is_better ? b.mean : -b.mean);
      }
      const double tau = kendall_tau(by_first, by_second);
      if (!std::isnan(tau)) agreements.push_back({first, second, by_first.size(), tau});
    }
  return agreements;
}

}  // namespace

Decisions decide(const Analysis& analysis) {
  Decisions decisions;
  decisions.classes = find_classes(*analysis.data);
  const std::size_t metrics = analysis.data->plan.metrics.size();
  for (std::size_t m = 0; m < metrics; ++m) {
    decisions.verdicts.push_back(judge_metric(analysis, m));
    decisions.fronts.push_back(find_front(analysis, m));
    decisions.shares.push_back(find_shares(analysis, m));
  }
  if (decisions.classes.names.size() > 1)
    for (const std::vector<std::uint32_t>& pictures : decisions.classes.pictures) {
      decisions.by_class.emplace_back();
      for (std::size_t m = 0; m < metrics; ++m)
        decisions.by_class.back().push_back(judge_metric(analysis, m, &pictures));
    }
  decisions.sweet_spots = find_sweet_spots(analysis, decisions.classes);
  decisions.agreements = find_agreements(analysis);
  return decisions;
}

}  // namespace upbench
