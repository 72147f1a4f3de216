#include "metrics/artifacts/as_metric.h"

#include "metrics/artifacts/catalog.h"

namespace upbench {

Score score_of(const Detection& detection) {
  if (detection.missing.empty()) return {.value = detection.value};
  return {.flag = ScoreFlag::skipped, .reason = detection.missing};
}

Metric metric_of(const Detector& detector) {
  return {.name = detector.name,
          .unit = detector.unit,
          .convention = detector.convention,
          .better = Better::lower,
          .version = detector.version,
          .decimals = detector.decimals,
          .make = [&detector](std::string&) -> ScoreFunction {
            return [&detector](const Image& output, const Image& reference) {
              return score_of(detect({.output = &output, .reference = &reference}, detector));
            };
          },
          .detector = &detector};
}

}  // namespace upbench
