#include "harness/calibration/calibrate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/calibration/labels.h"
#include "harness/calibration/networks.h"
#include "harness/device.h"
#include "metrics/artifacts/calibration.h"
#include "metrics/artifacts/catalog.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;

const Injector& injector(const std::vector<Injector>& all, const std::string& detector) {
  return *std::ranges::find(all, detector, &Injector::detector);
}

// A flat grey picture with a vertical edge of 100 levels in the middle.
CleanPicture edge() {
  CleanPicture picture{.name = "edge", .cls = "line-art"};
  picture.reference = at::full({3, 96, 96}, 80.0 / 255, at::kFloat);
  picture.reference.narrow(2, 48, 48).fill_(180.0 / 255);
  picture.input = reduced_input(picture.reference, 2);
  picture.other = picture.reference.flip(2).contiguous();
  return picture;
}

Image injected(const std::vector<Injector>& all, const std::string& detector, double strength,
               const CleanPicture& picture) {
  CalibrationCase subject(picture);
  Random random(5);
  injector(all, detector).inject(subject, strength, random);
  return subject.output;
}

TEST(Injectors, EveryDetectorHasDefectsOfBothKinds) {
  for (const auto* injectors : {&first_injectors(), &second_injectors()}) {
    std::set<std::string> named;
    for (const Injector& each : *injectors) {
      named.insert(each.detector);
      EXPECT_EQ(each.only_class.empty() || each.only_class == "text" || each.only_class == "smooth-shading",
                true);
    }
    for (const Detector& detector : detectors()) EXPECT_TRUE(named.contains(detector.name)) << detector.name;
  }
}

TEST(Injectors, TilesDifferByTheLevelsThatWereAsked) {
  const CleanPicture picture = edge();
  const Image output = injected(first_injectors(), "seam", 6, picture);
  // The border between the first and second tile of the first row lies at 32.
  EXPECT_NEAR(std::abs((output[0][10][31] - output[0][10][32]).item<double>()) * 255, 6, 1e-3);
  EXPECT_NEAR((output[0][10][30] - output[0][10][31]).item<double>(), 0, 1e-6);
}

TEST(Injectors, AnEdgeOvershootsByThePercentThatWereAsked) {
  const CleanPicture picture = edge();
  for (const double percent : {8.0, 20.0}) {
    // Unsharp mask beside the edge: half of the height less half a pixel of the Gaussian, so up to a third
    // less.
    const double first =
        (injected(first_injectors(), "halo", percent, picture).max().item<double>() * 255 - 180);
    EXPECT_GT(first, 0.6 * percent);
    EXPECT_LE(first, percent);
    const double second =
        (injected(second_injectors(), "halo", percent, picture).max().item<double>() * 255 - 180);
    EXPECT_NEAR(second, percent, 1e-3);
  }
}

TEST(Injectors, AnEdgeRingsByThePercentThatWereAsked) {
  const CleanPicture picture = edge();
  for (const auto* injectors : {&first_injectors(), &second_injectors()}) {
    const Image output = injected(*injectors, "ringing", 8, picture) - picture.reference;
    // 3 px and more beside the edge at 48, away from the borders, which are mirrored.
    const Image beside = output.narrow(2, 51, 20).narrow(1, 40, 8);
    EXPECT_NEAR(beside.abs().max().item<double>() * 255, 8, 0.01);
    EXPECT_LT(beside.min().item<double>() * beside.max().item<double>(), 0);  // it swings to both sides
  }
}

TEST(Injectors, NoiseAndCastHaveTheirLevels) {
  const CleanPicture picture = edge();
  const Image noise = injected(first_injectors(), "noise-residue", 8, picture) - picture.reference;
  EXPECT_NEAR(noise.std().item<double>() * 255, 8, 0.2);  // 27,648 draws: 0.04 of standard error
  const Image cast = injected(first_injectors(), "colour-shift", 8, picture) - picture.reference;
  EXPECT_NEAR(std::abs(cast[0].mean().item<double>()) * 255, 8, 1e-3);
  EXPECT_NEAR(cast[1].abs().max().item<double>(), 0, 1e-7);
  EXPECT_NEAR((cast[0] + cast[2]).abs().max().item<double>(), 0, 1e-6);
}

TEST(Injectors, ATileWithEnoughContextHasNoSeam) {
  set_operator_threads(1);
  const CleanPicture picture = clean_picture({.seed = 3, .size = 96}, 0);
  const Image whole = calibration_network(picture.input, picture.scale);
  EXPECT_LT((calibration_network_tiled(picture.input, picture.scale, 24) - whole).abs().max().item<double>(),
            1e-5);
  EXPECT_GT((calibration_network_tiled(picture.input, picture.scale, 0) - whole).abs().max().item<double>(),
            2.0 / 255);
}

TEST(CleanPictures, AreOfTheirOwnSeedAndKeepTheirPlace) {
  const CleanPicture one = clean_picture({.seed = 2, .size = 96}, 7),
                     same = clean_picture({.seed = 2, .size = 96}, 7),
                     other = clean_picture({.seed = 3, .size = 96}, 7);
  EXPECT_TRUE(one.reference.equal(same.reference));
  EXPECT_FALSE(one.reference.equal(other.reference));
  EXPECT_EQ(one.cls, other.cls);
  EXPECT_EQ(one.input.size(1), 48);
}

