#include <filesystem>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/stage_kinds.h"
#include "harness/stages/stage.h"
#include "models/checkpoint/checkpoint.h"
#include "models/networks/carn.h"
#include "models/networks/rlfn.h"
#include "tests/models/networks/random_network.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::HasSubstr;

// --- the scale of models that have several
// ----------------------------------------------------------------------

TEST(ChosenScale, IsTheWholeFactorThatLeadsToTheTarget) {
  EXPECT_EQ(chosen_scale({10, 5}, {30, 15}, {}, false), 3);
  EXPECT_EQ(chosen_scale({10, 5}, {30, 15}, {2, 3, 4}, false), 3);
  EXPECT_EQ(chosen_scale({10, 5}, {30, 16}, {}, false), 0);
  EXPECT_EQ(chosen_scale({10, 5}, {80, 40}, {2, 3, 4}, false), 0);
}

TEST(ChosenScale, WithFitIsTheNextAboveElseTheGreatest) {
  EXPECT_EQ(chosen_scale({10, 10}, {25, 25}, {}, true), 3);
  EXPECT_EQ(chosen_scale({10, 10}, {25, 25}, {2, 4}, true), 4);
  EXPECT_EQ(chosen_scale({10, 10}, {80, 80}, {2, 3, 4}, true), 4);
}

// --- settings, as the plan sees them
// ----------------------------------------------------------------------------

nlohmann::json parameters(const nlohmann::json& changes) {
  nlohmann::json all = {{"model", "m"},  {"tile", "none"},         {"overlap", 0},
                        {"context", 10}, {"mode", "core-context"}, {"precision", "fp32"},
                        {"fit", "none"}, {"padding", "authors"},   {"input-range", "authors"}};
  all.update(changes);
  return all;
}

nlohmann::json settled(const nlohmann::json& changes, const ModelFacts& facts) {
  const SettledStage stage = find_stage_kind("upscale")->settle(
      parameters(changes), [&](const nlohmann::json&) -> const ModelFacts& { return facts; });
  return {{"settings", stage.values}, {"models", stage.models}};
}

StageOutcome outcome(const nlohmann::json& stage, PictureSize input, PictureSize target) {
  return find_stage_kind("upscale")->outcome(stage)(input, target);
}

nlohmann::json effect(const nlohmann::json& stage) {
  return find_stage_kind("upscale")->effect(stage, outcome(stage, {8, 8}, {16, 16})).settings;
}

const ModelFacts kOneRule{.scale = 2, .tensor_hash = sha256("a")},
    kTwoRules{.scale = 2, .has_paddings = true, .tensor_hash = sha256("a")},
    kTwoRanges{.scale = 2, .input_range = "0..255", .tensor_hash = sha256("a")},
    kThreeScales{.scales = {2, 3, 4}, .tensor_hash = sha256("b")};

TEST(UpscalePadding, IsSaidOnlyWhereItIsNotTheAuthors) {
  const nlohmann::json plain = settled(nlohmann::json::object(), kOneRule);
  EXPECT_FALSE(plain["settings"].contains("padding"));
  EXPECT_EQ(settled({{"padding", "spandrel"}}, kOneRule), plain);
  EXPECT_EQ(settled(nlohmann::json::object(), kTwoRules), plain);
  const nlohmann::json other = settled({{"padding", "spandrel"}}, kTwoRules);
  EXPECT_EQ(other["settings"]["padding"], "spandrel");
  EXPECT_EQ(effect(other)["padding"], "spandrel");
  EXPECT_FALSE(effect(plain).contains("padding"));
}

TEST(UpscaleInputRange, IsSaidOnlyWhereItIsNotTheAuthors) {
  const nlohmann::json plain = settled(nlohmann::json::object(), kOneRule);
  EXPECT_FALSE(plain["settings"].contains("input-range"));
  EXPECT_EQ(settled({{"input-range", "0..1"}}, kOneRule), plain);
  EXPECT_EQ(settled(nlohmann::json::object(), kTwoRanges), plain);
  EXPECT_EQ(settled({{"input-range", "0..255"}}, kTwoRanges), plain);
  const nlohmann::json other = settled({{"input-range", "0..1"}}, kTwoRanges);
  EXPECT_EQ(other["settings"]["input-range"], "0..1");
  EXPECT_EQ(effect(other)["input-range"], "0..1");
  EXPECT_FALSE(effect(plain).contains("input-range"));
}

TEST(UpscaleScales, ASetOfAnyOfThemWorks) {
  const nlohmann::json stage = settled(nlohmann::json::object(), kThreeScales);
  for (const int scale : {2, 3, 4}) {
    const StageOutcome made = outcome(stage, {10, 8}, {10 * scale, 8 * scale});
    EXPECT_EQ(made.refusal, "");
    EXPECT_EQ(made.output, (PictureSize{10 * scale, 8 * scale}));
    EXPECT_EQ(made.pixels_read, 80);
    EXPECT_EQ(made.pixels_resampled, 0);  // a network, although the pictures choose
  }
}

TEST(UpscaleScales, AnotherIsRefusedWithThoseThereAre) {
  EXPECT_EQ(outcome(settled(nlohmann::json::object(), kThreeScales), {10, 8}, {80, 64}).refusal,
            "the model's scales are 2, 3, 4, but the pictures ask for 8 (fit: a1111 would reach it)");
}

TEST(UpscaleScales, PicturesThatAskForNoneAreRefusedWithThoseThereAre) {
  EXPECT_EQ(outcome(settled(nlohmann::json::object(), kThreeScales), {10, 8}, {}).refusal,
            "the model has the scales 2, 3, 4, but the pictures ask for none (images.scale would say it)");
}

