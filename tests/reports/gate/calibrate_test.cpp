#include "reports/gate/calibrate.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/gate/judge.h"
#include "reports/statistics/random.h"
#include "tests/reports/gate/sample_side.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;

// Few of everything: what is tested is what is drawn, not how exactly.
constexpr GateCalibrationOptions kQuick{.comparisons = 40, .simulations = 40, .resamples = 200};

// A repeat of the sample whose scores and times differ by noise; all times by `level` too.
GateSide repeat(std::uint64_t number, double decibels, double level) {
  Random random(50, number);
  return changed(sample_side(), [&](std::size_t, std::size_t, GateSide::Trial& trial) {
    trial.scores[0].value += decibels * random.normal();
    for (double& seconds : trial.model_seconds) seconds = level * (1 + 0.01 * random.normal());
  });
}

const GateCalibration::Row& find(const GateCalibration& calibration, const std::string& metric) {
  for (const GateCalibration::Row& row : calibration.rows)
    if (row.cell == "model = a" && row.metric == metric) return row;
  throw std::logic_error("no such row");
}

TEST(CalibrateGate, OneRepeatHasNoNoiseInScoresAndSaysSo) {
  const GateCalibration calibration = calibrate({sample_side()}, {}, kQuick);
  EXPECT_EQ(calibration.comparisons, 40);
  EXPECT_EQ(calibration.false_alarms, 0);
  EXPECT_EQ(calibration.rows.size(), 6u) << "two cells, each PSNR, LPIPS and time";
  EXPECT_EQ(find(calibration, "psnr-y").noise, 0);
  // Without noise, what all pictures lose is found just above the tolerance; bisection to 2 %.
  EXPECT_NEAR(find(calibration, "psnr-y").smallest_alike, 0.01, 0.0003);
  EXPECT_GT(find(calibration, "psnr-y").smallest, 0.015);
  EXPECT_NEAR(find(calibration, "model time").noise, 0.01, 0.002);  // what the sample was made with
  EXPECT_THAT(calibration.notes.at(0), HasSubstr("one repeat"));
}

TEST(CalibrateGate, ALargerNoiseNeedsALargerChange) {
  const GateCalibration quiet = calibrate({repeat(1, 0.01, 1), repeat(2, 0.01, 1)}, {}, kQuick);
  const GateCalibration loud = calibrate({repeat(1, 0.3, 1), repeat(2, 0.3, 1)}, {}, kQuick);
  // The difference of two repeats has sqrt(2) times the noise of one. A deviation of 20 pictures is known to
  // 16 %; the seed is fixed.
  EXPECT_NEAR(find(quiet, "psnr-y").noise, 0.0141, 0.0036);
  EXPECT_GT(find(loud, "psnr-y").smallest, 3 * find(quiet, "psnr-y").smallest);
  EXPECT_GT(find(quiet, "psnr-y").smallest, find(quiet, "psnr-y").tolerance);
  EXPECT_LT(find(quiet, "model time").smallest, 1.1);
  EXPECT_THAT(quiet.notes.at(0), HasSubstr("2 repeats say little about how runs drift apart"));
}

// A machine that takes half as long again in one of two repeats: the gate cannot be trusted there, and it
// shows.
TEST(CalibrateGate, RunsWhoseTimesDriftRaiseTheRateOfFalseAlarms) {
  GateCalibrationOptions options = kQuick;
  options.simulations = 1;  // of what would be found, which is not asked here
  const GateCalibration calibration = calibrate({repeat(1, 0.01, 1), repeat(2, 0.01, 1.5)}, {}, options);
  EXPECT_GT(calibration.alarm_rate.low, calibration.family_error);
  EXPECT_NEAR(calibration.false_alarms, 20, 10) << "either repeat may be the base";
}

// Repeats whose levels are 4 % apart (standard deviation), all cells alike.
std::vector<GateSide> drifting(int repeats, std::uint64_t seed) {
  Random random(seed);
  std::vector<GateSide> sides;
  for (int i = 0; i < repeats; ++i)
    sides.push_back(repeat(seed + static_cast<std::uint64_t>(i), 0.01, std::exp(0.04 * random.normal())));
  return sides;
}