// A subset: every class and kind of clean picture once, twice with other numbers of threads.
TEST(Calibrate, TheSameFileWhateverTheThreadsAndItIsRead) {
  CalibrateOptions options{
      .seed = 4, .size = 96, .tuning = 12, .held_out = 12, .real = {}, .threads = 1, .progress = {}};
  const std::string one = calibration_json(calibrate(options)).dump(2);
  options.threads = 2;
  const CalibrationFigures figures = calibrate(options);
  EXPECT_EQ(calibration_json(figures).dump(2), one);
  const Calibrations all = parse_calibrations(one, "test");
  for (const EvidenceCalibration& made : figures.by) {
    const Calibration& read = all.of(made.evidence);
    EXPECT_EQ(read.thresholds.size(), detectors().size());
    EXPECT_EQ(read.union_specificity.n, 12u);
    for (const DetectorFigures& detector : made.detectors) {
      EXPECT_EQ(read.thresholds.at(detector.name).value, detector.threshold);
      EXPECT_EQ(read.thresholds.at(detector.name).gates, detector.calibrated);
    }
  }
  EXPECT_EQ(calibration_values(figures), calibration_values(calibrate(options)));
  EXPECT_THAT(calibration_markdown(figures), HasSubstr("| seam |"));
}

TEST(Calibrate, RefusesPicturesThatDoNotFit) {
  EXPECT_THROW(calibrate({.seed = 1, .size = 100, .tuning = 1, .held_out = 1}), std::invalid_argument);
  EXPECT_THROW(calibrate({.seed = 1, .size = 96, .tuning = 0, .held_out = 1}), std::invalid_argument);
}

constexpr char kCalibration[] = R"({"version": "1", "detectors": {
  "seam": {"detector_version": 1, "threshold": 2, "status": "calibrated"},
  "halo": {"detector_version": 1, "threshold": 3, "status": "experimental"}}})";

std::string label(const char* output, const char* detector, bool flagged, const char* said,
                  double weight = 1) {
  return nlohmann::json{
      {"output", output}, {"detector", detector}, {"flagged", flagged}, {"label", said}, {"weight", weight}}
      .dump();
}

TEST(Labels, GiveSensitivityAndSpecificityOnTheUsersPictures) {
  // Flagged: 3 right, 1 wrong. Not flagged, a sample of one in ten: 1 missed, 4 clean.
  std::string labels = "{\"labels\": [";
  for (int i = 0; i < 3; ++i)
    labels += label(("f" + std::to_string(i)).c_str(), "seam", true, "accept") + ",";
  labels += label("f3", "seam", true, "reject") + "," + label("u0", "seam", false, "accept", 10) + ",";
  for (int i = 1; i < 5; ++i)
    labels += label(("u" + std::to_string(i)).c_str(), "seam", false, "reject", 10) + (i < 4 ? "," : "]}");
  const std::string text = calibration_with_labels(kCalibration, labels, "labels.json");
  const Calibration read = parse_calibration(text, "test");
  EXPECT_EQ(read.version, "1+labels");
  const Threshold& seam = read.thresholds.at("seam");
  EXPECT_EQ(seam.value, 2);
  // 3 of 3 + 10, as a count of 4 labels: 0.92, 1 of 4. 40 of 41, of 5 labels.
  EXPECT_EQ(seam.sensitivity.n, 4u);
  EXPECT_EQ(seam.sensitivity.k, 1u);
  EXPECT_EQ(seam.specificity.n, 5u);
  EXPECT_EQ(seam.specificity.k, 5u);
  EXPECT_EQ(read.union_sensitivity.n, 4u);
}

TEST(Labels, GoToTheCalibrationThatDecided) {
  const std::string both = R"({"reference": {"version": "2-reference", "detectors": {
      "seam": {"detector_version": 1, "threshold": 2, "status": "calibrated"}}},
    "input": {"version": "2-input", "detectors": {
      "seam": {"detector_version": 1, "threshold": 3, "status": "calibrated"}}}})";
  const auto of = [](const char* calibration) {
    return std::string(R"({"labels": [{"output": "a", "detector": "seam", "flagged": true, "label": "accept",
                           "calibration": ")") +
           calibration + "\"}]}";
  };
  const Calibrations read =
      parse_calibrations(calibration_with_labels(both, of("2-input"), "labels.json"), "test");
  EXPECT_EQ(read.with_input.version, "2-input+labels");
  EXPECT_EQ(read.with_input.thresholds.at("seam").sensitivity.n, 1u);
  EXPECT_EQ(read.with_reference.version, "2-reference");
  EXPECT_EQ(read.with_reference.thresholds.at("seam").sensitivity.n, 0u);
  EXPECT_THROW(calibration_with_labels(both, of("1"), "labels.json"), std::invalid_argument);
}

TEST(Labels, ThatCannotBeRightAreRefused) {
  const auto refusal = [](const std::string& labels) -> std::string {
    try {
      calibration_with_labels(kCalibration, labels, "labels.json");
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("{"), HasSubstr("labels.json: "));
  EXPECT_THAT(refusal("{\"labels\": []}"), HasSubstr("holds no label"));
  EXPECT_THAT(refusal("{\"labels\": [" + label("a", "seam", true, "maybe") + "]}"),
              HasSubstr("expected accept or reject"));
  EXPECT_THAT(refusal("{\"labels\": [" + label("a", "other", true, "accept") + "]}"), HasSubstr("'other'"));
  EXPECT_THAT(refusal("{\"labels\": [" + label("a", "seam", true, "accept", 0) + "]}"),
              HasSubstr("weight 0"));
}

}  // namespace
}  // namespace upbench
