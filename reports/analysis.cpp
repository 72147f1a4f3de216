#include "reports/analysis.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Trial indices grouped by (cell, picture).
struct Groups {
  explicit Groups(const RunData& data)
      : pictures(data.plan.images.size()),
        first(data.plan.cells.size() * pictures + 1),
        trials(data.trials.size()) {
    const auto slot = [&](const RunData::Trial& trial) {
      return std::size_t{trial.cell} * pictures + trial.image;
    };
    for (const auto& trial : data.trials) ++first[slot(trial) + 1];
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<std::size_t> next = first;
    for (std::size_t t = 0; t < trials.size(); ++t) trials[next[slot(data.trials[t])]++] = t;
  }
  std::span<const std::size_t> of(std::size_t cell, std::size_t picture) const {
    const std::size_t slot = cell * pictures + picture;
    return std::span(trials).subspan(first[slot], first[slot + 1] - first[slot]);
  }
  std::size_t pictures;
  std::vector<std::size_t> first, trials;
};

double picture_score(const RunData& data, std::span<const std::size_t> trials, std::size_t metric) {
  double sum = 0;
  for (const std::size_t t : trials) {
    const RunData::Score& score = data.score(t, metric);
    if (!data.trials[t].finished) return kNone;
    if (score.flag == ValueFlag::inf)
      sum = std::numeric_limits<double>::infinity();
    else if (score.flag == ValueFlag::ok)
      sum += score.value;
    else
      return kNone;
  }
  return trials.empty() ? kNone : sum / static_cast<double>(trials.size());
}

MetricFigures metric_figures(const RunData& data, const Groups& groups, std::size_t cell,
                             std::size_t metric) {
  MetricFigures figures;
  std::vector<double> finite;
  for (std::size_t picture = 0; picture < groups.pictures; ++picture) {
    const double score = picture_score(data, groups.of(cell, picture), metric);
    figures.of_picture.push_back(score);
    if (std::isfinite(score))
      finite.push_back(score);
    else if (std::isinf(score))
      ++figures.infinite;
  }
  figures.scored = finite.size();
  figures.mean =
      finite.empty() && figures.infinite > 0 ? std::numeric_limits<double>::infinity() : mean(finite);
  figures.spread = standard_deviation(finite);
  return figures;
}

// An alias has no timings of its own: those of the trial that it repeats count.
const RunData::Trial& timed(const RunData& data, std::size_t trial) {
  const RunData::Trial& own = data.trials[trial];
  const bool borrow =
      own.same_as < data.trials.size() && std::isnan(own.model_seconds) && std::isnan(own.sweep_seconds);
  return borrow ? data.trials[own.same_as] : own;
}

void count_trial(CellFigures& figures, const RunData::Trial& trial) {
  if (trial.same_as != kNoTrial) ++figures.repeats;
  if (!trial.finished)
    ++figures.pending;
  else if (trial.status == Status::ok)
    ++figures.ok;
  else if (trial.status == Status::failed)
    ++figures.failed;
  else
    ++figures.skipped;
}

CellFigures cell_figures(const RunData& data, const Groups& groups, std::size_t cell) {
  CellFigures figures;
  std::vector<double> model, sweep;
  for (std::size_t picture = 0; picture < groups.pictures; ++picture) {
    std::vector<double> model_of_seed, sweep_of_seed;
    for (const std::size_t t : groups.of(cell, picture)) {
      count_trial(figures, data.trials[t]);
      const RunData::Trial& trial = timed(data, t);
      if (!std::isnan(trial.model_seconds)) model_of_seed.push_back(trial.model_seconds);
      if (!std::isnan(trial.sweep_seconds)) sweep_of_seed.push_back(trial.sweep_seconds);
      figures.peak_bytes = std::max(figures.peak_bytes, trial.peak_bytes);
    }
    if (!model_of_seed.empty()) model.push_back(median(model_of_seed));
    if (!sweep_of_seed.empty()) sweep.push_back(median(sweep_of_seed));
  }
  figures.model_seconds = median(model);
  figures.sweep_seconds = median(sweep);
  figures.model_timed = model.size();
  for (std::size_t m = 0; m < data.plan.metrics.size(); ++m)
    figures.metrics.push_back(metric_figures(data, groups, cell, m));
  return figures;
}

