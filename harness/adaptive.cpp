#include "harness/adaptive.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/spec/read.h"
#include "harness/steady_clock.h"

namespace upbench {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string label_without(CellLabel label, const std::string& axis) {
  std::erase_if(label, [&](const auto& entry) { return entry.first == axis; });
  return label_text(label);
}

// Cells that differ in the refined axis alone make a group; without one, each cell races for itself.
std::vector<RaceCell> race_cells(const std::vector<CellRow>& cells, const std::string& refine) {
  std::vector<RaceCell> racing(cells.size());
  if (refine.empty()) return racing;
  std::map<std::string, int> groups;
  std::size_t numbers = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    racing[i].group =
        groups.try_emplace(label_without(cells[i].label, refine), static_cast<int>(groups.size()))
            .first->second;
    for (const auto& [path, value] : cells[i].label)
      if (path == refine) racing[i].setting = plain_number(value).value_or(kNaN);
    numbers += !std::isnan(racing[i].setting);
  }
  if (numbers == 0)
    throw std::invalid_argument(fmt::format("--refine {}: expected an axis with numbers", refine));
  return racing;
}

class AdaptiveSweep {
 public:
  AdaptiveSweep(const Sweep& sweep, Store& store, const WorkerOptions& worker, const AdaptiveOptions& options)
      : plan_(sweep.plan.rows), sweep_(sweep), store_(store), worker_(worker), options_(options) {
    const auto metric = std::ranges::find(plan_.metrics, options.metric, &MetricRow::name);
    if (metric == plan_.metrics.end())
      throw std::invalid_argument(fmt::format("--by {}: not a metric of the spec", options.metric));
    metric_ = static_cast<std::size_t>(metric - plan_.metrics.begin());
    for (std::size_t i = 0; i < plan_.images.size(); ++i)
      if (plan_.images[i].problem.empty() && !plan_.images[i].reference.is_zero()) pictures_.push_back(i);
    if (pictures_.empty())
      throw std::invalid_argument("--adaptive: no picture has a reference to score against");
    trials_.assign(plan_.cells.size(), std::vector<std::vector<std::uint32_t>>(plan_.images.size()));
    for (std::uint32_t i = 0; i < plan_.trials.size(); ++i)
      trials_[plan_.trials[i].cell][plan_.trials[i].image].push_back(i);
  }

  AdaptiveResult run();

 private:
  bool round(Race& race);
  void add(const WorkerResult& work);
  void read_scores(Race& race) const;
  void skip_the_rest(const Race& race);

  const RunPlan& plan_;
  const Sweep& sweep_;
  Store& store_;
  WorkerOptions worker_;
  const AdaptiveOptions& options_;
  std::size_t metric_ = 0;
  std::vector<std::size_t> pictures_;                            // images that take part
  std::vector<std::vector<std::vector<std::uint32_t>>> trials_;  // by cell and image, one a seed
  AdaptiveResult result_;
};

// Each look works on the queue from scratch; its counts are added up.
void AdaptiveSweep::add(const WorkerResult& work) {
  WorkerResult& sum = result_.work;
  sum.progress = work.progress;
  sum.executed += work.executed;
  sum.reused += work.reused;
  sum.stages += work.stages;
  sum.model_loads += work.model_loads;
  sum.interrupted = work.interrupted;
  sum.abandoned = work.abandoned;
}

// Scores what the race wants next; false when that was interrupted.
bool AdaptiveSweep::round(Race& race) {
  std::vector<bool> wanted(plan_.trials.size(), false);
  for (const auto& [cell, picture] : race.wanted())
    for (const std::uint32_t trial : trials_[cell][pictures_[picture]]) {
      const std::uint32_t original = plan_.trials[trial].same_as;
      wanted[original == kNoTrial ? trial : original] = true;
    }
  WorkerOptions worker = worker_;
  worker.only = &wanted;
  const std::uint64_t before = result_.work.executed;
  if (worker_.on_progress)
    worker.on_progress = [&](const Progress& progress, std::uint64_t executed) {
      worker_.on_progress(progress, before + executed);
    };
  add(run_sweep(sweep_, store_, worker));
  return !result_.work.interrupted;
}

