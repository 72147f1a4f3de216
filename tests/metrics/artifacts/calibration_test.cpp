#include "metrics/artifacts/calibration.h"

#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/artifacts/catalog.h"

namespace upbench {
namespace {

using testing::HasSubstr;

constexpr std::string_view kFile = R"({
  "version": "7",
  "detectors": {
    "colour-shift": {"detector_version": 1, "threshold": 4.5, "status": "calibrated",
                     "sensitivity": {"k": 95, "n": 100}, "specificity": {"k": 299, "n": 300}},
    "seam": {"detector_version": 1, "threshold": 2, "status": "experimental"}
  },
  "union": {"specificity": {"k": 298, "n": 300}}
})";

std::string refusal(std::string_view text) {
  try {
    parse_calibration(text, "thresholds.json");
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Calibration, IsReadWithItsCounts) {
  const Calibration calibration = parse_calibration(kFile, "thresholds.json");
  EXPECT_EQ(calibration.version, "7");
  EXPECT_EQ(calibration.text, kFile);
  const Threshold& shift = calibration.thresholds.at("colour-shift");
  EXPECT_EQ(shift.value, 4.5);
  EXPECT_TRUE(shift.gates);
  EXPECT_EQ(shift.sensitivity.k, 95u);
  EXPECT_EQ(shift.specificity.n, 300u);
  EXPECT_FALSE(calibration.thresholds.at("seam").gates);
  EXPECT_EQ(calibration.thresholds.at("seam").sensitivity.n, 0u);
  EXPECT_EQ(calibration.union_specificity.k, 298u);
}

TEST(Calibration, RefusesWhatIsNoCalibrationAndNamesTheFile) {
  EXPECT_THAT(refusal("{"), HasSubstr("thresholds.json: "));
  EXPECT_THAT(refusal(R"({"version": "1"})"), HasSubstr("detectors"));
  EXPECT_THAT(refusal(R"({"version": "1", "detectors": {"seam": {"detector_version": 1, "threshold": "two",
                      "status": "calibrated"}}})"),
              HasSubstr("threshold"));
  EXPECT_THAT(refusal(R"({"version": "1", "detectors": {"seam": {"detector_version": 1, "threshold": 2,
                      "status": "sure"}}})"),
              HasSubstr("seam: status 'sure'; expected calibrated or experimental"));
  EXPECT_THAT(refusal(R"({"version": "1", "detectors": {}, "union": {"specificity": {"k": 3, "n": 2}}})"),
              HasSubstr("specificity is 3 of 2"));
}

TEST(Calibration, DecidesAboveTheThresholdAlone) {
  const Calibration calibration = parse_calibration(kFile, "thresholds.json");
  const Detector& detector = *find_detector("colour-shift");
  EXPECT_EQ(decide(detector, {.value = 4.5}, calibration).decision, Decision::clean);
  const ArtifactVerdict above = decide(detector, {.value = 4.6}, calibration);
  EXPECT_EQ(above.decision, Decision::flagged);
  EXPECT_EQ(above.threshold, 4.5);
  EXPECT_TRUE(above.gates);
  EXPECT_EQ(decide(detector, {.missing = "no reference"}, calibration).decision, Decision::undecided);
  Detector other = detector;
  other.name = "unheard-of";
  EXPECT_EQ(decide(other, {.value = 100}, calibration).decision, Decision::undecided);
}

TEST(Calibration, AnotherVersionOfADetectorDoesNotGate) {
  Detector newer = *find_detector("colour-shift");
  ++newer.version;
  const ArtifactVerdict verdict = decide(newer, {.value = 9}, parse_calibration(kFile, "thresholds.json"));
  EXPECT_EQ(verdict.decision, Decision::flagged);
  EXPECT_FALSE(verdict.gates);
}

TEST(Calibration, WhatWasFoundInAnotherWayDoesNotGate) {
  const Detection found{.uncalibrated = "boundaries unknown"};
  Detection large = found;
  large.value = 9;
  const ArtifactVerdict verdict =
      decide(*find_detector("colour-shift"), large, parse_calibration(kFile, "thresholds.json"));
  EXPECT_EQ(verdict.decision, Decision::flagged);
  EXPECT_FALSE(verdict.gates);
}

TEST(Calibration, ThereIsOneForEachEvidence) {
  const Image picture = at::zeros({3, 8, 8});
  EXPECT_EQ(evidence_of({.output = &picture, .reference = &picture, .input = &picture}), Evidence::reference);
  EXPECT_EQ(evidence_of({.output = &picture, .input = &picture}), Evidence::input);
  const std::string both =
      fmt::format(R"({{"reference": {}, "input": {{"version": "8", "detectors": {{}}}}}})", kFile);
  const Calibrations calibrations = parse_calibrations(both, "thresholds.json");
  EXPECT_EQ(calibrations.of(Evidence::reference).version, "7");
  EXPECT_EQ(calibrations.of(Evidence::reference).thresholds.size(), 2u);
  EXPECT_EQ(calibrations.of(Evidence::input).version, "8");
  // Its part alone is a calibration.
  EXPECT_EQ(parse_calibration(calibrations.with_reference.text, "test").version, "7");
  EXPECT_THROW(parse_calibrations(kFile, "thresholds.json"), std::invalid_argument);
}

TEST(Calibration, TheEmbeddedOnesKnowEveryDetector) {
  for (const Evidence evidence : {Evidence::reference, Evidence::input})
    for (const Detector& detector : detectors())
      EXPECT_TRUE(embedded_calibrations().of(evidence).thresholds.contains(detector.name)) << detector.name;
}

}  // namespace
}  // namespace upbench
