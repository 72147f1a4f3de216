#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/degrade.h"
#include "datasets/image.h"
#include "harness/stages/stage.h"

namespace upbench {
namespace {

using testing::HasSubstr;

class DegradeStage : public testing::Test {
 protected:
  Frame run(const nlohmann::json& settings, std::uint64_t seed = 0, const std::string& content = "a",
            const std::string& id = "degrade") {
    return make_stage("degrade", id, settings)
        ->run(input_, {models_, "cpu", planned_, seed, sha256(content)}, used_);
  }

  static at::Tensor picture() {
    const at::Tensor row = at::linspace(0, 1, 40).expand({24, 40});
    return quantized(at::stack({row, row * 0.5, 1 - row}));
  }

  Frame input_{.rgb = picture(), .target = {80, 48}, .boundaries = {{"s", true, 20, 4}}};
  ModelCache models_{{.spec_dir = ".", .model_dirs = {}}, 1 << 20};
  std::unordered_map<std::string, ModelFacts> planned_;
  nlohmann::json used_;
};

TEST_F(DegradeStage, DoesWhatDegradeDoes) {
  const Frame out = run({{"jpeg", 40}, {"noise.gaussian", 5.0}, {"webp", nullptr}}, 7);
  const Image expected = degrade(input_.rgb, {.noise = NoiseSettings{.gaussian = 5}, .jpeg = 40}, 7,
                                 degradation_content(sha256("a"), "degrade"));
  EXPECT_TRUE(at::equal(out.rgb, expected));
  EXPECT_FALSE(at::equal(out.rgb, input_.rgb));
  EXPECT_EQ(used_["degradation"], "gaussian noise 5; jpeg 40");
}

TEST_F(DegradeStage, SeedPictureAndStageDrawApart) {
  const nlohmann::json noise = {{"noise.gaussian", 5.0}};
  const at::Tensor first = run(noise).rgb;
  EXPECT_TRUE(at::equal(first, run(noise).rgb));
  EXPECT_FALSE(at::equal(first, run(noise, 1).rgb));
  EXPECT_FALSE(at::equal(first, run(noise, 0, "b").rgb));
  EXPECT_FALSE(at::equal(first, run(noise, 0, "a", "degrade-2").rgb));
}

TEST_F(DegradeStage, NothingLeavesThePictureAsItIs) {
  input_.rgb = at::rand({3, 24, 40}) * 3 - 1;  // as a network may leave it: no whole levels, not in [0, 1]
  for (const nlohmann::json& nothing : {nlohmann::json{{"jpeg", nullptr}}, nlohmann::json{{"jpeg", "none"}},
                                        nlohmann::json{{"real-esrgan", 0.0}}}) {
    EXPECT_TRUE(at::equal(run(nothing).rgb, input_.rgb)) << nothing;
    EXPECT_EQ(used_["degradation"], "nothing");
  }
}

TEST_F(DegradeStage, SeverityNoughtOfTheChainIsThePicture) {
  // What lets it share the key of a pipeline without the stage: the chain itself changes nothing there.
  EXPECT_TRUE(at::equal(degrade(input_.rgb, {.real_esrgan = 0}, 3, sha256("a")), input_.rgb));
}

TEST_F(DegradeStage, ScaleShrinksPictureAndBoundariesAndKeepsTheTarget) {
  const Frame out = run({{"scale", 2.0}, {"kernel", "lanczos"}});
  EXPECT_EQ(out.rgb.sizes(), (std::vector<std::int64_t>{3, 12, 20}));
  EXPECT_EQ(out.target, input_.target);
  ASSERT_EQ(out.boundaries.size(), 1u);
  EXPECT_EQ(out.boundaries[0].position, 10);
  EXPECT_EQ(out.boundaries[0].half_width, 2);
  EXPECT_EQ(used_["width"], 20);
}

TEST_F(DegradeStage, WhatWasDrawnIsRecorded) {
  run({{"real-esrgan", 1.0}}, 1);
  EXPECT_THAT(used_["degradation"].get<std::string>(), HasSubstr("jpeg"));
  const nlohmann::json first = used_;
  run({{"real-esrgan", 1.0}}, 2);
  EXPECT_NE(used_, first);
}

TEST_F(DegradeStage, AClampedPictureIsDegraded) {
  const nlohmann::json jpeg = {{"jpeg", 60}};
  const at::Tensor inside = run(jpeg).rgb;
  input_.rgb = at::where(input_.rgb == 1, input_.rgb + 1, input_.rgb);
  EXPECT_TRUE(at::equal(run(jpeg).rgb, inside));
}

}  // namespace
}  // namespace upbench
