#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/catalog.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(std::string_view text) {
  try {
    parse_metric(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

// Without the artifact detectors.
std::vector<Metric> pair_metrics() {
  std::vector<Metric> pairs;
  for (const Metric& metric : metrics())
    if (metric.detector == nullptr) pairs.push_back(metric);
  return pairs;
}

TEST(MetricCatalog, ListsEveryMetricOnce) {
  std::vector<std::string> names;
  for (const Metric& metric : pair_metrics()) names.push_back(metric.name);
  EXPECT_THAT(names,
              ElementsAre("mse", "psnr-rgb", "psnr-y", "ssim-rgb", "ssim-y", "lpips-alex", "lpips-squeeze",
                          "lr-psnr-x2", "lr-psnr-x3", "lr-psnr-x4", "erqa", "ciede2000", "shift", "cambi"));
}

TEST(MetricCatalog, PrintsAConventionWithEachNumber) {
  for (const Metric& metric : metrics()) {
    EXPECT_FALSE(metric.convention.empty()) << metric.name;
    EXPECT_EQ(metric.convention.find('\n'), std::string::npos) << metric.name;
    if (metric.detector == nullptr) {
      EXPECT_EQ(metric.unit, metric.name.find("psnr") != std::string::npos ? "dB"
                             : metric.name == "shift"                      ? "px"
                             : metric.name == "ciede2000"                  ? "DeltaE"
                                                                           : "")
          << metric.name;
    }
  }
}

class EveryMetric : public testing::TestWithParam<Metric> {};
INSTANTIATE_TEST_SUITE_P(Catalog, EveryMetric, testing::ValuesIn(pair_metrics()), [](const auto& test) {
  std::string name = test.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_P(EveryMetric, GivesIdenticalPicturesItsBestValueExactly) {
  UPBENCH_NEEDS_ASSETS();
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Image picture = test::textured(67, 45, 1);
  const std::string& name = GetParam().name;
  const double best = name.find("psnr") != std::string::npos       ? std::numeric_limits<double>::infinity()
                      : name.starts_with("ssim") || name == "erqa" ? 1.0
                                                                   : 0.0;
  for (const char* options : {"", "@b3", "@float", "@b3@float"}) {
    const Score score = Scorer({parse_metric(name + options)}, 2).score(picture, picture).at(0).score;
    EXPECT_EQ(score.value, best) << name << options;
    EXPECT_EQ(score.flag, name.find("psnr") != std::string::npos ? ScoreFlag::inf : ScoreFlag::ok)
        << name << options;
  }
}

TEST_P(EveryMetric, PrefersTheCloserPicture) {
  if (GetParam().name == "cambi") GTEST_SKIP() << "banding of the output alone: noise hides it";
  UPBENCH_NEEDS_ASSETS();
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Image reference = test::textured(67, 45, 2);
  const Scorer scorer({parse_metric(GetParam().name)}, 0);
  const double close = scorer.score(test::noisy(reference, 5, 3), reference).at(0).score.value;
  const double far = scorer.score(test::noisy(reference, 50, 3), reference).at(0).score.value;
  EXPECT_EQ(close > far, GetParam().better == Better::higher) << close << " and " << far;
  EXPECT_NE(close, far);
}

TEST_P(EveryMetric, LeavesThePicturesAlone) {
  UPBENCH_NEEDS_ASSETS();
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Image reference = test::textured(40, 40, 4), output = reference * 1.5 - 0.2;
  const Image reference_before = reference.clone(), output_before = output.clone();
  Scorer({parse_metric(GetParam().name)}, 0).score(output, reference);
  EXPECT_TRUE(output.equal(output_before));
  EXPECT_TRUE(reference.equal(reference_before));
}

TEST(ParseMetric, TakesOptionsInAnyOrderAndWritesThemInOne) {
  const MetricRequest plain = parse_metric("psnr-y");
  EXPECT_EQ(plain.name, "psnr-y");
  EXPECT_EQ(plain.metric->name, "psnr-y");
  EXPECT_EQ(plain.border, -1);
  EXPECT_TRUE(plain.quantize);

  const MetricRequest both = parse_metric("ssim-rgb@float@b12");
  EXPECT_EQ(both.name, "ssim-rgb@b12@float");
  EXPECT_EQ(both.border, 12);
  EXPECT_FALSE(both.quantize);

  EXPECT_EQ(parse_metric("mse@b0").border, 0);
  EXPECT_EQ(parse_metric("mse@b04").name, "mse@b4");
}

TEST(ParseMetric, SuggestsTheNearestName) {
  EXPECT_THAT(
      refusal("psnrr"),
      HasSubstr(
          "unknown metric 'psnrr'; did you mean 'psnr-y'? known: mse, psnr-rgb, psnr-y, ssim-rgb, "
          "ssim-y, lpips-alex, lpips-squeeze, lr-psnr-x2, lr-psnr-x3, lr-psnr-x4, erqa, ciede2000, shift, "
          "cambi"));
  EXPECT_THAT(refusal("psnrr"), HasSubstr("seam, "));
  EXPECT_THAT(refusal("psnrr"), HasSubstr("artifacts (every detector)"));
  EXPECT_THAT(refusal("lpips"), HasSubstr("did you mean 'lpips-alex'?"));
  EXPECT_THAT(refusal("SSIM-Y"), HasSubstr("did you mean 'ssim-y'?"));
  EXPECT_THAT(refusal("ssim_rgb@b4"), HasSubstr("unknown metric 'ssim_rgb'; did you mean 'ssim-rgb'?"));
  EXPECT_THAT(refusal("butteraugli"), HasSubstr("unknown metric 'butteraugli'; known: mse"));
  EXPECT_THAT(refusal(""), HasSubstr("unknown metric ''; known: mse"));
}

TEST(ParseMetric, RefusesOptionsItDoesNotKnow) {
  for (const char* text :
       {"psnr-y@", "psnr-y@b", "psnr-y@b-1", "psnr-y@b1x", "psnr-y@b1001", "psnr-y@b99999999999",
        "psnr-y@Float", "psnr-y@float@", "psnr-y@@float", "psnr-y@ b4"})
    EXPECT_THAT(refusal(text), HasSubstr("known: @bN (cut N pixels at each side, 0..1000), @float")) << text;
  EXPECT_THAT(refusal("psnr-y@b4@b8"), HasSubstr("option '@b8' after another of its kind"));
  EXPECT_THAT(refusal("psnr-y@float@float"), HasSubstr("option '@float' after another of its kind"));
}

}  // namespace
}  // namespace upbench
