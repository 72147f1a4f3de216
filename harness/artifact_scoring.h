#pragma once

#include <optional>
#include <span>
#include <vector>

#include "datasets/codec/raster.h"
#include "harness/record.h"
#include "metrics/artifacts/calibration.h"
#include "metrics/artifacts/detector.h"
#include "metrics/metric.h"

namespace upbench {

// What a detector says of an output, as the record keeps it.
struct ArtifactScore {
  Score score;
  double seconds = 0;
  std::optional<DetectionRow> detection = {};  // without key and map file; empty: there is no decision
  ArtifactMap map = {};
};

// What detectors are told beside the output.
struct Witnesses {
  bool reference = false, input = false, boundaries = false, fidelity = false;
};

// One per detector, in order. Detectors share work: each gets an equal part of the time. A detector that
// throws fails all of them. Decided by the calibration for what is known of the output.
std::vector<ArtifactScore> score_artifacts(const Subject& subject, std::span<const Detector* const> which,
                                           const Calibrations& calibrations);

// The decision on a value that an earlier run found, by other thresholds; the rest of the row stays.
void decide_again(DetectionRow& row, double value, const Detector& detector, const Calibration& calibration,
                  const Witnesses& witnesses);

// A grey picture of the map; white is its largest value.
Raster map_picture(const ArtifactMap& map, double& white);

}  // namespace upbench
