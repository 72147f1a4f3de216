// Whole sweeps on a device against the scores of the CPU: kept outputs that more is asked of later, a
// fidelity model, LPIPS. With the CPU taken for a device, and on a GPU.
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/encode.h"
#include "datasets/procedural.h"
#include "gpu.h"
#include "harness/worker.h"
#include "pretend.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

struct SweepPlace {
  const char* device;
  const char* kernels;
};
void PrintTo(const SweepPlace& place, std::ostream* out) {
  *out << place.device << ", kernels " << place.kernels;
}

// What a sweep left.
struct Swept {
  std::vector<TrialResult> trials;
  std::vector<std::string> models;   // by cell
  std::vector<std::string> metrics;  // by score
  std::uint64_t stages = 0;          // executed
};

class DeviceSweep : public testing::TestWithParam<SweepPlace> {
 protected:
  void SetUp() override {
    if (on_gpu() && !test::no_gpu().empty()) GTEST_SKIP() << test::no_gpu();
  }
  bool on_gpu() const { return std::string(GetParam().device) != "cpu"; }

  // The last of these sweeps, which share a store and keep their outputs.
  Swept here(const std::vector<std::string>& specs) const { return swept("cpu", "here.db", specs); }
  Swept there(const std::vector<std::string>& specs) const {
    const test::ChosenKernels kernels(GetParam().kernels);
    std::optional<PretendedDevice> pretended;
    if (!on_gpu()) pretended.emplace(test::emulated_kernels());
    return swept(GetParam().device, "there.db", specs);
  }

  test::TemporaryFolder folder_;

 private:
  Swept swept(const std::string& device, const std::string& file,
              const std::vector<std::string>& specs) const {
    Swept last;
    for (const std::string& text : specs) {
      last = {};
      const Sweep asked =
          prepare_sweep(parse_spec(text, "sweep.yaml", "."), {.device = device, .threads = 3});
      for (const CellRow& cell : asked.plan.rows.cells)
        last.models.push_back(
            nlohmann::json::parse(cell.settings).at(0).at("settings").at("model").get<std::string>());
      for (const MetricRequest& metric : asked.metrics) last.metrics.push_back(metric.name);
      Store store((folder_ / file).string());
      last.stages = run_sweep(asked, store, {.keep_outputs = KeepOutputs::all}).stages;
      store.for_each_trial(asked.plan.rows.run.key,
                           [&](const TrialResult& trial) { last.trials.push_back(trial); });
    }
    return last;
  }
};
INSTANTIATE_TEST_SUITE_P(Pretended, DeviceSweep,
                         testing::Values(SweepPlace{"cpu", "none"}, SweepPlace{"cpu", "all"}));
INSTANTIATE_TEST_SUITE_P(Cuda, DeviceSweep,
                         testing::Values(SweepPlace{"cuda:0", "none"}, SweepPlace{"cuda:0", "all"}));

// A deviation in a window of 121 px moves by less, where one of them falls to the next level.
double allowed_hallucination(double value) {
  return 0.05 + 0.01 * value;
}

// How far apart scores of one cell may be. Of the same pixels: as metrics/device_scoring.h says; detectors,
// which compute on the CPU from levels, not at all. A network sums in another order on a device, and a few of
// its values fall to the next of 255 levels (CudaNetwork.Fp32IsTheCpus bounds what they differ by before).
double allowed(const std::string& metric, double value, bool same_pixels) {
  if (metric == "hallucination") return same_pixels ? 0 : allowed_hallucination(value);
  if (metric == "colour-shift") return same_pixels ? 0 : 0.01;  // of means over 2304 px
  if (metric.starts_with("psnr")) return same_pixels ? 1e-5 : 1e-3;
  if (metric.starts_with("ssim")) return same_pixels ? 4e-6 : 1e-4;
  return (same_pixels ? 1e-5 : 1e-3) * value;  // LPIPS
}

