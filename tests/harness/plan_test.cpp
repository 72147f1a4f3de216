#include "harness/plan.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan/canonical.h"
#include "harness/plan/text.h"
#include "tests/harness/plan_fixture.h"

namespace upbench {
namespace {

using test::duplicates;
using test::error_of;
using test::inputs_of;
using test::picture;
using test::plan_of;
using test::spec_of;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Plan, IsDescribedWhole) {
  const Spec spec = spec_of("  - upscale: {model: [lanczos, a_x4, b_x2], tile: [none, 64]}\n",
                            "seeds: [0, 1]\nexclude: [{upscale.model: lanczos, upscale.tile: 64}]\n");
  ImageRow broken = picture("c", 0, 0, 0);
  broken.problem = "c.png: PNG truncated at byte 90";
  const Plan plan = make_plan(spec, inputs_of({picture("a", 100, 80), picture("b", 60, 60), broken}));
  EXPECT_EQ(describe_plan(plan, spec), R"(plan of t
axes
  upscale.model: lanczos, a_x4, b_x2
  upscale.tile: none, 64
  seeds: 0, 1
cells          3
pictures       3
seeds          2
metrics        1
trials         18
executions     5
shared stages  0
excluded
       6 trials  upscale.model=lanczos upscale.tile=64: excluded by {upscale.model: lanczos, upscale.tile: 64}
      12 trials  upscale.model=b_x2: scale 2, but the pictures ask for 4 (fit: a1111 would repeat it)
repeat another trial
       5 trials  no stage uses noise: every seed gives the same picture
       2 trials  tile 64 covers the picture: same as tile none
pictures that cannot be used
  c: c.png: PNG truncated at byte 90
weights, in loading order
  no weights: lanczos
  b26b29e277b6: a_x4
estimate       0.053 s, 2.4e+07 MACs, 75 MB memory, 1 MB if all outputs are kept
)");
  const nlohmann::json json = plan_to_json(plan, spec);
  EXPECT_EQ(json["trials"], 18);
  EXPECT_EQ(json["executions"], 5);
  EXPECT_EQ(json["excluded"][1]["label"], nlohmann::json({{"upscale.model", "b_x2"}}));
  EXPECT_EQ(json["weights"][1]["models"], nlohmann::json({"a_x4"}));
}

TEST(Plan, CellsAreTheProductInPipelineOrder) {
  const Plan plan = plan_of("  - upscale: {model: [lanczos, area], tile: [none, 32], context: 4}\n");
  std::vector<std::string> labels;
  for (const CellRow& cell : plan.rows.cells) {
    std::string text;
    for (const auto& [path, value] : cell.label) text += path + "=" + value + " ";
    labels.push_back(text);
  }
  EXPECT_THAT(
      labels,
      ElementsAre("upscale.model=lanczos upscale.tile=none ", "upscale.model=lanczos upscale.tile=32 ",
                  "upscale.model=area upscale.tile=none ", "upscale.model=area upscale.tile=32 "));
  EXPECT_EQ(plan.rows.trials.size(), 8u);
}

TEST(Plan, ModelIsALabelEvenWhereItIsNoAxis) {
  EXPECT_THAT(plan_of("  - upscale: {model: lanczos}\n").rows.cells[0].label,
              ElementsAre(std::pair<std::string, std::string>("upscale.model", "lanczos")));
}

TEST(Plan, ZippedAxesMoveTogether) {
  const Plan plan =
      plan_of("  - upscale: {model: lanczos, tile: {zip: [32, 48, 48]}, context: {zip: [4, 4, 8]}}\n");
  ASSERT_EQ(plan.rows.cells.size(), 3u);
  EXPECT_EQ(plan.rows.cells[2].label[1].second, "48");
  EXPECT_EQ(plan.rows.cells[2].label[2].second, "8");
  EXPECT_THAT(
      error_of(spec_of("  - upscale: {model: lanczos, tile: {zip: [32, 32]}, context: {zip: [4, 4]}}\n"),
               inputs_of({picture("a", 9, 9)})),
      HasSubstr("expected every combination once"));
}

TEST(Plan, CellSettingsHoldEveryParameter) {
  const Plan plan =
      plan_of("  - upscale: {model: a_x4, tile: {size: 32, overlap: 8, mode: half-sine}, context: 99}\n");
  const nlohmann::json settings = nlohmann::json::parse(plan.rows.cells[0].settings);
  EXPECT_EQ(
      settings[0]["settings"],
      nlohmann::json::parse(R"({"model": "a_x4", "tile": 32, "overlap": 8, "context": 10, "mode": "half-sine",
    "precision": "fp32", "fit": "none"})"));
  EXPECT_EQ(settings[0]["models"][0]["scale"], 4);
  EXPECT_EQ(plan.rows.cells[0].group, sha256("a_x4").hex());
}

TEST(Plan, ExclusionRulesCompareValues) {
  const auto cells = [](const std::string& rule) {
    return plan_of(
               "  - resize: {scale: [0.5, 1, 2]}\n  - upscale: {model: a_x2, fit: a1111, tile: [none, 32, "
               "64]}\n",
               "exclude: [" + rule + "]\n")
        .rows.cells.size();
  };
  EXPECT_EQ(cells("{resize.scale: 1}"), 6u);
  EXPECT_EQ(cells("{resize.scale: {below: 1}}"), 6u);
  EXPECT_EQ(cells("{resize.scale: {above: 0.5}}"), 3u);
  EXPECT_EQ(cells("{resize.scale: [0.5, 2], upscale.tile: none}"), 7u);
  EXPECT_EQ(cells("{upscale.tile: {above: 32}}"), 6u);  // none is no number
  EXPECT_EQ(cells("{resize.scale: 7}"), 9u);
}

TEST(Plan, ImpossibleTilesAreExcludedWithTheirReason) {
  const Plan plan = plan_of("  - upscale: {model: a_x4, tile: [32, 64], overlap: 48, mode: uniform}\n");
  ASSERT_EQ(plan.excluded.size(), 1u);
  EXPECT_EQ(plan.excluded[0].reason, "overlap 48 is not smaller than tile 32");
  EXPECT_EQ(plan.excluded[0].trials, 2u);
}

TEST(Plan, SettingsThatComputeTheSameRunOnce) {
  EXPECT_THAT(duplicates(plan_of("  - upscale: {model: lanczos, tile: [none, 128]}\n")),
              ElementsAre(std::pair("tile 128 covers the picture: same as tile none", 2)));
  EXPECT_THAT(duplicates(plan_of("  - upscale: {model: lanczos, tile: [none, 64]}\n")),
              ElementsAre(std::pair("tile 64 covers the picture: same as tile none", 1)));
  EXPECT_THAT(duplicates(plan_of("  - upscale: {model: lanczos, tile: 32, overlap: [0, 8]}\n")),
              ElementsAre(std::pair("overlap does not matter with mode core-context", 2)));
  EXPECT_THAT(duplicates(plan_of(
                  "  - upscale: {model: lanczos, tile: 32, mode: uniform, overlap: 8, context: [0, 8]}\n")),
              ElementsAre(std::pair("context does not matter with mode uniform", 2)));
  EXPECT_THAT(duplicates(plan_of("  - upscale: {model: [lanczos, a_x4], precision: [fp32, fp16]}\n")),
              ElementsAre(std::pair("precision does not matter to models without weights", 2)));
  EXPECT_THAT(
      duplicates(plan_of("  - upscale: {model: a_x4, fit: [none, a1111]}\n")),
      ElementsAre(std::pair("fit does not matter where the model's scale is what the pictures ask for", 2)));
  EXPECT_THAT(duplicates(plan_of("  - upscale: {model: [a_x4, copy of a_x4]}\n")),
              ElementsAre(std::pair("upscale.model copy of a_x4: same as a_x4", 2)));
  EXPECT_THAT(duplicates(plan_of("  - upscale: {model: a_x4}\n", "seeds: [1, 2, 3]\n")),
              ElementsAre(std::pair("no stage uses noise: every seed gives the same picture", 4)));
}

TEST(Plan, FirstInReportOrderIsTheOriginal) {
  const Plan plan = plan_of("  - upscale: {model: lanczos, tile: [none, 128]}\n", "seeds: [5, 6]\n");
  for (std::uint32_t t = 0; t < plan.rows.trials.size(); ++t) {
    const TrialRow& trial = plan.rows.trials[t];
    if (trial.same_as == kNoTrial) continue;
    EXPECT_LT(trial.same_as, t);
    EXPECT_EQ(plan.rows.trials[trial.same_as].output, trial.output);
    EXPECT_EQ(plan.rows.trials[trial.same_as].same_as, kNoTrial);
  }
  EXPECT_EQ(plan.executions, 2u);
}

TEST(Plan, PicturesOfTheSameBytesRunOnceUnlessTheirReferencesDiffer) {
  ImageRow twin = picture("twin", 100, 80), other = picture("other", 100, 80);
  const ImageRow first = picture("a", 100, 80);
  twin.input = other.input = first.input;
  twin.reference = first.reference;
  const Plan plan = make_plan(spec_of("  - upscale: {model: a_x4}\n"), inputs_of({first, twin, other}));
  EXPECT_EQ(plan.rows.trials[1].same_as, 0u);
  EXPECT_EQ(plan.rows.trials[2].same_as, kNoTrial);
  EXPECT_THAT(duplicates(plan), ElementsAre(std::pair("pictures with the same bytes", 1)));
}

TEST(Plan, FitReachesTheWantedScale) {
  const Plan plan = plan_of("  - upscale: {model: [a_x2, b_x3, c_x8], fit: a1111}\n");
  EXPECT_TRUE(plan.excluded.empty());
  const EffectivePipeline repeated = effective_pipeline(plan.rows.cells[0], plan.rows.images[0]);
  EXPECT_EQ(repeated.stages[0].output, (PictureSize{400, 320}));
  EXPECT_EQ(repeated.stages[0].effect["passes"], 2);
  const EffectivePipeline shrunk = effective_pipeline(plan.rows.cells[1], plan.rows.images[0]);
  EXPECT_EQ(shrunk.stages[0].effect["fit"], nlohmann::json::parse(R"({"size": [400, 320], "passes": 2})"));
  EXPECT_EQ(effective_pipeline(plan.rows.cells[2], plan.rows.images[0]).stages[0].effect["fit"]["passes"], 1);
}

TEST(Plan, PipelinesMustEndAtTheWantedScale) {
  EXPECT_TRUE(plan_of("  - upscale: {model: a_x2}\n  - upscale: {model: b_x2}\n").excluded.empty());
  EXPECT_TRUE(plan_of("  - upscale: {model: a_x2}\n  - upscale: {model: lanczos}\n").excluded.empty());
  const Plan plan = plan_of("  - resize: {scale: [0.5, 1]}\n  - upscale: {model: a_x4}\n");
  ASSERT_EQ(plan.excluded.size(), 1u);
  EXPECT_EQ(plan.excluded[0].reason, "scale 2, but the pictures ask for 4 (fit: a1111 would repeat it)");
  EXPECT_THAT(plan.excluded[0].label[0], testing::Pair("resize.scale", "0.5"));
}

TEST(Plan, PicturesWithoutReferenceTakeTheScaleOfTheSpec) {
  const std::vector<ImageRow> images = {picture("a", 100, 80, 0)};
  const auto spec = [](const std::string& scale) {
    return parse_spec("name: t\nimages: {lr: photos" + scale +
                          "}\nmetrics: none\npipeline: [{upscale: {model: [lanczos, a_x2, b_x4]}}]",
                      "s.yaml", "");
  };
  const Plan free = make_plan(spec(""), inputs_of(images));
  ASSERT_EQ(free.excluded.size(), 1u);
  EXPECT_EQ(free.excluded[0].reason,
            "the model takes any scale, but the pictures ask for none (images.scale would say it)");
  const Plan four = make_plan(spec(", scale: 4"), inputs_of(images));
  ASSERT_EQ(four.excluded.size(), 1u);
  EXPECT_THAT(four.excluded[0].reason, HasSubstr("scale 2, but the pictures ask for 4"));
  EXPECT_EQ(four.rows.images[0].reference_width, 400);
  EXPECT_NE(four.rows.images[0].key, free.rows.images[0].key);
  EXPECT_EQ(effective_pipeline(four.rows.cells[0], four.rows.images[0]).stages[0].effect["scale"], 4);
}

TEST(Plan, NothingLeftIsAnError) {
  EXPECT_EQ(error_of(spec_of("  - upscale: {model: a_x2}\n"), inputs_of({picture("a", 9, 9)})),
            "t: every cell is excluded, nothing is left to run: scale 2, but the pictures ask for 4 (fit: "
            "a1111 would repeat it)");
}

TEST(Plan, WithoutStagesThePicturesThemselvesAreTheOutputs) {
  Spec spec = spec_of("  - upscale: {model: a_x4}\n");
  spec.pipeline.clear();
  const Plan plan = make_plan(spec, inputs_of({picture("a", 100, 80, 1), picture("b", 60, 60, 1)}));
  EXPECT_EQ(plan.rows.cells.size(), 1u);
  EXPECT_EQ(plan.executions, 2u);
  EXPECT_EQ(error_of(spec, inputs_of({picture("a", 100, 80, 4)})),
            "t: every cell is excluded, nothing is left to run: scale 1, but the pictures ask for 4");
}

TEST(Plan, RequestFaultsAreNamed) {
  const std::vector<ImageRow> one = {picture("a", 9, 9)};
  EXPECT_EQ(error_of(spec_of("  - upscale: {model: [lanczos, lost]}\n"), inputs_of(one)),
            "s.yaml:6:32: unknown model 'lost'");
  EXPECT_THAT(error_of(spec_of("  - upscale: {model: lanczos}\n"), inputs_of({})), HasSubstr("no pictures"));
  EXPECT_THAT(error_of(spec_of("  - upscale: {model: lanczos}\n"), inputs_of({one[0], one[0]})),
              HasSubstr("two pictures are named 'a'"));
  PlanInputs kernels = inputs_of(one);
  kernels.kernels = {"lanczos", "area"};
  EXPECT_EQ(error_of(spec_of("  - resize: {scale: 4, kernel: lanzcos}\n"), kernels),
            "s.yaml:6:32: unknown kernel 'lanzcos' (did you mean 'lanczos'?), expected one of lanczos, area");
}

TEST(Plan, TooManyTrialsAreCountedAndRefused) {
  const std::string range = "{from: 1, to: 10000, step: 1}";
  const Spec spec = spec_of("  - resize: {long_edge: " + range + "}\n  - resize: {long_edge: " + range +
                            "}\n  - upscale: {model: a_x4, context: " + range + "}\n");
  EXPECT_EQ(error_of(spec, inputs_of({picture("a", 9, 9)})),
            "t: would be 1e12 trials (1e12 cells x 1 pictures x 1 seeds), expected at most 1e8");
  const Spec cells = spec_of("  - resize: {long_edge: " + range +
                             "}\n  - upscale: {model: a_x4, context: {from: 1, to: 200, step: 1}}\n");
  EXPECT_THAT(error_of(cells, inputs_of({picture("a", 9, 9)})), HasSubstr("would be 2e6 cells"));
}

TEST(Plan, OrderIsAPermutationGroupedByWeightsThenPicture) {
  const Plan plan = plan_of("  - upscale: {model: [a_x4, lanczos, b_x4, copy of a_x4], tile: [none, 32]}\n",
                            "seeds: [0, 1]\n");
  std::vector<const TrialRow*> order(plan.rows.trials.size(), nullptr);
  for (const TrialRow& trial : plan.rows.trials) {
    ASSERT_LT(trial.position, order.size());
    ASSERT_EQ(order[trial.position], nullptr);
    order[trial.position] = &trial;
  }
  std::set<std::string> finished;
  std::string group = plan.rows.cells[order[0]->cell].group;
  std::uint32_t image = 0;
  for (const TrialRow* trial : order) {
    if (const std::string& own = plan.rows.cells[trial->cell].group; own != group) {
      EXPECT_TRUE(finished.insert(group).second) << "weights are loaded twice";
      group = own;
      image = 0;
    }
    EXPECT_GE(trial->image, image);
    image = trial->image;
  }
}

TEST(Plan, SharedPrefixesAreCounted) {
  // Two cells, two pictures: the first network of the second cell need not run again.
  EXPECT_EQ(plan_of("  - upscale: {model: a_x2}\n  - upscale: {model: [b_x2, c_x2]}\n").shared_stages, 2u);
  EXPECT_EQ(plan_of("  - upscale: {model: [b_x2, c_x2]}\n  - upscale: {model: a_x2}\n").shared_stages, 0u);
}

TEST(StageKinds, ResizedRoundsHalfUpAndKeepsAPixel) {
  const nlohmann::json none = {
      {"scale", nullptr}, {"megapixels", nullptr}, {"long_edge", nullptr}, {"size", nullptr}};
  const auto size = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json settings = none;
    settings[key] = value;
    return resized(settings, {201, 101});
  };
  EXPECT_EQ(size("scale", 0.5), (PictureSize{101, 51}));
  EXPECT_EQ(size("scale", 0.001), (PictureSize{1, 1}));
  EXPECT_EQ(size("long_edge", 402), (PictureSize{402, 202}));
  EXPECT_EQ(size("megapixels", 0.020301), (PictureSize{201, 101}));
  EXPECT_EQ(size("size", "30x40"), (PictureSize{30, 40}));
}

}  // namespace
}  // namespace upbench
