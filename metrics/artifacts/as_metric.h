#pragma once

#include "metrics/artifacts/detector.h"
#include "metrics/metric.h"

namespace upbench {

// The detector as an entry of the metric catalog. By itself it scores an output against a reference and knows
// nothing else; skipped where that is not enough. The harness asks the detector, with all that it knows.
Metric metric_of(const Detector& detector);

Score score_of(const Detection& detection);

}  // namespace upbench
