#include "reports/gate/side.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/store.h"
#include "reports/load_run.h"

namespace upbench {
namespace {

std::string cell_title(const CellRow& cell) {
  std::string text;
  for (const auto& [path, value] : cell.label)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", path, value);
  return text.empty() ? "the only cell" : text;
}

GateSide::Trial trial_of(const TrialResult& result) {
  GateSide::Trial trial{.finished = result.finished, .status = result.status, .reason = result.reason};
  trial.peak_bytes = result.peak_bytes;
  for (const TrialResult::Value& score : result.scores) trial.scores.push_back({score.value, score.flag});
  for (const TimingRow& timing : result.timings)
    if (timing.clock == Clock::model && timing.stage == "trial")
      trial.model_seconds.push_back(timing.seconds);
  if (!result.pixels.is_zero()) trial.pixels = result.pixels.hex();
  trial.output = result.output.hex();
  return trial;
}

using Detections = std::map<GateSide::Key, std::vector<DetectionRow>>;

// Of an artifact it is compared whether it is there, not what its detector measured: a metric with decisions
// becomes a detector, and its scores are left out.
void make_detectors(const Detections& detections, GateSide& side) {
  std::map<std::string, GateSide::Detector> found;
  for (const auto& [key, rows] : detections)
    for (const DetectionRow& row : rows) {
      GateSide::Detector& detector = found[row.detector];
      detector.calibrated = detector.calibrated || row.gates;
      detector.calibration = row.calibration;
    }
  for (std::size_t m = side.metrics.size(); m-- > 0;) {
    const auto detector = found.find(side.metrics[m].name);
    if (detector == found.end()) continue;
    detector->second.name = detector->first;
    detector->second.version = side.metrics[m].version;
    const auto at = static_cast<std::ptrdiff_t>(m);
    side.metrics.erase(side.metrics.begin() + at);
    for (auto& [key, trial] : side.trials)
      if (m < trial.scores.size()) trial.scores.erase(trial.scores.begin() + at);
  }
  for (const auto& [name, detector] : found) {
    if (detector.name.empty()) continue;  // of no metric of this run
    side.detectors.push_back(detector);
    for (auto& [key, trial] : side.trials) {
      trial.decisions.emplace_back();
      const auto rows = detections.find(key);
      if (rows == detections.end()) continue;
      const auto row = std::ranges::find(rows->second, name, &DetectionRow::detector);
      if (row != rows->second.end()) trial.decisions.back() = row->flagged;
    }
  }
}

GateSide from_store(const std::filesystem::path& file, const std::string& run) {
  const Store store(file, Store::Access::read);
  const Digest key = find_run(store, run);
  RunPlan plan = store.plan(key);
  GateSide side;
  side.source = file.string();
  side.outputs = store.output_folder();
  side.run = plan.run.name;
  side.environment = nlohmann::json::parse(plan.environment.json);
  side.metrics = std::move(plan.metrics);
  for (const CellRow& cell : plan.cells)
    side.cells.push_back({cell_title(cell), nlohmann::json::parse(cell.settings)});
  for (const ImageRow& image : plan.images)
    side.pictures.push_back(
        {image.name, image.reference.is_zero() ? "" : image.reference.hex(), image.input.hex()});
  bool any = false;
  Detections detections;
  store.for_each_trial(key, [&](const TrialResult& result) {
    const GateSide::Key place{result.cell, result.image, result.seed};
    side.trials.emplace(place, trial_of(result));
    if (!result.detections.empty()) detections.emplace(place, result.detections);
    any = any || result.finished;
  });
  make_detectors(detections, side);
  if (!any)
    throw std::invalid_argument(fmt::format("{}: no trial of run {} is finished", side.source, side.run));
  return side;
}

}  // namespace

void leave_out_machine(GateSide& side) {
  side.environment = nlohmann::json::object();
  for (auto& [key, trial] : side.trials) {
    trial.model_seconds.clear();
    trial.peak_bytes = 0;
  }
}

GateSide load_side(const std::filesystem::path& file, const std::string& run) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::invalid_argument(fmt::format("{}: no such file", file.string()));
  char first = 0;
  stream.get(first);
  if (first != '{') return from_store(file, run);
  std::ostringstream text;
  text << first << stream.rdbuf();
  return parse_baseline(text.str(), file.string());
}

}  // namespace upbench
