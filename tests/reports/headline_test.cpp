// The first screen, on runs whose truth is known.
#include "reports/headline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using test::headline_of;
using test::noise;
using test::scored_run;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

auto says(const std::string& words) {
  return testing::Field("text", &Sentence::text, HasSubstr(words));
}

auto is(const std::string& words) {
  return testing::Field("text", &Sentence::text, words);
}

TEST(Headline, AClearWinnerIsNamedWithIntervalWinsAndAdjustedP) {
  // good is 1 dB above fair and 3 dB above poor, give or take half a dB.
  const RunData data = scored_run("upscale.model", {"poor", "good", "fair"}, 20, {"psnr-y"},
                                  [](std::size_t, std::size_t cell, std::size_t picture) {
                                    const double level[] = {27, 30, 29};
                                    return level[cell] + 5 * noise(picture) + noise(picture, cell + 1);
                                  });
  const Headline headline = headline_of(data);
  EXPECT_THAT(
      headline.findings,
      ElementsAre(is("psnr-y: good is best with a mean of 30.44 dB: 0.96 dB [0.77, 1.13] ahead of the "
                     "next, fair, and better on 20 of 20 pictures (p < 0.001).")));
  EXPECT_EQ(headline.findings[0].evidence, "comparison");
}

TEST(Headline, DetectorsHaveOneSentenceTogether) {
  RunData data =
      scored_run("upscale.model", {"a", "b"}, 20, {"psnr-y", "seam", "halo"},
                 [](std::size_t metric, std::size_t cell, std::size_t picture) {
                   return metric == 0 ? 30 + static_cast<double>(cell) + 0.1 * noise(picture, cell) : 1.0;
                 });
  for (std::size_t t = 0; t < data.trials.size(); ++t) {
    const bool seam = data.trials[t].cell == 1 && data.trials[t].image < 15;
    data.set_decision(t, 1, seam ? RunData::Decision::flagged : RunData::Decision::clean);
    data.set_decision(t, 2, RunData::Decision::clean);
  }
  data.calibrated_by = {{"seam", "1"}, {"halo", "1"}};
  const Headline headline = headline_of(data);
  EXPECT_THAT(headline.findings, Contains(says("psnr-y: b is best")));
  EXPECT_THAT(
      headline.findings,
      Contains(is("Artifacts, by detectors whose thresholds are experimental: seam most often with b (15 of "
                  "20 pictures).")));
  EXPECT_THAT(headline.findings, Not(Contains(says("seam: "))));
  EXPECT_THAT(headline.findings, Not(Contains(says("halo"))));
}

TEST(Headline, ATieIsCalledOneAndThePlannerSaysWhatWouldEndIt) {
  const RunData data = scored_run("upscale.model", {"a", "b", "poor"}, 20, {"psnr-y"},
                                  [](std::size_t, std::size_t cell, std::size_t picture) {
                                    return 30 + (cell == 2 ? -3 : 0) + noise(picture, cell + 1);
                                  });
  EXPECT_THAT(
      headline_of(data).findings,
      ElementsAre(is("psnr-y: a, b cannot be told apart: a has the best mean, 30.04 dB; next is b, 0.07 dB "
                     "[-0.11, 0.25] behind and beaten on 10 of 20 pictures. About 238 pictures like these "
                     "would tell these two apart. Shown to be worse: poor, 3.03 dB [2.79, 3.26] behind and "
                     "beaten on 20 of 20 pictures (p < 0.001).")));
}

TEST(Headline, CellsThatDifferByNothingThatMattersAreShownToBeEqual) {
  const RunData data =
      scored_run("upscale.model", {"a", "b", "poor"}, 20, {"psnr-y"},
                 [](std::size_t, std::size_t cell, std::size_t picture) {
                   return 30 + noise(picture) + (cell == 2 ? -3 : 0) + 0.01 * noise(picture, cell + 1);
                 });
  EXPECT_THAT(headline_of(data).findings, ElementsAre(says("(equal to within 0.05 dB) are best")));
}

