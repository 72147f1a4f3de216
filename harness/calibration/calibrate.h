#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "harness/calibration/injectors.h"
#include "reports/statistics/corrected_rate.h"

// Thresholds of the artifact detectors, and how often they are right: measured on defects made on purpose.
namespace upbench {

struct CalibrateOptions {
  std::uint64_t seed = 1;
  int size = 144;                // side of the pictures; a multiple of 6, at least 96
  std::uint64_t tuning = 108;    // pictures that thresholds are set on
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

struct CalibrationFigures {
  CalibrateOptions options;
  std::vector<DetectorFigures> detectors;
  DetectorCounts together;  // any gating detector: visible defects of both kinds, clean held-out pictures
};

// Calibrated: AUC of at least 0.95 at the visible tier, and of at least 0.9 on the second kind of defect.
inline constexpr double kLeastAuc = 0.95, kLeastSecondAuc = 0.9;
inline constexpr double kMostFalsePositives = 0.01;  // of the union, a clean picture

// The same figures for the same options, however many threads. Throws std::invalid_argument for options out
// of range.
CalibrationFigures calibrate(const CalibrateOptions& options);

// As metrics/artifacts/calibration.h reads it, with all the figures.
nlohmann::ordered_json calibration_json(const CalibrationFigures& figures);
std::string calibration_markdown(const CalibrationFigures& figures);

}  // namespace upbench
