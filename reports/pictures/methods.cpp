#include "reports/pictures/methods.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace upbench {
namespace {

using TrialOf = std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>;  // by cell and image

// Of so many cells: looking for files takes time.
constexpr std::size_t kMostCandidates = 4 * kMostMethods;

TrialOf find_trials(const RunData& data, const PictureFiles& files, const std::vector<std::uint32_t>& cells) {
  TrialOf trials;
  if (!files.any_folder()) return trials;
  std::vector<bool> wanted(data.plan.cells.size(), false);
  for (const std::uint32_t cell : cells) wanted[cell] = true;
  for (std::uint32_t t = 0; t < data.trials.size(); ++t) {
    const RunData::Trial& trial = data.trials[t];
    if (!wanted[trial.cell] || trial.status != Status::ok || trial.pixels.is_zero()) continue;
    if (trials.contains({trial.cell, trial.image}) || !files.has_output(trial)) continue;
    trials.emplace(std::pair(trial.cell, trial.image), t);
  }
  return trials;
}

// What the reader will ask for first: each once, at most kMostCandidates.
std::vector<std::uint32_t> by_interest(const Analysis& analysis, const Decisions& decisions) {
  std::vector<std::uint32_t> order;
  if (!analysis.naming.empty()) {
    const ReportAxis& axis = analysis.axes[analysis.naming.front()];
    std::set<std::uint32_t> seen;
    for (const std::uint32_t cell : analysis.ranking)
      if (seen.insert(axis.of_cell[cell]).second) order.push_back(cell);
  }
  for (const Front& front : decisions.fronts)
    for (const Front::Point& point : front.points)
      if (point.efficiency.on_front) order.push_back(point.cell);
  order.insert(order.end(), analysis.ranking.begin(), analysis.ranking.end());
  std::vector<std::uint32_t> once;
  std::set<std::uint32_t> seen;
  for (const std::uint32_t cell : order)
    if (once.size() < kMostCandidates && seen.insert(cell).second) once.push_back(cell);
  return once;
}

double distance(const Analysis& analysis, std::size_t metric, double best, double score) {
  return analysis.metric(metric).higher_is_better ? best - score : score - best;
}

}  // namespace

ShownMethods::ShownMethods(const Analysis& analysis, const Decisions& decisions, const PictureFiles& files)
    : images_(analysis.data->plan.images.size()) {
  const RunData& data = *analysis.data;
  const std::vector<std::uint32_t> order = by_interest(analysis, decisions);
  const TrialOf trials = find_trials(data, files, order);
  std::set<std::uint32_t> with_pictures, taken;
  for (const auto& [place, trial] : trials) with_pictures.insert(place.first);
  std::set<std::vector<Digest>> seen;
  const auto pixels = [&](std::uint32_t cell) {
    std::vector<Digest> all(images_);
    for (auto at = trials.lower_bound({cell, 0}); at != trials.end() && at->first.first == cell; ++at)
      all[at->first.second] = data.trials[at->second].pixels;
    return all;
  };
  for (const bool repeats : {false, true})
    for (const std::uint32_t cell : order) {
      if (cells_.size() == kMostMethods) break;
      if (!with_pictures.contains(cell) || taken.contains(cell)) continue;
      if (!seen.insert(pixels(cell)).second && !repeats) continue;
      taken.insert(cell);
      cells_.push_back(cell);
    }
  left_out_ = cells_.empty() ? 0 : data.plan.cells.size() - cells_.size();
  trials_.assign(cells_.size() * images_, kNoTrial);
  for (std::size_t method = 0; method < cells_.size(); ++method)
    for (auto at = trials.lower_bound({cells_[method], 0});
         at != trials.end() && at->first.first == cells_[method]; ++at)
      trials_[method * images_ + at->first.second] = at->second;
}

std::uint32_t ShownMethods::trial(std::size_t method, std::uint32_t image) const {
  return trials_[method * images_ + image];
}

std::vector<std::uint32_t> ShownMethods::images() const {
  std::vector<std::uint32_t> images;
  for (std::uint32_t image = 0; image < images_; ++image)
    for (std::size_t method = 0; method < cells_.size(); ++method)
      if (trial(method, image) != kNoTrial) {
        images.push_back(image);
        break;
      }
  return images;
}

std::vector<WorstCase> worst_cases(const Analysis& analysis, const ShownMethods& methods) {
  const std::vector<std::uint32_t> images = methods.images();
  std::vector<WorstCase> cases;
  for (std::size_t m = 0; m < analysis.data->plan.metrics.size(); ++m) {
    std::vector<WorstCase> worst(methods.cells().size());
    std::vector<bool> found(worst.size(), false);
    const bool detects = analysis.detects(m);
    const auto is_worse = [&](const WorstCase& a, const WorstCase& b) {
      if (!detects && a.behind != b.behind) return a.behind > b.behind;
      return analysis.better(m, b.score, a.score);
    };
    const auto score = [&](std::size_t method, std::uint32_t image) {
      return methods.trial(method, image) == kNoTrial
                 ? std::nan("")
                 : analysis.cells[methods.cells()[method]].metrics[m].of_picture[image];
    };
    for (const std::uint32_t image : images) {
      std::size_t best = 0;
      for (std::size_t k = 1; k < worst.size(); ++k)
        if (std::isnan(score(best, image)) || analysis.better(m, score(k, image), score(best, image)))
          best = k;
      for (std::size_t k = 0; k < worst.size(); ++k) {
        const double value = score(k, image), behind = distance(analysis, m, score(best, image), value);
        if (!std::isfinite(value) || !std::isfinite(behind)) continue;
        const WorstCase here{
            .metric = m, .method = k, .rival = best, .image = image, .score = value, .behind = behind};
        if (found[k] && !is_worse(here, worst[k])) continue;
        found[k] = true;
        worst[k] = here;
      }
    }
    std::vector<WorstCase> of_metric;
    for (std::size_t k = 0; k < worst.size(); ++k)
      if (found[k]) of_metric.push_back(worst[k]);
    std::ranges::stable_sort(of_metric, is_worse);
    for (std::size_t i = 0; i < of_metric.size(); ++i) of_metric[i].rank = i;
    cases.insert(cases.end(), of_metric.begin(), of_metric.end());
  }
  return cases;
}

}  // namespace upbench