TEST(CalibrateGate, DriftBetweenRunsIsMeasuredAndTakenOut) {
  std::vector<GateSide> sides = drifting(12, 900);
  const RunDrift drift = take_out_drift(sides);
  EXPECT_EQ(drift.repeats, 12u);
  EXPECT_LT(drift.all_cells_interval.low, 0.04);
  EXPECT_GT(drift.all_cells_interval.high, 0.04);
  EXPECT_NEAR(drift.all_cells, 0.04, 0.02) << "12 repeats: known to 21 %";
  EXPECT_LT(drift.each_cell, 0.002) << "180 samples of 1 % noise know a median to 0.1 %";
  const RunDrift again = take_out_drift(sides);
  EXPECT_NEAR(again.all_cells, 0, 1e-9);
}

TEST(CalibrateGate, DriftOfOneCellIsToldFromThatOfAll) {
  std::vector<GateSide> sides;
  Random random(31);
  for (std::uint64_t i = 0; i < 12; ++i) {
    const double level = std::exp(0.04 * random.normal());
    sides.push_back(changed(repeat(i, 0.01, 1), [&](std::size_t cell, std::size_t, GateSide::Trial& trial) {
      for (double& seconds : trial.model_seconds) seconds *= cell == 0 ? level : 1;
    }));
  }
  const RunDrift drift = take_out_drift(sides);
  EXPECT_GT(drift.each_cell, 0.015);
  EXPECT_LT(drift.all_cells, drift.each_cell);
}

// What twelve repeats say of false alarms is what new runs of that machine then do.
TEST(CalibrateGate, TheRateOfFalseAlarmsIsThatOfNewRunsThatDrift) {
  constexpr int kPairs = 200;
  int alarms = 0;
  for (int i = 0; i < kPairs; ++i) {
    const std::vector<GateSide> pair = drifting(2, 5000 + 2 * static_cast<std::uint64_t>(i));
    alarms += exit_code_of(judge(pair[0], pair[1], {.resamples = 200})) == 1 ? 1 : 0;
  }
  const GateCalibration calibration =
      calibrate(drifting(12, 900), {}, {.comparisons = kPairs, .simulations = 1, .resamples = 200});
  EXPECT_GT(alarms, 0.1 * kPairs) << "4 % of drift is too much for a tolerance of 5 %";
  // Two rates of 200, and a drift known to 21 %.
  EXPECT_NEAR(calibration.false_alarms, alarms, 0.12 * kPairs);
}

TEST(CalibrateGate, IsTheSameEveryTime) {
  const std::vector<GateSide> sides{repeat(1, 0.05, 1), repeat(2, 0.05, 1.02)};
  constexpr GateCalibrationOptions kLeast{.comparisons = 10, .simulations = 10, .resamples = 100};
  EXPECT_EQ(calibration_json(calibrate(sides, {}, kLeast)), calibration_json(calibrate(sides, {}, kLeast)));
}

TEST(CalibrateGate, WhatIsNoRepeatIsRefused) {
  GateSide other = sample_side();
  other.source = "other.db";
  other.cells[1].label = "model = c";
  try {
    calibrate({sample_side(), other}, {}, kQuick);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("other.db is no repeat of base.db"));
  }
  EXPECT_THROW(calibrate({}, {}, kQuick), std::invalid_argument);
}

TEST(CalibrateGate, TextAndJsonSayTheRateAndWhatIsFound) {
  const GateCalibration calibration = calibrate({repeat(1, 0.02, 1), repeat(2, 0.02, 1)}, {}, kQuick);
  EXPECT_THAT(calibration_markdown(calibration),
              HasSubstr("false alarms in 40 comparisons of a version with itself"));
  const auto parsed = nlohmann::json::parse(calibration_json(calibration));
  EXPECT_EQ(parsed["schema"], "upbench-calibration-1");
  EXPECT_EQ(parsed["rows"].size(), 6u);
  EXPECT_EQ(parsed["rows"][0]["smallest"], calibration.rows[0].smallest);
  EXPECT_EQ(parsed["drift"]["repeats"], 2);
  EXPECT_THAT(calibration_markdown(calibration), HasSubstr("Model times drift from run to run by "));
}

}  // namespace
}  // namespace upbench