void mark_comparable(Analysis& analysis, std::size_t m) {
  std::size_t wanted = 0;  // pictures that any cell scored
  for (std::size_t picture = 0; picture < analysis.data->plan.images.size(); ++picture)
    wanted += std::any_of(analysis.cells.begin(), analysis.cells.end(), [&](const CellFigures& cell) {
      return !std::isnan(cell.metrics[m].of_picture[picture]);
    });
  for (CellFigures& cell : analysis.cells) {
    MetricFigures& figures = cell.metrics[m];
    figures.comparable = wanted > 0 && (figures.scored == wanted || figures.infinite == wanted);
  }
}

// 0: comparable, 1: has a mean, 2: has none.
int rank_class(const CellFigures& cell) {
  if (cell.metrics.empty() || std::isnan(cell.metrics[0].mean)) return 2;
  return cell.metrics[0].comparable ? 0 : 1;
}

std::vector<std::uint32_t> find_same_pixels(const RunData& data) {
  std::vector<std::uint32_t> same(data.trials.size(), kNoTrial), order;
  for (std::uint32_t t = 0; t < data.trials.size(); ++t)
    if (!data.trials[t].pixels.is_zero() && data.trials[t].same_as == kNoTrial) order.push_back(t);
  const auto what = [&](std::uint32_t t) { return std::pair(data.trials[t].image, data.trials[t].pixels); };
  std::ranges::stable_sort(order, {}, what);
  std::uint32_t first = kNoTrial;  // of those with one picture and output
  for (const std::uint32_t t : order) {
    if (first == kNoTrial || what(first) != what(t)) first = t;
    if (data.trials[first].cell != data.trials[t].cell) same[t] = first;
  }
  return same;
}

}  // namespace

Analysis analyse(const RunData& data) {
  Analysis analysis{.data = &data,
                    .axes = find_axes(data.plan.cells),
                    .naming = {},
                    .cells = {},
                    .ranking = {},
                    .same_pixels = find_same_pixels(data)};
  analysis.naming = naming_axes(analysis.axes);
  const Groups groups(data);
  for (std::uint32_t cell = 0; cell < data.plan.cells.size(); ++cell) {
    analysis.cells.push_back(cell_figures(data, groups, cell));
    analysis.cells.back().name = cell_name(analysis.axes, cell);
  }
  for (std::size_t m = 0; m < data.plan.metrics.size(); ++m) mark_comparable(analysis, m);
  analysis.ranking.resize(analysis.cells.size());
  std::iota(analysis.ranking.begin(), analysis.ranking.end(), 0U);
  std::stable_sort(analysis.ranking.begin(), analysis.ranking.end(), [&](std::uint32_t a, std::uint32_t b) {
    const CellFigures &left = analysis.cells[a], &right = analysis.cells[b];
    const int left_class = rank_class(left), right_class = rank_class(right);
    if (left_class != right_class || left_class == 2) return left_class < right_class;
    return analysis.better(0, left.metrics[0].mean, right.metrics[0].mean);
  });
  return analysis;
}

std::vector<std::size_t> Analysis::quality_metrics() const {
  std::vector<std::size_t> all(data->plan.metrics.size()), quality;
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::ranges::copy_if(all, std::back_inserter(quality), [&](std::size_t m) { return !detects(m); });
  return quality.empty() ? all : quality;
}

CellTimes::CellTimes(const Analysis& analysis)
    : analysis_(analysis), is_model_(std::ranges::any_of(analysis.cells, [](const CellFigures& cell) {
        return cell.model_seconds > 0;
      })) {}

double CellTimes::operator()(std::uint32_t cell) const {
  return is_model_ ? analysis_.cells[cell].model_seconds : analysis_.cells[cell].sweep_seconds;
}

std::vector<double> paired_differences(const MetricFigures& a, const MetricFigures& b) {
  std::vector<double> differences;
  for (std::size_t picture = 0; picture < a.of_picture.size(); ++picture)
    if (std::isfinite(a.of_picture[picture]) && std::isfinite(b.of_picture[picture]))
      differences.push_back(b.of_picture[picture] - a.of_picture[picture]);
  return differences;
}

}  // namespace upbench
