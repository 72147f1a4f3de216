#include "harness/adaptive.h"

#include <algorithm>
#include <atomic>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::HasSubstr;

// Small pictures, made up; nearest is the worst upscaler of all by far.
constexpr char kUpscalers[] = R"(name: race
images: {procedural: {count: 24, size: 48, seed: 5}, lr: {scale: 2}}
pipeline:
  - upscale: {model: [nearest, bilinear, bicubic-a75, lanczos]}
metrics: [psnr-y, ssim-y]
timing: none
)";

// The more blur before, the worse.
constexpr char kBlurs[] = R"(name: blur
images: {procedural: {count: 16, size: 48, seed: 5}, lr: {scale: 2}}
pipeline:
  - degrade: {blur: {sigma: [0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6]}}
  - upscale: {model: bicubic-a75}
metrics: [psnr-y]
timing: none
)";

class Adaptive : public testing::Test {
 protected:
  static Sweep sweep(const std::string& spec) {
    return prepare_sweep(parse_spec(spec, "race.yaml", "."), {.device = "cpu", .threads = 1});
  }
  AdaptiveResult race(const Sweep& sweep, const AdaptiveOptions& options) {
    Store store((folder_ / "s.db").string());
    return run_adaptive(sweep, store, kWork, options);
  }
  std::vector<TrialResult> trials(const Sweep& sweep) {
    std::vector<TrialResult> all;
    const Store store((folder_ / "s.db").string(), Store::Access::read);
    store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& trial) { all.push_back(trial); });
    return all;
  }

  const WorkerOptions kWork{.keep_outputs = KeepOutputs::none};
  test::TemporaryFolder folder_;
};

std::size_t best_of_all(const std::vector<TrialResult>& trials, std::size_t cells) {
  std::vector<double> sums(cells, 0);
  for (const TrialResult& trial : trials) sums[trial.cell] += trial.scores[0].value;
  return static_cast<std::size_t>(std::ranges::max_element(sums) - sums.begin());
}

TEST_F(Adaptive, FindsTheWinnerOfTheFullSweepWithFewerTrials) {
  const Sweep upscalers = sweep(kUpscalers);
  const AdaptiveResult result = race(upscalers, {.metric = "psnr-y", .margin = 0.05});
  EXPECT_LT(result.trials, upscalers.plan.rows.trials.size());
  EXPECT_EQ(result.standings[0].state, RaceStanding::State::left);  // nearest

  Store store((folder_ / "s.db").string());
  run_sweep(upscalers, store, kWork);
  EXPECT_EQ(result.winner, best_of_all(trials(upscalers), 4));
}

TEST_F(Adaptive, WhatWasNotRunIsListedWithItsReason) {
  const Sweep upscalers = sweep(kUpscalers);
  const AdaptiveResult result = race(upscalers, {.metric = "psnr-y", .margin = 0.05});
  std::uint64_t skipped = 0;
  std::string reason;
  for (const TrialResult& trial : trials(upscalers)) {
    EXPECT_TRUE(trial.finished);
    skipped += trial.status == Status::skipped;
    if (trial.status == Status::skipped && trial.cell == 0) reason = trial.reason;
  }
  EXPECT_EQ(skipped, result.work.progress.skipped);
  EXPECT_EQ(skipped + result.trials, upscalers.plan.rows.trials.size());
  EXPECT_THAT(reason, HasSubstr("not run: shown to gain less than 0.05 dB psnr-y on upscale.model="));
  EXPECT_THAT(reason, HasSubstr("over 10 pictures"));
}

TEST_F(Adaptive, AFullRunAfterwardsRunsTheRest) {
  const Sweep upscalers = sweep(kUpscalers);
  const AdaptiveResult result = race(upscalers, {.metric = "psnr-y", .margin = 0.05});
  Store store((folder_ / "s.db").string());
  const WorkerResult rest = run_sweep(upscalers, store, kWork);
  EXPECT_EQ(rest.executed, upscalers.plan.rows.trials.size() - result.trials);
  EXPECT_EQ(rest.progress.ok, upscalers.plan.rows.trials.size());
}

TEST_F(Adaptive, StartedAgainItDecidesTheSameFromTheStore) {
  const Sweep upscalers = sweep(kUpscalers);
  const AdaptiveOptions options{.metric = "psnr-y", .margin = 0.05};
  const AdaptiveResult first = race(upscalers, options), again = race(upscalers, options);
  EXPECT_EQ(again.work.executed, 0u);
  EXPECT_EQ(again.winner, first.winner);
  EXPECT_EQ(again.trials, first.trials);
}

TEST_F(Adaptive, InterruptedItLeavesTheRestToBeRun) {
  const Sweep upscalers = sweep(kUpscalers);
  std::atomic<bool> stop = true;
  WorkerOptions work = kWork;
  work.stop = &stop;
  Store store((folder_ / "s.db").string());
  const AdaptiveResult result = run_adaptive(upscalers, store, work, {.metric = "psnr-y", .margin = 0.05});
  EXPECT_TRUE(result.work.interrupted);
  EXPECT_EQ(store.progress(upscalers.plan.rows.run.key).skipped, 0u);
}

TEST_F(Adaptive, ASettingIsRefinedAroundItsBest) {
  const Sweep blurs = sweep(kBlurs);
  const AdaptiveResult result =
      race(blurs, {.metric = "psnr-y", .margin = 0.01, .refine = "degrade.blur.sigma"});
  EXPECT_EQ(result.winner, 0u);                                        // 0.4
  EXPECT_EQ(result.standings[1].state, RaceStanding::State::left);     // 0.8: joined, beside the best
  EXPECT_EQ(result.standings[5].state, RaceStanding::State::waiting);  // 2.4
  EXPECT_THAT(trials(blurs)[5 * 16].reason,
              HasSubstr("no degrade.blur.sigma beside this one was among the best"));
}

TEST_F(Adaptive, ABudgetEndsItBetweenRounds) {
  const Sweep upscalers = sweep(kUpscalers);
  const AdaptiveResult result = race(upscalers, {.metric = "psnr-y", .margin = 0, .budget_s = 1e-9});
  EXPECT_TRUE(result.out_of_time);
  EXPECT_EQ(result.trials, 0u);
  EXPECT_THAT(trials(upscalers)[0].reason, HasSubstr("the time of 1e-09 s was over"));
}

TEST_F(Adaptive, SmallerIsBetterWhereTheMetricSaysSo) {
  std::string spec = kUpscalers;
  spec.replace(spec.find("psnr-y, ssim-y"), 14, "mse");
  const Sweep upscalers = sweep(spec);
  const AdaptiveResult result = race(upscalers, {.metric = "mse", .margin = 1e-9});
  EXPECT_NE(result.winner, 0u);
  EXPECT_EQ(result.standings[0].state, RaceStanding::State::left);
}

TEST_F(Adaptive, PicturesWithoutReferenceAreRefused) {
  Sweep alone = sweep(kUpscalers);
  for (ImageRow& image : alone.plan.rows.images) image.reference = {};
  EXPECT_THROW(race(alone, {.metric = "psnr-y"}), std::invalid_argument);
}

TEST_F(Adaptive, RequestsThatCannotBeMetAreRefused) {
  const Sweep upscalers = sweep(kUpscalers);
  EXPECT_THROW(race(upscalers, {.metric = "lpips-alex"}), std::invalid_argument);
  EXPECT_THROW(race(upscalers, {.metric = "psnr-y", .refine = "upscale.model"}), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
