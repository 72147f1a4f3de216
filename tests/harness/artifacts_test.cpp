#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "datasets/procedural.h"
#include "harness/artifact_scoring.h"
#include "harness/worker.h"
#include "metrics/artifacts/calibration.h"
#include "metrics/artifacts/catalog.h"
#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

// Artifact detectors on their way from a spec to the store.
namespace upbench {
namespace {

using testing::HasSubstr;

// Enlarges and turns the first quarter red.
class RedCorner final : public Upscaler, public std::enable_shared_from_this<RedCorner> {
 public:
  RedCorner() { info_.name = "red-corner"; }
  const UpscalerInfo& info() const override { return info_; }
  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    at::Tensor enlarged = batch.repeat_interleave(scale, 2).repeat_interleave(scale, 3);
    const auto height = enlarged.size(2) / 2, width = enlarged.size(3) / 2;
    enlarged.slice(2, 0, height).slice(3, 0, width).select(1, 0).fill_(1);
    return enlarged;
  }
  std::shared_ptr<const Upscaler> to(const std::string&, Precision) const override {
    return shared_from_this();
  }

 private:
  UpscalerInfo info_;
};

class Artifacts : public testing::Test {
 protected:
  static Sweep sweep(const std::string& metrics, const std::string& images = "lr: {scale: 2}",
                     const std::string& tile = "none") {
    return prepare_sweep(parse_spec("name: artifacts\nimages: {procedural: {count: 2, size: 64, seed: 5}, " +
                                        images + "}\npipeline: [upscale: {model: nearest, tile: " + tile +
                                        "}]\nmetrics: " + metrics + "\ntiming: none\n",
                                    "artifacts.yaml", "."),
                         {.device = "cpu", .threads = 1});
  }
  WorkerResult run(const Sweep& sweep, KeepOutputs keep = KeepOutputs::none) {
    Store store(file_);
    WorkerOptions options{.keep_outputs = keep};
    options.load_model = [](const nlohmann::json&) { return std::make_shared<RedCorner>(); };
    return run_sweep(sweep, store, options);
  }
  std::vector<TrialResult> results(const Sweep& sweep) const {
    const Store store(file_, Store::Access::read);
    std::vector<TrialResult> all;
    store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& trial) { all.push_back(trial); });
    return all;
  }
  // Two pictures without references, enlarged by nearest.
  Sweep without_references(const std::string& fidelity, const std::string& metrics = "[hallucination]") {
    for (const char* cls : {"dead-leaves", "line-art"})
      write_file_atomically(folder_ / (std::string(cls) + ".png"),
                            encode_png(render_procedural({.cls = cls, .size = 64, .seed = 5})));
    return prepare_sweep(parse_spec("name: fidelity\nimages: {lr: " + folder_.path().string() +
                                        ", scale: 2}\npipeline: [upscale: {model: nearest}]\nmetrics: " +
                                        metrics + "\ntiming: none\n" + fidelity,
                                    "fidelity.yaml", "."),
                         {.device = "cpu", .threads = 1});
  }
  static std::size_t place(const Sweep& sweep, std::string_view name) {
    for (std::size_t i = 0; i < sweep.metrics.size(); ++i)
      if (sweep.metrics[i].name == name) return i;
    ADD_FAILURE() << name;
    return 0;
  }

  test::TemporaryFolder folder_;
  std::string file_ = folder_ / "s.db";
};

TEST_F(Artifacts, TheGroupStandsForEveryDetector) {
  const Sweep all = sweep("[psnr-y, artifacts]");
  EXPECT_EQ(all.metrics.size(), 1 + detectors().size());
  EXPECT_EQ(sweep("[colour-shift, artifacts]").metrics.size(), detectors().size());
  EXPECT_THROW(sweep("[artifacts, artifacts]"), std::invalid_argument);
  EXPECT_THROW(sweep("[colour-shift@b4]"), std::invalid_argument);
}

TEST_F(Artifacts, AreScoredDecidedAndKept) {
  const Sweep request = sweep("[psnr-y, colour-shift]");
  run(request, KeepOutputs::all);
  const std::size_t shift = place(request, "colour-shift");
  const Store store(file_, Store::Access::read);
  for (const TrialResult& trial : results(request)) {
    EXPECT_EQ(trial.status, Status::ok);
    EXPECT_EQ(trial.scores.at(shift).flag, ValueFlag::ok);
    EXPECT_GT(trial.scores.at(shift).value, 10);
    ASSERT_EQ(trial.detections.size(), 1u);
    const DetectionRow& found = trial.detections[0];
    EXPECT_EQ(found.detector, "colour-shift");
    EXPECT_TRUE(found.flagged);
    EXPECT_EQ(found.calibration, embedded_calibrations().with_reference.version);
    EXPECT_EQ(found.threshold, embedded_calibrations().with_reference.thresholds.at("colour-shift").value);
    ASSERT_FALSE(found.boxes.empty());
    EXPECT_EQ(found.boxes[0].x, 0);
    EXPECT_EQ(found.boxes[0].y, 0);
    EXPECT_GE(found.boxes[0].width, 32);
    const Raster map = decode_file(store.output_folder() / found.map_file, kNoDecodeLimits);
    EXPECT_EQ(map.width, 4);
    EXPECT_GT(found.map_white, 10);
  }
  EXPECT_EQ(store.calibration(embedded_calibrations().with_reference.version),
            embedded_calibrations().with_reference.text);
}

