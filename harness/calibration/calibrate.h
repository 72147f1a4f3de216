#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "harness/calibration/injectors.h"
#include "metrics/artifacts/calibration.h"
#include "reports/statistics/corrected_rate.h"

// Thresholds of the artifact detectors, and how often they are right: measured on defects made on purpose.
namespace upbench {

struct CalibrateOptions {
  std::uint64_t seed = 2;
  int size = 192;                // side of the pictures; a multiple of 12, at least 96
  std::uint64_t tuning = 1296;   // pictures that thresholds are set on, a sixth of them with defects
  std::uint64_t held_out = 324;  // others, that everything else is measured on
  std::filesystem::path real;    // folder of more held-out pictures; empty: none
  int threads = 1;
  std::function<void(std::uint64_t done, std::uint64_t all)> progress;
};

// Values of one detector on one kind of picture, one a picture that has the defect and that the detector
// applies to.
struct TierFigures {
  double auc = 0, average_precision = 0;   // against the clean held-out pictures; NaN: no defects
  std::array<double, 4> sensitivity_at{};  // at kFalsePositiveRates
  std::size_t found = 0, defective = 0;    // at the threshold
};
inline constexpr std::array<double, 4> kFalsePositiveRates = {0, 0.01, 0.05, 0.1};

struct DetectorFigures {
  std::string name, unit;
  int version = 1;
  std::string first_defect, second_defect, strength_unit, second_strength_unit;
  std::array<double, 3> strengths{}, second_strengths{};
  double threshold = 0;               // flagged: larger. Six significant digits
  std::size_t passed = 0, clean = 0;  // clean held-out pictures at the threshold
  std::array<TierFigures, 3> first{}, second{};
  bool calibrated = false;
  // Clean pictures that were flagged, by what they are; for people.
  std::vector<std::string> false_positives;
};

// By what is known of the pictures: thresholds of their own.
struct EvidenceCalibration {
  Evidence evidence = Evidence::reference;
  std::vector<DetectorFigures> detectors;
  DetectorCounts together;  // any gating detector: visible defects of both kinds, clean held-out pictures
};

// One value of one detector, for who wants to look closer.
struct CalibrationValue {
  Evidence evidence = Evidence::reference;
  std::string set;            // "tuning" or "held-out"
  std::string picture, kind;  // "text-017"; class and kind of clean picture
  std::string defect;         // "clean", "first" or "second"
  std::string tier;           // empty of clean pictures
  std::string detector;
  double value = 0;  // NaN: it does not apply
};

struct CalibrationFigures {
  CalibrateOptions options;
  std::array<EvidenceCalibration, 2> by;
  std::vector<CalibrationValue> values;
};

// Calibrated: AUC of at least 0.95 at the visible tier, and of at least 0.9 on the second kind of defect; and
// the threshold finds half of the visible defects.
inline constexpr double kLeastAuc = 0.95, kLeastSecondAuc = 0.9, kLeastSensitivity = 0.5;
inline constexpr double kMostFalsePositives = 0.01;     // of the union, a clean held-out picture
inline constexpr double kTuningFalsePositives = 0.002;  // the same, of pictures that thresholds are set on

// The same figures for the same options, however many threads. Throws std::invalid_argument for options out
// of range.
CalibrationFigures calibrate(const CalibrateOptions& options);

// As metrics/artifacts/calibration.h reads it, with all the figures.
nlohmann::ordered_json calibration_json(const CalibrationFigures& figures);
std::string calibration_markdown(const CalibrationFigures& figures);
std::string calibration_values(const CalibrationFigures& figures);  // tab separated, with a header

}  // namespace upbench