// The mean over seeds of each cell on each picture that the race has asked for.
void AdaptiveSweep::read_scores(Race& race) const {
  std::vector<std::size_t> place(plan_.images.size(), 0);
  for (std::size_t i = 0; i < pictures_.size(); ++i) place[pictures_[i]] = i;
  std::map<std::pair<std::size_t, std::size_t>, std::pair<double, int>> sums;
  store_.for_each_trial(plan_.run.key, [&](const TrialResult& trial) {
    if (!trial.finished || trial.status != Status::ok || trial.scores[metric_].flag != ValueFlag::ok) return;
    auto& [sum, count] = sums[{trial.cell, trial.image}];
    sum += trial.scores[metric_].value;
    ++count;
  });
  const double sign = plan_.metrics[metric_].higher_is_better ? 1 : -1;
  for (const auto& [where, scored] : sums)
    race.score(where.first, place[where.second], sign * scored.first / scored.second);
}

void AdaptiveSweep::skip_the_rest(const Race& race) {
  result_.standings = race.standings();
  result_.winner = race.leader();
  result_.pictures = race.looked_at();
  std::vector<std::pair<std::uint32_t, std::string>> skipped;
  for (std::size_t cell = 0; cell < plan_.cells.size(); ++cell) {
    const std::string reason = "not run: " + describe_standing(sweep_, options_, result_, cell);
    for (const auto& of_image : trials_[cell])
      for (const std::uint32_t trial : of_image)
        if (plan_.trials[trial].same_as == kNoTrial) skipped.emplace_back(trial, reason);
  }
  store_.skip(plan_.run.key, skipped);
  store_.finish_run(plan_.run.key);
  const std::uint64_t before = result_.work.progress.skipped;
  result_.work.progress = store_.progress(plan_.run.key);
  result_.trials = result_.work.progress.total - (result_.work.progress.skipped - before);
}

AdaptiveResult AdaptiveSweep::run() {
  const auto start = SteadyClock::now();
  Race race(race_cells(plan_.cells, options_.refine), pictures_.size(),
            {.margin = options_.margin, .seed = options_.seed, .resolution = options_.resolution});
  store_.begin_run(plan_);
  bool goes_on = true;
  while (goes_on && !race.wanted().empty()) {
    result_.out_of_time = options_.budget_s > 0 && seconds_since(start) > options_.budget_s;
    if (result_.out_of_time) break;
    goes_on = round(race);
    if (!goes_on) break;
    read_scores(race);
    race.look();
  }
  if (goes_on) skip_the_rest(race);
  result_.work.seconds = seconds_since(start);
  return std::move(result_);
}

}  // namespace

AdaptiveResult run_adaptive(const Sweep& sweep, Store& store, const WorkerOptions& worker,
                            const AdaptiveOptions& options) {
  return AdaptiveSweep(sweep, store, worker, options).run();
}

std::string describe_standing(const Sweep& sweep, const AdaptiveOptions& options,
                              const AdaptiveResult& result, std::size_t cell) {
  const RunPlan& plan = sweep.plan.rows;
  const MetricRow& metric = *std::ranges::find(plan.metrics, options.metric, &MetricRow::name);
  const RaceStanding& standing = result.standings.at(cell);
  switch (standing.state) {
    case RaceStanding::State::waiting:
      return fmt::format("no {} beside this one was among the best", options.refine);
    case RaceStanding::State::failed:
      return fmt::format("its first {} pictures could not be scored", standing.pictures);
    case RaceStanding::State::left:
      return fmt::format("shown to gain less than {:g}{}{} {} on {}: {:+.{}f} over {} pictures (p = {:.1g})",
                         options.margin, metric.unit.empty() ? "" : " ", metric.unit, metric.name,
                         label_text(plan.cells[standing.against].label), standing.difference, metric.decimals,
                         standing.pictures, standing.p);
    case RaceStanding::State::racing:
      break;
  }
  return result.out_of_time ? fmt::format("the time of {:g} s was over after {} pictures", options.budget_s,
                                          standing.pictures)
                            : fmt::format("decided after {} pictures", standing.pictures);
}

}  // namespace upbench