void expect_scores_of(const Swept& expected, const Swept& found) {
  ASSERT_EQ(found.trials.size(), expected.trials.size());
  ASSERT_FALSE(found.trials.empty());
  for (std::size_t i = 0; i < found.trials.size(); ++i) {
    const TrialResult &trial = found.trials[i], &other = expected.trials[i];
    const std::string& model = found.models.at(trial.cell);
    EXPECT_EQ(trial.status, Status::ok) << model << ": " << trial.reason;
    EXPECT_EQ(trial.flags, other.flags) << model;
    EXPECT_EQ(trial.detections.size(), other.detections.size()) << model;
    const bool same_pixels = trial.pixels == other.pixels;
    if (model == "nearest") {
      EXPECT_TRUE(same_pixels) << "copies levels";
    }
    ASSERT_EQ(trial.scores.size(), found.metrics.size());
    ASSERT_EQ(other.scores.size(), found.metrics.size());
    for (std::size_t m = 0; m < found.metrics.size(); ++m) {
      const std::string& metric = found.metrics[m];
      const TrialResult::Value &score = trial.scores[m], &wanted = other.scores[m];
      EXPECT_EQ(score.flag, ValueFlag::ok) << metric << " of " << model << ": " << score.reason;
      EXPECT_NEAR(score.value, wanted.value, allowed(metric, wanted.value, same_pixels))
          << metric << " of " << model;
    }
  }
}

std::string spec_with(const std::string& metrics) {
  return "name: added\nimages: {procedural: {count: 2, size: 96, seed: 9}, lr: {scale: 2}}\n"
         "pipeline:\n  - upscale: {model: [nearest, compact-x2], tile: [none, {size: 24, overlap: 8, mode: "
         "half-sine}]}\nmetrics: " +
         metrics + "\ntiming: none\n";
}

TEST_P(DeviceSweep, KeptOutputsAreScoredByWhatIsAddedLater) {
  const std::vector<std::string> specs = {spec_with("[psnr-y]"),
                                          spec_with("[psnr-y, ssim-y, colour-shift, hallucination]")};
  const Swept found = there(specs);
  EXPECT_EQ(found.stages, 0u) << "from the kept outputs";
  for (const TrialResult& trial : found.trials) EXPECT_EQ(trial.detections.size(), 2u);
  expect_scores_of(here(specs), found);
}

// Pictures without references. The network's result is what it is judged by; nearest has blocks where that
// has edges.
TEST_P(DeviceSweep, AFidelityModelJudgesAsOnTheCpu) {
  const std::filesystem::path set = folder_ / "set";
  std::filesystem::create_directory(set);
  for (const char* cls : {"dead-leaves", "line-art"})
    write_file_atomically(set / (std::string(cls) + ".png"),
                          encode_png(render_procedural({.cls = cls, .size = 64, .seed = 5})));
  const std::vector<std::string> specs = {
      "name: fidelity\nimages: {lr: " + set.string() +
      ", scale: 2}\npipeline: [upscale: {model: [nearest, compact-x2]}]\nmetrics: [hallucination]\n"
      "timing: none\nfidelity: compact-x2\n"};
  const Swept expected = here(specs), found = there(specs);
  ASSERT_EQ(expected.trials.size(), 4u);
  ASSERT_EQ(found.trials.size(), 4u);
  for (std::size_t i = 0; i < found.trials.size(); ++i) {
    const TrialResult &trial = found.trials[i], &other = expected.trials[i];
    EXPECT_EQ(trial.status, Status::ok) << trial.reason;
    ASSERT_EQ(trial.scores.size(), 1u);
    EXPECT_EQ(trial.scores[0].flag, ValueFlag::ok) << trial.scores[0].reason;
    ASSERT_EQ(trial.detections.size(), 1u);
    EXPECT_FALSE(trial.detections[0].gates);
    const double value = trial.scores[0].value, wanted = other.scores.at(0).value;
    if (found.models.at(trial.cell) == "compact-x2") {
      EXPECT_EQ(value, 0);
    } else {
      EXPECT_GT(value, 0.1);
      EXPECT_NEAR(value, wanted, allowed_hallucination(wanted));
    }
  }
}

TEST_P(DeviceSweep, LpipsIsThatOfTheCpu) {
  UPBENCH_NEEDS_ASSETS();
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const std::vector<std::string> specs = {spec_with("[psnr-y, lpips-alex, lpips-squeeze]")};
  const Swept found = there(specs);
  for (const TrialResult& trial : found.trials)
    for (std::size_t m = 1; m < trial.scores.size(); ++m)
      EXPECT_GT(trial.scores[m].value, 0) << found.metrics.at(m);
  expect_scores_of(here(specs), found);
}

}  // namespace
}  // namespace upbench
