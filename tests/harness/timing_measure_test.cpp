#include "harness/timing/measure.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/timing/peaks.h"
#include "harness/timing/pipeline_subject.h"
#include "harness/timing/tensor_memory.h"
#include "harness/worker.h"
#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MeasureTest : public ::testing::Test {
 protected:
  static constexpr char kUpscale[] = "model: [lanczos, compact-x2], tile: [none, 16, 64], overlap: 4";

  static Sweep sweep(const std::string& timing, const std::string& upscale = kUpscale) {
    Spec spec = parse_spec(
        "name: t\nimages: {procedural: {count: 2, size: 64}, lr: {scale: 2}}\nmetrics: [mse]\n"
        "pipeline: [{upscale: {" +
            upscale + "}}]\ntiming: " + timing,
        "t.yaml", ".");
    return prepare_sweep(std::move(spec), {.device = "cpu", .threads = 2});
  }

  std::vector<TrialResult> results(const Store& store, const Sweep& sweep) {
    std::vector<TrialResult> all;
    store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& result) { all.push_back(result); });
    return all;
  }

  static std::size_t samples(const TrialResult& result) {
    std::size_t count = 0;
    for (const TimingRow& row : result.timings) count += row.clock == Clock::model && row.stage == "trial";
    return count;
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "t.db";
};

// 2 models x 3 tilings of a 32-pixel picture; a tile of 64 covers it, so it repeats `none`.
TEST_F(MeasureTest, EveryCellOfTheFirstPicturesHasItsSamples) {
  const Sweep made = sweep("{images: 1, repeats: 4, budget: 100}");
  Store store(file_);
  run_sweep(made, store, {});
  const MeasureResult result = measure_model_times(made, store, {});
  EXPECT_EQ(result.measured, 4u);
  EXPECT_THAT(result.failures, IsEmpty());
  for (const TrialResult& trial : results(store, made)) {
    const bool timed = trial.image == 0 && trial.same_as == kNoTrial;
    if (trial.same_as == kNoTrial) {
      EXPECT_EQ(samples(trial), timed ? 4u : 0u);
    }
    if (!timed) continue;
    const auto facts = nlohmann::json::parse(trial.model_time);
    EXPECT_EQ(facts["samples"], 4);
    EXPECT_EQ(facts["output_check"], "same pixels");
    EXPECT_FALSE(facts.contains("repeat"));
    EXPECT_NE(store.timing_session(parse_digest(facts["session"].get<std::string>())), "");
  }
  const MeasureResult again = measure_model_times(made, store, {});
  EXPECT_EQ(again.measured, 0u);
  EXPECT_EQ(again.known, 4u);
}

TEST_F(MeasureTest, ThoroughMeasuresAgainWithPeaksMemoryAndSelfCheck) {
  const Sweep made = sweep("{images: 1, repeats: 1, budget: 100}");
  Store store(file_);
  run_sweep(made, store, {});
  measure_model_times(made, store, {});
  const MeasureResult result = measure_model_times(made, store, {.thorough = true});
  EXPECT_EQ(result.measured, 4u);
  for (const TrialResult& trial : results(store, made)) {
    if (trial.image != 0 || trial.same_as != kNoTrial) continue;
    EXPECT_EQ(samples(trial), 9u);
    EXPECT_GT(trial.peak_bytes, 3u * 64 * 64 * sizeof(float));  // more than the output
    const auto facts = nlohmann::json::parse(trial.model_time);
    EXPECT_EQ(facts["repeat"]["distinct_s"].size(), 5u);
    const bool network = made.plan.rows.cells[trial.cell].label[0].second == "compact-x2";
    EXPECT_EQ(facts.contains("peak_share"), network);
    const auto session =
        nlohmann::json::parse(store.timing_session(parse_digest(facts["session"].get<std::string>())));
    EXPECT_GT(session["peaks"]["fp32_flops"], 0);
  }
  EXPECT_EQ(measure_model_times(made, store, {.thorough = true}).known, 4u);
}

