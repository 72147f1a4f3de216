#include "metrics/artifacts/catalog.h"

#include <algorithm>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/prepared.h"

namespace upbench {

const std::vector<Detector>& detectors() {
  static const std::vector<Detector> all = {
      seam_detector(),    halo_detector(),         ringing_detector(),      hallucination_detector(),
      drift_detector(),   colour_shift_detector(), texture_loss_detector(), noise_residue_detector(),
      banding_detector(), blocking_detector(),     broken_detector(),       text_damage_detector()};
  return all;
}

const Detector* find_detector(std::string_view name) {
  const auto found = std::ranges::find(detectors(), name, &Detector::name);
  return found == detectors().end() ? nullptr : &*found;
}

std::vector<Detection> detect(const Subject& subject, std::span<const Detector* const> which) {
  const Prepared prepared(subject);
  std::vector<Detection> detections;
  for (const Detector* detector : which) detections.push_back(detector->detect(prepared));
  return detections;
}

Detection detect(const Subject& subject, const Detector& detector) {
  return detector.detect(Prepared(subject));
}

}  // namespace upbench
