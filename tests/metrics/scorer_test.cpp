#include <cmath>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/catalog.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::constant;
using test::noisy;
using test::textured;
using testing::HasSubstr;

Scorer scorer(std::initializer_list<const char*> names, int border = 0) {
  std::vector<MetricRequest> requests;
  for (const char* name : names) requests.push_back(parse_metric(name));
  return Scorer(std::move(requests), border);
}

// The message of the exception that scoring ends with.
std::string refusal(const Image& output, const Image& reference) {
  try {
    scorer({"mse"}).score(output, reference);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Scorer, GivesOneResultPerRequestInTheirOrder) {
  const Image reference = textured(30, 30, 1), output = noisy(reference, 10, 2);
  const Scorer all = scorer({"ssim-y", "mse", "psnr-rgb", "mse@float"});
  const auto results = all.score(output, reference);
  ASSERT_EQ(results.size(), 4u);
  EXPECT_LT(results[0].score.value, 1);
  EXPECT_NEAR(results[2].score.value, 10 * std::log10(65025 / results[1].score.value), 1e-12);
  EXPECT_NEAR(results[3].score.value, results[1].score.value,
              1e-6 * results[1].score.value);  // the picture is 8-bit already
  for (const auto& result : results) EXPECT_GE(result.seconds, 0);

  const auto some = all.score(output, reference, {2, 0});
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some[0].score.value, results[2].score.value);
  EXPECT_EQ(some[1].score.value, results[0].score.value);
}

TEST(Scorer, SaysWhichBorderItCuts) {
  const Scorer cutting = scorer({"psnr-y", "ssim-rgb@b0", "mse@b7", "lpips-alex", "lpips-alex@b3"}, 4);
  EXPECT_EQ(cutting.border(0), 4);
  EXPECT_EQ(cutting.border(1), 0);
  EXPECT_EQ(cutting.border(2), 7);
  EXPECT_EQ(cutting.border(3), 0);
  EXPECT_EQ(cutting.border(4), 3);
  EXPECT_EQ(cutting.requests().at(2).name, "mse@b7");
}

TEST(Scorer, ScoresACutPictureLikeThatPictureAlone) {
  const Image reference = textured(37, 41, 3), output = noisy(reference, 20, 4);
  const auto inner = [](const Image& image) { return image.narrow(1, 5, 27).narrow(2, 5, 31).contiguous(); };
  for (const char* name : {"psnr-rgb", "psnr-y", "ssim-rgb", "ssim-y"})
    EXPECT_EQ(scorer({name}, 5).score(output, reference)[0].score.value,
              scorer({name}).score(inner(output), inner(reference))[0].score.value)
        << name;
}

TEST(Scorer, TakesPicturesWithAnyMemoryLayout) {
  const Image reference = textured(20, 24, 5), output = noisy(reference, 20, 6);
  const auto interleaved = [](const Image& image) {
    return image.permute({1, 2, 0}).contiguous().permute({2, 0, 1});
  };
  for (const char* name : {"psnr-y", "ssim-rgb@float"})
    EXPECT_EQ(scorer({name}).score(interleaved(output), interleaved(reference))[0].score.value,
              scorer({name}).score(output, reference)[0].score.value)
        << name;
}

TEST(Scorer, RefusesPicturesOfDifferentSizes) {
  EXPECT_EQ(refusal(constant(10, 12, 0), constant(10, 10, 0)),
            "cannot score: the output is 12x10, the reference 10x10; expected one size");
}

TEST(Scorer, RefusesWhatIsNotAnImage) {
  EXPECT_THAT(refusal(at::zeros({1, 4, 4}), constant(4, 4, 0)), HasSubstr("output to score"));
  EXPECT_THAT(refusal(constant(4, 4, 0), at::zeros({3, 4, 4}, at::kDouble)),
              HasSubstr("reference to score against"));
  EXPECT_THAT(refusal(at::Tensor(), constant(4, 4, 0)), HasSubstr("output to score"));
  EXPECT_THAT(refusal(constant(4, 0, 0), constant(4, 0, 0)), HasSubstr("output to score"));
}

TEST(Scorer, FailsEveryMetricOfAnOutputThatIsNotFinite) {
  const Image reference = textured(30, 30, 7);
  for (float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                      -std::numeric_limits<float>::infinity()}) {
    Image output = reference.clone();
    output[2][29][29] = value;
    for (const auto& result : scorer({"mse", "ssim-y", "psnr-y@float"}, 4).score(output, reference)) {
      EXPECT_EQ(result.score.flag, ScoreFlag::failed);
      EXPECT_EQ(result.score.reason, "the output holds NaN or infinite values");
    }
    EXPECT_EQ(scorer({"mse"}).score(reference, output)[0].score.reason,
              "the reference holds NaN or infinite values");
  }
}

TEST(Scorer, HasNoValueWhereTheBorderLeavesNothing) {
  const Image picture = constant(8, 20, 0.5);
  EXPECT_EQ(scorer({"mse"}, 3).score(picture, picture)[0].score.flag, ScoreFlag::ok);
  const Score score = scorer({"psnr-rgb"}, 4).score(picture, picture)[0].score;
  EXPECT_EQ(score.flag, ScoreFlag::undefined);
  EXPECT_EQ(score.reason, "nothing is left after a cut of 4 pixels");
}

TEST(Scorer, TurnsAMetricsOwnFailureIntoAScore) {
  const Metric throwing{.name = "throwing", .make = [](std::string&) {
                          return [](const Image&, const Image&) -> Score {
                            throw std::runtime_error("out of ink");
                          };
                        }};
  const Metric nan{.name = "nan", .make = [](std::string&) {
                     return [](const Image&, const Image&) { return Score{.value = std::nan("")}; };
                   }};
  const Metric shape{.name = "shape", .make = [](std::string&) {
                       return [](const Image& a, const Image&) {
                         return Score{.value = a.view({7}).sum().item<double>()};
                       };
                     }};
  const Scorer broken({{.name = "throwing", .metric = &throwing},
                       {.name = "nan", .metric = &nan},
                       {.name = "shape", .metric = &shape},
                       parse_metric("mse")},
                      0);
  const Image picture = constant(4, 4, 0.5);
  const auto results = broken.score(picture, picture);
  EXPECT_EQ(results[0].score.flag, ScoreFlag::failed);
  EXPECT_EQ(results[0].score.reason, "out of ink");
  EXPECT_EQ(results[1].score.flag, ScoreFlag::failed);
  EXPECT_EQ(results[1].score.reason, "the score is not a finite number");
  EXPECT_EQ(results[2].score.flag, ScoreFlag::failed);
  EXPECT_EQ(results[2].score.reason.find('\n'), std::string::npos)
      << "a backtrace: " << results[2].score.reason;
  EXPECT_EQ(results[3].score.flag, ScoreFlag::ok);
}

TEST(Scorer, GivesTheSameScoresFromSeveralThreads) {
  const Scorer shared = scorer({"ssim-rgb", "psnr-y"});
  const Image reference = textured(60, 70, 8), output = noisy(reference, 15, 9);
  const auto expected = shared.score(output, reference);
  std::array<std::vector<Scorer::Result>, 4> results;
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = shared.score(output, reference); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results)
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(result[i].score.value, expected[i].score.value);
}

}  // namespace
}  // namespace upbench