// Work of compact-x2 by hand: 32 x 32 input pixels, as one piece.
TEST_F(MeasureTest, MacsAreThoseOfThePixelsComputed) {
  const Sweep made = sweep("{images: 1, repeats: 1, budget: 100}");
  Store store(file_);
  run_sweep(made, store, {});
  measure_model_times(made, store, {});
  const double per_pixel = made.models.at("\"compact-x2\"").macs_per_pixel;
  std::vector<double> macs;
  for (const TrialResult& trial : results(store, made)) {
    const auto facts = nlohmann::json::parse(trial.model_time, nullptr, false);
    if (facts.is_object() && trial.same_as == kNoTrial && facts.contains("macs"))
      macs.push_back(facts["macs"].get<double>() / per_pixel);
  }
  ASSERT_EQ(macs.size(), 2u);
  EXPECT_EQ(macs[0], 1024);
  EXPECT_GT(macs[1], 1024);  // tiles of 16 with overlap
}

TEST_F(MeasureTest, WeightsTakeWhatTheirCellsPrecisionHoldsThemIn) {
  constexpr double kWeights = 1e9;  // far more than all tensors of a lap
  Sweep made = sweep("none", "model: compact-x2, precision: [fp32, bf16]");
  made.models.at("\"compact-x2\"").weight_bytes = static_cast<std::int64_t>(4 * kWeights);  // in float32
  made.threads = 1;  // with another number of them bf16 may round otherwise than the scored output
  Store store(file_);
  run_sweep(made, store, {});
  const MeasureResult result = measure_model_times(made, store, {.thorough = true, .budget_s = 5});
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(result.measured, 2u);
  for (const TrialResult& trial : results(store, made)) {
    if (trial.image != 0) continue;
    const auto settings = nlohmann::json::parse(made.plan.rows.cells[trial.cell].settings);
    const std::string precision = settings.at(0).at("settings").at("precision");
    const double rest = static_cast<double>(trial.peak_bytes) - (precision == "fp32" ? 4 : 2) * kWeights;
    EXPECT_GT(rest, 3.0 * 64 * 64 * sizeof(float)) << precision << ": the output at least";
    EXPECT_LT(rest, kWeights / 10) << precision;
  }
}

TEST_F(MeasureTest, AnOutputThatIsNotTheScoredOneHasNoModelTime) {
  const Sweep made = sweep("{images: 1, repeats: 2, budget: 100}");
  {
    Store store(file_);
    run_sweep(made, store, {});
  }
  test::run_sql(file_, "UPDATE outputs SET pixels = zeroblob(32)");
  Store store(file_);
  store.begin_run(made.plan.rows);
  const MeasureResult result = measure_model_times(made, store, {});
  EXPECT_EQ(result.measured, 0u);
  ASSERT_EQ(result.failures.size(), 4u);
  EXPECT_THAT(result.failures[0], HasSubstr("the timed output is not the scored one"));
  for (const TrialResult& trial : results(store, made)) EXPECT_EQ(samples(trial), 0u);
}

TEST_F(MeasureTest, NothingIsMeasuredWhereNothingIsWantedOrAfterAStop) {
  const Sweep none = sweep("none");
  Store store(file_);
  run_sweep(none, store, {});
  EXPECT_EQ(measure_model_times(none, store, {}).measured, 0u);
  std::atomic<bool> stop = true;
  const MeasureResult stopped = measure_model_times(none, store, {.thorough = true, .stop = &stop});
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.measured, 0u);
}

TEST(TensorMemory, CountsWhatIsAliveAtOnce) {
  constexpr std::int64_t kFloats = 1 << 16;
  const std::uint64_t both =
      peak_tensor_bytes("cpu", [] { const at::Tensor a = at::empty({kFloats}), b = at::empty({kFloats}); });
  const std::uint64_t one_by_one = peak_tensor_bytes("cpu", [] {
    for (int i = 0; i < 5; ++i) at::empty({kFloats});
  });
  EXPECT_EQ(both, 2 * kFloats * sizeof(float));
  EXPECT_EQ(one_by_one, kFloats * sizeof(float));
  EXPECT_EQ(peak_tensor_bytes("cpu", [] {}), 0u);
}

TEST(Peaks, ArePerPrecision) {
  const Peaks peaks{.fp32_flops = 1, .bf16_flops = 2, .fp16_flops = 3};
  EXPECT_EQ(peak_flops(peaks, "fp32"), 1);
  EXPECT_EQ(peak_flops(peaks, "bf16"), 2);
  EXPECT_EQ(peak_flops(peaks, "fp16"), 3);
  EXPECT_EQ(peak_flops(peaks, "int8"), 0);
}

}  // namespace
}  // namespace upbench