TEST(UpscaleScales, FitRepeatsTheGreatest) {
  const StageOutcome made = outcome(settled({{"fit", "a1111"}}, kThreeScales), {10, 8}, {80, 64});
  EXPECT_EQ(made.refusal, "");
  EXPECT_EQ(made.output, (PictureSize{80, 64}));
  EXPECT_EQ(made.pixels_read, 80 + 40 * 32);
}

// --- the stage
// --------------------------------------------------------------------------------------------------

class UpscaleStageOfSeveralScales : public testing::Test {
 protected:
  UpscaleStageOfSeveralScales() {
    write_safetensors(folder_ / "carn.safetensors",
                      test::random_tensors(carn_layout({.features = 8, .groups = 2}), 1));
  }

  Frame run(const std::string& fit, PictureSize target) {
    const auto stage = make_stage(
        "upscale", "s", parameters({{"model", (folder_ / "carn.safetensors").string()}, {"fit", fit}}));
    return stage->run({.rgb = at::rand({3, 6, 8}), .target = target}, {models_, "cpu", planned_}, used_);
  }

  test::TemporaryFolder folder_;
  ModelCache models_{{.spec_dir = ".", .model_dirs = {}}, 1 << 20};
  std::unordered_map<std::string, ModelFacts> planned_;
  nlohmann::json used_;
};

TEST_F(UpscaleStageOfSeveralScales, GoesToTheWantedSize) {
  EXPECT_EQ(run("none", {24, 18}).rgb.size(2), 24);
  EXPECT_EQ(used_["passes"][0]["scale"], 3);
}

TEST_F(UpscaleStageOfSeveralScales, RepeatsTheGreatestWhereAskedTo) {
  EXPECT_EQ(run("a1111", {64, 48}).rgb.size(2), 64);
  EXPECT_EQ(used_["passes"].size(), 2);
  EXPECT_EQ(used_["passes"][1]["scale"], 4);
}

// 8 x 6 to 64 x 48: by 4, then by 2, then Lanczos to sides that are multiples of 64.
TEST_F(UpscaleStageOfSeveralScales, GoesByFourThreeAndTwoAsUltimateSdUpscale) {
  const Frame frame = run("usdu", {64, 48});
  EXPECT_EQ(frame.rgb.sizes(), at::IntArrayRef({3, 64, 64}));
  ASSERT_EQ(used_["passes"].size(), 2);
  EXPECT_EQ(used_["passes"][0]["scale"], 4);
  EXPECT_EQ(used_["passes"][1]["scale"], 2);
  EXPECT_EQ(used_["fitted_by"], "pil-lanczos");
  const at::Tensor levels = frame.rgb * 255;
  EXPECT_LT((levels - levels.round()).abs().max().item<double>(), 1e-4) << "8 bit at every step";
}

TEST_F(UpscaleStageOfSeveralScales, SaysWhichThereAreWhereNoneIsAskedFor) {
  EXPECT_THAT([&] { run("none", {}); },
              testing::ThrowsMessage<std::invalid_argument>(
                  HasSubstr("no scale of its own and the pictures name none, expected 2 or 3 or 4")));
}

TEST_F(UpscaleStageOfSeveralScales, SaysWhichScaleItCannotReach) {
  EXPECT_THAT([&] { run("none", {64, 48}); },
              testing::ThrowsMessage<std::invalid_argument>(HasSubstr("leads from 8 x 6 to 64 x 48")));
}

// --- the range that a network computes on
// -----------------------------------------------------------------------

// A network that gives its input back, the bias of its last layer added: 51 on its own range.
class UpscaleStageOnARange : public testing::Test {
 protected:
  UpscaleStageOnARange() {
    NamedTensors weights;
    for (const auto& [name, expected] : rlfn_layout({.features = 3, .inner = 3, .attention = 3, .scale = 1}))
      weights[name] = at::zeros(expected.shape);
    for (const std::int64_t channel : {0, 1, 2}) {
      weights["conv_1.weight"][channel][channel][1][1] = 1;
      weights["upsampler.0.weight"][channel][channel][1][1] = 1;
    }
    weights["upsampler.0.bias"].fill_(51);
    write_safetensors(folder_ / "rlfn.safetensors", weights);
  }

  at::Tensor added(const nlohmann::json& changes) {
    nlohmann::json settings = parameters({{"model", (folder_ / "rlfn.safetensors").string()}});
    settings.update(changes);
    const at::Tensor picture = at::rand({3, 16, 16});
    return make_stage("upscale", "s", settings)
               ->run({.rgb = picture, .target = {}}, {models_, "cpu", planned_}, used_)
               .rgb -
           picture;
  }

  test::TemporaryFolder folder_;
  ModelCache models_{{.spec_dir = ".", .model_dirs = {}}, 1 << 20};
  std::unordered_map<std::string, ModelFacts> planned_;
  nlohmann::json used_;
};

TEST_F(UpscaleStageOnARange, IsTheAuthorsUnlessAnotherIsAskedFor) {
  constexpr double kRounding = 1e-5;  // float32, values of up to 51
  EXPECT_LT((added(nlohmann::json::object()) - 0.2).abs().max().item<double>(), kRounding);
  EXPECT_EQ(used_["input_range"], "0..255");
  EXPECT_LT((added({{"input-range", "0..255"}}) - 0.2).abs().max().item<double>(), kRounding);
  EXPECT_LT((added({{"input-range", "0..1"}}) - 51).abs().max().item<double>(), kRounding);
  EXPECT_EQ(used_["input_range"], "0..1");
  EXPECT_LT((added(nlohmann::json::object()) - 0.2).abs().max().item<double>(), kRounding) << "apart";
  EXPECT_EQ(models_.loads(), 3u);
}

}  // namespace
}  // namespace upbench
