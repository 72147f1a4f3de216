#include "reports/run_data.h"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

constexpr const char* kWholeTrial = "trial";  // TimingRow::stage
constexpr std::size_t kMostPlaces = 3;        // of a detector in one picture

}  // namespace

double trial_seconds(const std::vector<TimingRow>& timings, Clock clock) {
  std::vector<double> whole;
  for (const TimingRow& timing : timings)
    if (timing.clock == clock && timing.stage == kWholeTrial) whole.push_back(timing.seconds);
  if (!whole.empty()) return median(whole);
  std::map<std::string, std::vector<double>> samples;
  for (const TimingRow& timing : timings)
    if (timing.clock == clock) samples[timing.stage].push_back(timing.seconds);
  if (samples.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const auto& [stage, seconds] : samples) sum += median(seconds);
  return sum;
}

void RunData::add(const TrialResult& result) {
  resize_trials(trials.size() + 1);
  try {
    set(static_cast<std::uint32_t>(trials.size() - 1), result);
  } catch (const std::invalid_argument&) {
    resize_trials(trials.size() - 1);
    throw;
  }
}

void RunData::resize_trials(std::size_t count) {
  trials.resize(count);
  scores.resize(count * plan.metrics.size());
}

void RunData::set(std::uint32_t trial, const TrialResult& result) {
  if (trial >= trials.size() || result.cell >= plan.cells.size() || result.image >= plan.images.size() ||
      (!result.scores.empty() && result.scores.size() != plan.metrics.size()))
    throw std::invalid_argument(fmt::format(
        "report: trial {} has cell {}, image {} and {} scores; the run has {} cells, {} images, {} metrics",
        trial, result.cell, result.image, result.scores.size(), plan.cells.size(), plan.images.size(),
        plan.metrics.size()));
  trials[trial] = {.cell = result.cell,
                   .image = result.image,
                   .seed = result.seed,
                   .same_as = result.same_as,
                   .finished = result.finished,
                   .status = result.status,
                   .reason = intern(result.reason),
                   .flags = intern(fmt::format("{}", fmt::join(result.flags, "; "))),
                   .width = result.width,
                   .height = result.height,
                   .model_seconds = trial_seconds(result.timings, Clock::model),
                   .sweep_seconds = trial_seconds(result.timings, Clock::sweep),
                   .model_time = result.model_time.empty() ? 0 : keep(parse_model_time(result.model_time)),
                   .peak_bytes = result.peak_bytes,
                   .pixels = result.pixels};
  for (std::size_t m = 0; m < result.scores.size(); ++m)
    scores[trial * plan.metrics.size() + m] = {result.scores[m].value, result.scores[m].flag,
                                               intern(result.scores[m].reason)};
  set_detections(trial, result);
  add_work(trial, result);
}

// An alias has the times of the trial that it repeats: they were spent once.
void RunData::add_work(std::uint32_t trial, const TrialResult& result) {
  if (result.same_as != kNoTrial) return;
  for (const TimingRow& timing : result.timings) {
    if (timing.clock == Clock::sweep && timing.stage != kWholeTrial)
      stage_work[{result.cell, timing.stage}].add({timing.seconds, 1});
    if (timing.clock == Clock::model && timing.stage == kWholeTrial) laps[trial].push_back(timing.seconds);
  }
  for (std::size_t m = 0; m < result.scores.size(); ++m)
    if (result.scores[m].seconds > 0) metric_work[plan.metrics[m].name].add({result.scores[m].seconds, 1});
}

void RunData::set_detections(std::uint32_t trial, const TrialResult& result) {
  for (const DetectionRow& row : result.detections) {
    const auto metric = std::ranges::find(plan.metrics, row.detector, &MetricRow::name);
    if (metric == plan.metrics.end()) continue;
    const auto m = static_cast<std::uint32_t>(metric - plan.metrics.begin());
    set_decision(trial, m, row.flagged ? Decision::flagged : Decision::clean);
    if (row.gates) gating.insert(row.detector);
    const std::size_t shown = row.flagged ? std::min(row.boxes.size(), kMostPlaces) : 0;
    for (std::size_t i = 0; i < shown; ++i) places[trial].push_back({m, row.boxes[i]});
    if (row.flagged && !row.map_file.empty())
      maps[trial].push_back({m, row.map_file, row.map_white, row.threshold});
    const auto [version, added] = calibrated_by.try_emplace(row.detector, row.calibration);
    if (added || version->second == row.calibration) continue;
    std::string warning =
        fmt::format("{}: decided with more than one calibration; its rates mix them.", row.detector);
    if (std::ranges::find(warnings, warning) == warnings.end()) warnings.push_back(std::move(warning));
  }
}

RunData::Decision RunData::decision(std::size_t trial, std::size_t metric) const {
  const std::size_t index = trial * plan.metrics.size() + metric;
  return index < decisions.size() ? decisions[index] : Decision::none;
}

void RunData::set_decision(std::size_t trial, std::size_t metric, Decision decision) {
  const std::size_t index = trial * plan.metrics.size() + metric;
  if (index >= decisions.size()) decisions.resize(index + 1, Decision::none);
  decisions[index] = decision;
}

const RunData::Score& RunData::score(std::size_t trial, std::size_t metric) const {
  return scores[trial * plan.metrics.size() + metric];
}

std::uint32_t RunData::keep(ModelTime time) {
  model_times.push_back(std::move(time));
  return static_cast<std::uint32_t>(model_times.size() - 1);
}

std::uint32_t RunData::intern(const std::string& text) {
  if (text.empty()) return 0;
  const auto [entry, added] = known_.try_emplace(text, static_cast<std::uint32_t>(texts.size()));
  if (added) texts.push_back(text);
  return entry->second;
}

}  // namespace upbench