TEST(Headline, TooFewPicturesNameNoWinnerHoweverClearItLooks) {
  const RunData data = scored_run("upscale.model", {"good", "poor"}, 5, {"psnr-y"},
                                  [](std::size_t, std::size_t cell, std::size_t picture) {
                                    return 30 - 5.0 * static_cast<double>(cell) + noise(picture, cell);
                                  });
  EXPECT_THAT(
      headline_of(data).findings,
      ElementsAre(says("5 pictures cannot show any difference between 2 cells: at least 6 are needed")));
}

TEST(Headline, AWinnerThatHangsOnOnePictureIsSaidTo) {
  // b loses 0.2 dB on every picture but the last, which it wins by 10 dB.
  const RunData data = scored_run(
      "upscale.model", {"a", "b"}, 20, {"psnr-y"}, [](std::size_t, std::size_t cell, std::size_t picture) {
        const double gain = picture == 19 ? 10 : -0.2;
        return 30 + 5 * noise(picture) + (cell == 1 ? gain + 0.1 * noise(picture, 1) : 0);
      });
  const Headline headline = headline_of(data);
  EXPECT_THAT(headline.findings, Contains(says("no cell can be called best: b has the best mean")));
  EXPECT_THAT(headline.findings,
              Contains(is("psnr-y: the winner hangs on one picture: without p19, a has the best mean.")));
}

TEST(Headline, MetricsThatDisagreeAreNamedWithTheirWinners) {
  const RunData data = scored_run("upscale.model", {"sharp", "smooth"}, 20, {"psnr-y", "lpips-alex"},
                                  [](std::size_t metric, std::size_t cell, std::size_t picture) {
                                    const bool ahead = (metric == 0) == (cell == 1);
                                    const double level =
                                        metric == 0 ? (ahead ? 31 : 30) : (ahead ? 0.2 : 0.3);
                                    return level + 0.01 * noise(picture, cell);
                                  });
  EXPECT_THAT(
      headline_of(data).findings[0],
      is("The metrics disagree: by psnr-y the winner is smooth, under lpips-alex instead it is sharp."));
}

TEST(Headline, MetricsThatAgreeAreSummedUp) {
  const RunData data = scored_run(
      "upscale.model", {"good", "poor"}, 20, {"psnr-y", "lpips-alex"},
      [](std::size_t metric, std::size_t cell, std::size_t picture) {
        return (metric == 0 ? 30.0 - static_cast<double>(cell) : 0.2 + 0.1 * static_cast<double>(cell)) +
               0.01 * noise(picture, cell);
      });
  EXPECT_THAT(headline_of(data).findings[0], is("good is best by psnr-y and lpips-alex."));
}

TEST(Headline, ClassesWithDifferentWinnersAreTold) {
  RunData data = scored_run("upscale.model", {"a", "b"}, 24, {"psnr-y"},
                            [](std::size_t, std::size_t cell, std::size_t picture) {
                              const bool text = picture % 2 == 0;
                              return 30 + (text == (cell == 0) ? 1 : 0) + 0.2 * noise(picture, cell);
                            });
  for (std::size_t i = 0; i < data.plan.images.size(); ++i)
    data.plan.images[i].notes = {i % 2 == 0 ? "class: text" : "class: photo"};
  EXPECT_THAT(headline_of(data).findings, Contains(is("psnr-y: the classes of pictures have different "
                                                      "winners: on text (n = 12) a; on photo (n = 12) b.")));
}

// Scores along a numeric axis.
Headline along_axis(const std::function<double(double)>& curve, double spread) {
  const std::vector<std::string> values = {"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"};
  return headline_of(scored_run(
      "refine.denoise", values, 20, {"psnr-y"}, [&](std::size_t, std::size_t cell, std::size_t picture) {
        return 30 + 5 * noise(picture) + curve(0.1 * (1 + static_cast<double>(cell))) +
               spread * noise(picture, cell + 1);
      }));
}

TEST(Headline, ASweetSpotHasItsIntervalAndPlateau) {
  EXPECT_THAT(along_axis([](double x) { return -10 * (x - 0.42) * (x - 0.42); }, 0.1).findings,
              Contains(says("Along denoise: psnr-y has a sweet spot at 0.42 [0.4")));
}

TEST(Headline, AnEdgeOptimumAsksForAWiderRange) {
  EXPECT_THAT(along_axis([](double x) { return 2 * x; }, 0.1).findings,
              Contains(says("best at the upper end of the range")));
  EXPECT_THAT(along_axis([](double x) { return -2 * x; }, 0.1).findings,
              Contains(says("best at the lower end of the range")));
}