TEST_F(Artifacts, ALaterRunAddsThemFromKeptOutputs) {
  run(sweep("[psnr-y]"), KeepOutputs::all);
  const Sweep more = sweep("[psnr-y, artifacts]");
  const WorkerResult result = run(more, KeepOutputs::all);
  EXPECT_EQ(result.reused, 2u);
  for (const TrialResult& trial : results(more)) EXPECT_FALSE(trial.detections.empty());
}

TEST_F(Artifacts, AreJudgedByAFidelityModelWhereThereIsNoReference) {
  const auto values = [&](const Sweep& request) {
    Store store(file_);
    run_sweep(request, store, {.keep_outputs = KeepOutputs::all});
    std::vector<double> all;
    store.for_each_trial(request.plan.rows.run.key, [&](const TrialResult& trial) {
      EXPECT_EQ(trial.status, Status::ok) << trial.reason;
      all.push_back(trial.scores.at(0).value);
      EXPECT_FALSE(trial.detections.at(0).gates);
    });
    return all;
  };
  // Of the same store: what was judged in one way is not taken for the other.
  const Sweep itself = without_references("fidelity: nearest\n"),
              network = without_references("fidelity: compact-x2\n");
  for (const double value : values(itself)) EXPECT_EQ(value, 0);  // it is the output
  const std::vector<double> judged = values(network);
  ASSERT_EQ(judged.size(), 2u);
  for (const double value : judged) EXPECT_GT(value, 0.1);  // blocks where the network has edges
  EXPECT_THAT(network.plan.rows.metrics.at(0).convention, HasSubstr("fidelity compact-x2 "));
  EXPECT_NE(network.plan.rows.run.key, without_references("").plan.rows.run.key);
}

TEST_F(Artifacts, OfAFidelityModelThatDoesNotFitAreRefused) {
  const auto refusal = [](auto make) -> std::string {
    try {
      make();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal([&] { without_references("fidelity: compact-x4\n"); }), HasSubstr("expected 2"));
  EXPECT_THAT(refusal([&] { without_references("fidelity: compact-x2\n", "[seam]"); }),
              HasSubstr("no metric judges by one"));
  EXPECT_THAT(refusal([&] { without_references("fidelity: [lanczos, nearest]\n"); }), HasSubstr("fidelity"));
}

TEST_F(Artifacts, OnlyGateByWhatCalibrationCovers) {
  const auto gates = [](const char* detector, const Witnesses& witnesses) {
    DetectionRow row{.detector = detector};
    decide_again(row, 1000, *find_detector(detector),
                 embedded_calibrations().of(witnesses.reference ? Evidence::reference : Evidence::input),
                 witnesses);
    EXPECT_TRUE(row.flagged);
    return row.gates;
  };
  EXPECT_TRUE(gates("seam", {.reference = true, .boundaries = true}));
  EXPECT_FALSE(gates("seam", {.reference = true}));
  EXPECT_TRUE(gates("colour-shift", {.reference = true}));
  EXPECT_TRUE(gates("colour-shift", {.input = true}));
  EXPECT_FALSE(gates("colour-shift", {}));  // the output alone
  EXPECT_TRUE(gates("hallucination", {.reference = true, .fidelity = true}));
  EXPECT_FALSE(gates("hallucination", {.input = true, .fidelity = true}));
}

TEST_F(Artifacts, WhatWasDecidedByOtherThresholdsIsDecidedAgain) {
  const Sweep first = sweep("[colour-shift]");
  run(first);
  const Digest output = results(first).at(0).output;
  {
    const Store store(file_, Store::Access::read);
    ASSERT_TRUE(store.detections(output).at(0).flagged);
  }
  // As another calibration left it.
  test::run_sql(file_, "UPDATE detections SET calibration = 'old', flagged = 0, threshold = 1000");
  run(sweep("[colour-shift, psnr-y]"));
  const Store store(file_, Store::Access::read);
  EXPECT_TRUE(store.detections(output).at(0).flagged);
  EXPECT_EQ(store.detections(output).at(0).calibration, embedded_calibrations().with_reference.version);
}

}  // namespace
}  // namespace upbench
