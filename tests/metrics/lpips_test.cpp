#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/catalog.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using test::constant;
using test::noisy;
using test::ScopedVariable;
using test::textured;
using testing::HasSubstr;

Score score(const std::string& metric, const Image& output, const Image& reference) {
  return Scorer({parse_metric(metric)}, 4).score(output, reference).at(0).score;
}

class Lpips : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Networks, Lpips, testing::Values("lpips-alex", "lpips-squeeze"),
                         [](const auto& test) { return std::string(test.param).substr(6); });

TEST_P(Lpips, RisesWithNoiseAndIsSymmetric) {
  UPBENCH_NEEDS_ASSETS();
  const ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Image reference = textured(70, 90, 1);
  double before = 0;
  for (double amplitude : {4.0, 16.0, 64.0}) {
    const Image output = noisy(reference, amplitude, 2);
    const double value = score(GetParam(), output, reference).value;
    EXPECT_GT(value, before) << amplitude;
    EXPECT_NEAR(value, score(GetParam(), reference, output).value,
                1e-6);  // order of summation within the batch of two
    before = value;
  }
}

TEST_P(Lpips, IgnoresTheBorderOfTheRunUnlessAsked) {
  UPBENCH_NEEDS_ASSETS();
  const ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Image reference = textured(64, 64, 3);
  Image output = reference.clone();
  output.narrow(1, 0, 4).fill_(1);
  EXPECT_GT(score(GetParam(), output, reference).value, 0);
  EXPECT_EQ(score(GetParam() + std::string("@b4"), output, reference).value, 0);
}

TEST_P(Lpips, IsUndefinedWhereAStageWouldBeEmpty) {
  UPBENCH_NEEDS_ASSETS();
  const ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const int smallest = GetParam() == std::string("lpips-alex") ? 31 : 17;
  EXPECT_EQ(score(GetParam(), constant(smallest, smallest, 0.2), constant(smallest, smallest, 0.8)).flag,
            ScoreFlag::ok);
  const Score result = score(GetParam(), constant(smallest - 1, 64, 0.2), constant(smallest - 1, 64, 0.8));
  EXPECT_EQ(result.flag, ScoreFlag::undefined);
  EXPECT_THAT(result.reason, HasSubstr("smaller than the " + std::to_string(smallest)));
}

TEST_P(Lpips, IsSkippedWithoutItsWeightsAndSaysWhatToPutWhere) {
  const ScopedVariable assets("UPBENCH_ASSETS", nullptr), weights("UPBENCH_WEIGHTS", "/nonexistent");
  const Image picture = textured(64, 64, 4);
  const auto results = Scorer({parse_metric(GetParam()), parse_metric("mse")}, 0).score(picture, picture);
  EXPECT_EQ(results[0].score.flag, ScoreFlag::skipped);
  EXPECT_THAT(results[0].score.reason, HasSubstr("features.pth"));
  EXPECT_THAT(results[0].score.reason, HasSubstr("lin_v0.1_"));
  EXPECT_THAT(results[0].score.reason, HasSubstr("UPBENCH_WEIGHTS"));
  EXPECT_EQ(results[1].score.flag, ScoreFlag::ok);
}

TEST_P(Lpips, FindsItsWeightsInTheFolderOfWeights) {
  UPBENCH_NEEDS_ASSETS();
  const std::string folder = test::assets() / "weights" / "lpips";
  const ScopedVariable assets("UPBENCH_ASSETS", nullptr), weights("UPBENCH_WEIGHTS", folder.c_str());
  EXPECT_EQ(score(GetParam(), textured(64, 64, 5), textured(64, 64, 6)).flag, ScoreFlag::ok);
}

TEST_P(Lpips, RefusesTheWeightsOfAnotherNetwork) {
  UPBENCH_NEEDS_ASSETS();
  const std::filesystem::path real = test::assets() / "weights" / "lpips";
  const bool alex = GetParam() == std::string("lpips-alex");
  const char* own = alex ? "alexnet_features.pth" : "squeezenet1_1_features.pth";
  const char* other = alex ? "squeezenet1_1_features.pth" : "alexnet_features.pth";
  const char* lin = alex ? "lin_v0.1_alex.pth" : "lin_v0.1_squeeze.pth";
  const test::TemporaryFolder folder;
  std::filesystem::copy(real / other, folder / own);
  std::filesystem::copy(real / lin, folder / lin);
  const ScopedVariable assets("UPBENCH_ASSETS", nullptr), weights("UPBENCH_WEIGHTS", folder.path().c_str());
  try {
    const Scorer scorer({parse_metric(GetParam())}, 0);
    FAIL() << "took the weights of another network";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder / own).string()));
    EXPECT_THAT(error.what(), HasSubstr("these are not the weights of"));
  }
}

TEST_P(Lpips, RefusesTheChannelWeightsOfAnotherNetwork) {
  UPBENCH_NEEDS_ASSETS();
  const std::filesystem::path real = test::assets() / "weights" / "lpips";
  const bool alex = GetParam() == std::string("lpips-alex");
  const char* features = alex ? "alexnet_features.pth" : "squeezenet1_1_features.pth";
  const char* lin = alex ? "lin_v0.1_alex.pth" : "lin_v0.1_squeeze.pth";
  const test::TemporaryFolder folder;
  std::filesystem::copy(real / features, folder / features);
  std::filesystem::copy(real / "lin_v0.1_vgg.pth", folder / lin);
  const ScopedVariable assets("UPBENCH_ASSETS", nullptr), weights("UPBENCH_WEIGHTS", folder.path().c_str());
  try {
    const Scorer scorer({parse_metric(GetParam())}, 0);
    FAIL() << "took the channel weights of another network";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder / lin).string()));
  }
}

}  // namespace
}  // namespace upbench
