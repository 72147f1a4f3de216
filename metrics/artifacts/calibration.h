#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "metrics/artifacts/detector.h"

// From a detector's value to a decision. Thresholds come from a versioned data file that `upbench calibrate`
// writes; metrics/artifacts/calibration.json is part of the program. Torch-free.
namespace upbench {

// k of n held-out pictures; n = 0: not measured.
struct CalibrationCount {
  std::uint64_t k = 0, n = 0;
};

struct Threshold {
  double value = 0;          // flagged: larger than this
  int detector_version = 1;  // whose values it was set on; with another the detector is experimental
  bool gates = false;        // calibrated; else experimental, which is shown and never counted
  CalibrationCount sensitivity, specificity;  // flagged of the defective, not flagged of the clean
};

struct Calibration {
  std::string version;                                       // of the data: "1", or what a user called theirs
  std::map<std::string, Threshold, std::less<>> thresholds;  // by detector; one that is absent never decides
  CalibrationCount union_sensitivity, union_specificity;     // of all detectors that gate together
  std::string text;                                          // as read, for the record
};

// What a picture is judged by. An input alone says less than a reference: thresholds of its own.
enum class Evidence { reference, input };  // input: no reference is known
Evidence evidence_of(const Subject& subject);
std::string_view to_string(Evidence evidence);

struct Calibrations {
  Calibration with_reference, with_input;
  const Calibration& of(Evidence evidence) const {
    return evidence == Evidence::reference ? with_reference : with_input;
  }
};

// {"version": "1", "detectors": {"seam": {"detector_version": 1, "threshold": 1.5, "status": "calibrated" |
// "experimental", "sensitivity": {"k": 1, "n": 2}, "specificity": {...}, ...}}, "union": {"sensitivity": ...,
// "specificity": ...}, ...}; counts may be left out, further keys are for people and reports. Throws
// std::invalid_argument naming `source` and what was expected.
Calibration parse_calibration(std::string_view text, std::string_view source);
// {"reference": {as above}, "input": {as above}}.
Calibrations parse_calibrations(std::string_view text, std::string_view source);
const Calibrations& embedded_calibrations();
std::string_view embedded_calibrations_text();  // the file

// undecided: the detector did not apply, or has no threshold.
enum class Decision { clean, flagged, undecided };

struct ArtifactVerdict {
  Decision decision = Decision::undecided;
  double threshold = 0;  // where decided
  bool gates = false;    // counts towards "any artifact": calibrated for what is known of the picture
};
ArtifactVerdict decide(const Detector& detector, const Detection& detection, const Calibration& calibration);

}  // namespace upbench