TEST(Headline, NoEffectIsCalledThat) {
  EXPECT_THAT(along_axis([](double) { return 0.0; }, 1).findings,
              Contains(says("psnr-y shows no effect that 20 pictures can tell")));
  EXPECT_THAT(along_axis([](double) { return 0.0; }, 0.01).findings,
              Contains(says("psnr-y shows no effect: all values lie within 0.05 dB")));
}

TEST(Headline, WhereTheNextIsTheSameModelTheNextModelIsNamedToo) {
  RunData data = scored_run("upscale.model", {"0", "1", "2"}, 20, {"psnr-y"},
                            [](std::size_t, std::size_t cell, std::size_t picture) {
                              return 30.0 - static_cast<double>(cell * cell) + 0.1 * noise(picture, cell);
                            });
  data.plan.cells[0].label = {{"upscale.model", "net"}, {"upscale.tile", "none"}};
  data.plan.cells[1].label = {{"upscale.model", "net"}, {"upscale.tile", "64"}};
  data.plan.cells[2].label = {{"upscale.model", "lanczos"}, {"upscale.tile", "none"}};
  EXPECT_THAT(headline_of(data).findings, Contains(says("the next, net · tile 64")));
  EXPECT_THAT(headline_of(data).findings, Contains(says("; the next model is lanczos · tile none, 4.0")));
}

TEST(Headline, EqualCellsShareTheBestWithoutATest) {
  const RunData data = scored_run("upscale.model", {"a", "twin", "poor"}, 20, {"psnr-y"},
                                  [](std::size_t, std::size_t cell, std::size_t picture) {
                                    return 30 + noise(picture) - (cell == 2 ? 2 + noise(picture, 2) : 0);
                                  });
  EXPECT_THAT(headline_of(data).findings, ElementsAre(says("a, twin (equal on every picture) are best")));
}

TEST(Headline, CallsNoneBestWhereEachCellMissedAnotherPicture) {
  RunData data = scored_run("upscale.model", {"A", "B"}, 2, {"psnr-y"},
                            [](std::size_t, std::size_t, std::size_t) { return 40; });
  data.scores[1].flag = data.scores[2].flag = ValueFlag::failed;
  const Headline headline = headline_of(data);
  EXPECT_THAT(headline.findings[0], says("fewer than two cells scored all the pictures"));
  EXPECT_THAT(headline.warnings, Contains(says("A, B did not score every picture")));
}

TEST(Headline, UnusablePicturesAreNeitherUnreferencedNorOfAnySize) {
  RunData data = test::sample_run();
  data.plan.images[1].problem = "truncated";
  data.plan.images[1].reference = {};
  data.plan.images[1].input_width = data.plan.images[1].input_height = 0;
  const Headline headline = headline_of(data);
  EXPECT_THAT(headline.warnings, Contains(says("1 of 3 pictures cannot be used")));
  EXPECT_THAT(headline.warnings, Not(Contains(says("have no reference"))));
  EXPECT_THAT(headline.facts, Contains(testing::Pair("pictures", "3, input 32x24 px")));
}

TEST(Headline, WarnsOfMixedBorders) {
  RunData data = test::sample_run();
  data.plan.metrics[1].name = "psnr-y@b0";
  data.plan.metrics[1].border = 0;
  EXPECT_THAT(headline_of(data).warnings,
              Contains(says("psnr-y was scored with different borders (0, 4 px)")));
}

TEST(Headline, WarnsOfADisturbedClock) {
  RunData data = test::sample_run();
  data.trials[0].model_time = data.keep({.mad = 0.001, .flags = {}, .session = "s"});  // half of its 2 ms
  data.timing_sessions["s"] = R"({"flags": ["other processes kept 1.5 processors busy"]})";
  const Headline headline = headline_of(data);
  EXPECT_THAT(headline.warnings, Contains(says("1 of 1 model times are doubtful")));
  EXPECT_THAT(headline.warnings, Contains(says("measured: other processes kept 1.5 processors busy")));
  EXPECT_EQ(headline.warnings.back().evidence, "model_time");
}

}  // namespace
}  // namespace upbench
