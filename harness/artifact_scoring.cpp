#include "harness/artifact_scoring.h"

#include <algorithm>
#include <cmath>
#include <exception>

#include <ATen/core/Tensor.h>

#include "harness/steady_clock.h"
#include "metrics/artifacts/as_metric.h"
#include "metrics/artifacts/catalog.h"

namespace upbench {
namespace {

// Brought to the CPU once.
class OnCpu {
 public:
  explicit OnCpu(const Subject& subject) : subject_(subject) {
    const Image** pictures[] = {&subject_.output, &subject_.reference, &subject_.input, &subject_.base,
                                &subject_.fidelity};
    for (std::size_t i = 0; i < std::size(pictures); ++i) {
      if (*pictures[i] == nullptr) continue;
      images_[i] = (*pictures[i])->detach().to(at::kCPU);
      *pictures[i] = &images_[i];
    }
  }
  OnCpu(const OnCpu&) = delete;
  OnCpu& operator=(const OnCpu&) = delete;
  const Subject& subject() const { return subject_; }

 private:
  Subject subject_;
  Image images_[5];
};

// In which way, that calibration does not cover, the detector finds what it finds; empty: in none.
std::string uncalibrated_way(const Detector& detector, const Witnesses& witnesses) {
  if (!witnesses.reference && !witnesses.input) return "only the output is known";
  if (detector.by_boundaries && !witnesses.boundaries) return "boundaries unknown";
  if (detector.by_fidelity && !witnesses.reference && witnesses.fidelity)
    return "judged by a fidelity result";
  return {};
}

void set_decision(DetectionRow& row, const ArtifactVerdict& verdict, const Calibration& calibration) {
  row.threshold = verdict.threshold;
  row.flagged = verdict.decision == Decision::flagged;
  row.gates = verdict.gates;
  row.calibration = calibration.version;
}

std::optional<DetectionRow> detection_row(const Detector& detector, const Detection& detection,
                                          const Calibration& calibration) {
  const ArtifactVerdict verdict = decide(detector, detection, calibration);
  if (verdict.decision == Decision::undecided) return std::nullopt;
  DetectionRow row{.detector = detector.name};
  set_decision(row, verdict, calibration);
  for (const ArtifactBox& box : detection.boxes)
    row.boxes.push_back({box.x, box.y, box.width, box.height, box.value});
  for (const ArtifactPart& part : detection.parts)
    if (std::isfinite(part.value)) row.parts.push_back({part.name, part.unit, part.value});
  return row;
}

}  // namespace

std::vector<ArtifactScore> score_artifacts(const Subject& subject, std::span<const Detector* const> which,
                                           const Calibrations& calibrations) {
  const auto start = SteadyClock::now();
  std::vector<ArtifactScore> scores(which.size());
  const Calibration& calibration = calibrations.of(evidence_of(subject));
  const Witnesses witnesses{.reference = subject.reference != nullptr,
                            .input = subject.input != nullptr,
                            .boundaries = subject.boundaries_known || !subject.boundaries.empty(),
                            .fidelity = subject.fidelity != nullptr};
  try {
    const OnCpu here(subject);
    std::vector<Detection> detections = detect(here.subject(), which);
    for (std::size_t i = 0; i < which.size(); ++i) {
      detections[i].uncalibrated = uncalibrated_way(*which[i], witnesses);
      scores[i].score = score_of(detections[i]);
      scores[i].detection = detection_row(*which[i], detections[i], calibration);
      scores[i].map = std::move(detections[i].map);
    }
  } catch (const std::exception& error) {
    for (ArtifactScore& score : scores) score.score = {.flag = ScoreFlag::failed, .reason = error.what()};
  }
  for (ArtifactScore& score : scores)
    score.seconds = seconds_since(start) / static_cast<double>(which.size());
  return scores;
}

void decide_again(DetectionRow& row, double value, const Detector& detector, const Calibration& calibration,
                  const Witnesses& witnesses) {
  const Detection detection{.value = value, .uncalibrated = uncalibrated_way(detector, witnesses)};
  const ArtifactVerdict verdict = decide(detector, detection, calibration);
  if (verdict.decision != Decision::undecided) set_decision(row, verdict, calibration);
}

Raster map_picture(const ArtifactMap& map, double& white) {
  const float largest = map.values.empty() ? 0 : *std::max_element(map.values.begin(), map.values.end());
  white = largest > 0 ? static_cast<double>(largest) : 1;
  Raster raster{.width = map.width, .height = map.height, .channels = 1};
  raster.samples.reserve(map.values.size());
  for (const float value : map.values)
    raster.samples.push_back(static_cast<std::uint8_t>(
        std::lround(255 * std::clamp(static_cast<double>(value) / white, 0.0, 1.0))));
  return raster;
}

}  // namespace upbench
