// Scores where the pictures are, against the scores on the CPU: with the CPU taken for a device, and on a
// GPU.
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include "gpu.h"
#include "metrics/catalog.h"
#include "pretend.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using test::constant;
using test::noisy;
using test::textured;

struct Way {
  const char* device;
  const char* kernels;
};
void PrintTo(const Way& way, std::ostream* out) {
  *out << way.device << ", kernels " << way.kernels;
}

class DeviceScoring : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (on_gpu() && !test::no_gpu().empty()) GTEST_SKIP() << test::no_gpu();
  }
  bool on_gpu() const { return std::string(GetParam().device) != "cpu"; }

  std::vector<Scorer::Result> there(const Scorer& scorer, const Image& output, const Image& reference,
                                    const Digest& name = {}) const {
    const test::ChosenKernels kernels(GetParam().kernels);
    std::optional<PretendedDevice> pretended;
    if (!on_gpu()) pretended.emplace(test::emulated_kernels());
    std::vector<std::size_t> all(scorer.requests().size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return scorer.score(output.to(GetParam().device), reference.to(GetParam().device), all, name);
  }
};
INSTANTIATE_TEST_SUITE_P(Pretended, DeviceScoring,
                         testing::Values(Way{"cpu", "none"}, Way{"cpu", "similarity,layout"}));
INSTANTIATE_TEST_SUITE_P(Cuda, DeviceScoring,
                         testing::Values(Way{"cuda:0", "none"}, Way{"cuda:0", "similarity,layout"}));

Scorer scorer_of(const std::vector<std::string>& names, int border = 4) {
  std::vector<MetricRequest> requests;
  for (const std::string& name : names) requests.push_back(parse_metric(name));
  return {std::move(requests), border};
}

const std::vector<std::string> kSimilar = {
    "psnr-rgb", "psnr-y",      "ssim-rgb",  "ssim-y",         "mse",
    "mse@b0",   "ssim-rgb@b0", "psnr-y@b7", "psnr-rgb@float", "ssim-y@float"};

// metrics/device_scoring.h says why they may differ, and by how much.
double tolerance(const std::string& metric, double value) {
  if (metric.starts_with("psnr")) return 1e-5;
  if (metric.starts_with("ssim")) return 4e-6;
  return (metric.starts_with("mse") ? 1e-6 : 1e-5) * value;
}

void expect_same(const std::vector<Scorer::Result>& found, const std::vector<Scorer::Result>& expected,
                 const Scorer& scorer) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string& name = scorer.requests()[i].name;
    EXPECT_EQ(found[i].score.flag, expected[i].score.flag) << name << ": " << found[i].score.reason;
    EXPECT_EQ(found[i].score.reason, expected[i].score.reason) << name;
    if (expected[i].score.flag == ScoreFlag::ok) {
      EXPECT_NEAR(found[i].score.value, expected[i].score.value, tolerance(name, expected[i].score.value))
          << name;
    }
  }
}

TEST_P(DeviceScoring, IsThatOfTheCpu) {
  const Scorer scorer = scorer_of(kSimilar);
  const Image reference = textured(83, 131, 1), output = noisy(reference, 14, 2).mul(1.1).sub(0.03);
  expect_same(there(scorer, output, reference), scorer.score(output, reference), scorer);
}

TEST_P(DeviceScoring, OfEqualPicturesIsExact) {
  const Scorer scorer = scorer_of(kSimilar);
  const Image picture = textured(40, 50, 3);
  const auto found = there(scorer, picture, picture), expected = scorer.score(picture, picture);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].score.flag, expected[i].score.flag);
    EXPECT_EQ(found[i].score.value, expected[i].score.value) << scorer.requests()[i].name;
  }
}

TEST_P(DeviceScoring, HasTheReasonsOfTheCpu) {
  const Scorer scorer = scorer_of({"ssim-y", "psnr-y", "ssim-y@b0", "psnr-y@b9"});
  const Image small = textured(18, 30, 4);
  expect_same(there(scorer, small, small.mul(0.5)), scorer.score(small, small.mul(0.5)), scorer);
  Image broken = textured(30, 30, 5);
  const Image whole = broken.clone();
  broken[2][29][29] = std::numeric_limits<float>::quiet_NaN();
  expect_same(there(scorer, broken, whole), scorer.score(broken, whole), scorer);
  expect_same(there(scorer, whole, broken), scorer.score(whole, broken), scorer);
}

TEST_P(DeviceScoring, OfLpipsIsThatOfTheCpu) {
  UPBENCH_NEEDS_ASSETS();
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Scorer scorer = scorer_of({"lpips-alex", "psnr-y", "lpips-squeeze", "lpips-alex@float"});
  const Image reference = textured(90, 77, 6), output = noisy(reference, 20, 7);
  const auto expected = scorer.score(output, reference);
  expect_same(there(scorer, output, reference), expected, scorer);

  const Digest name = sha256("a reference");
  const auto before = scorer.reference_cache_use();
  for (int round = 0; round < 3; ++round)
    expect_same(there(scorer, output, reference, name), expected, scorer);
  EXPECT_EQ(scorer.reference_cache_use().misses - before.misses, 3u) << "one for each metric";
  EXPECT_EQ(scorer.reference_cache_use().hits - before.hits, 6u);

  for (const Scorer::Result& result : there(scorer, reference, reference))
    if (result.score.flag == ScoreFlag::ok) {
      EXPECT_EQ(result.score.value, 0.0);
    }
  const Image tiny = textured(12, 12, 8);
  expect_same(there(scorer, tiny, constant(12, 12, 0.5)), scorer.score(tiny, constant(12, 12, 0.5)), scorer);
}

TEST_P(DeviceScoring, AMetricThatThrowsFailsAlone) {
  const auto plain = [](const Image&, const Image&) { return Score{}; };
  const Metric throwing{.name = "throwing", .make = [plain](std::string&) {
                          return ScoreFunction(
                              plain, [](const Image&, const Image&, const FeatureSource&) -> PendingScore {
                                throw std::runtime_error("out of ink");
                              });
                        }};
  const Metric endless{.name = "endless", .make = [plain](std::string&) {
                         return ScoreFunction(
                             plain, [](const Image& a, const Image&, const FeatureSource&) -> PendingScore {
                               return at::full({}, std::nan(""), a.options().dtype(at::kDouble));
                             });
                       }};
  const Metric absent{.name = "absent", .make = [](std::string& reason) {
                        reason = "no weights";
                        return ScoreFunction();
                      }};
  // It knows the CPU alone: the pictures come to it.
  const Metric host{.name = "host", .make = [](std::string&) {
                      return [](const Image& a, const Image&) {
                        return Score{.value = a.is_cpu() ? a.const_data_ptr<float>()[0] : -1.0};
                      };
                    }};
  const Scorer scorer({{.name = "throwing", .metric = &throwing},
                       {.name = "endless", .metric = &endless},
                       {.name = "absent", .metric = &absent},
                       {.name = "host", .metric = &host},
                       parse_metric("mse")},
                      0);
  const auto results = there(scorer, constant(4, 4, 0.2), constant(4, 4, 0.4));
  EXPECT_EQ(results[0].score.reason, "out of ink");
  EXPECT_EQ(results[0].score.flag, ScoreFlag::failed);
  EXPECT_EQ(results[1].score.reason, "the score is not a finite number");
  EXPECT_EQ(results[2].score.flag, ScoreFlag::skipped);
  EXPECT_EQ(results[2].score.reason, "no weights");
  EXPECT_EQ(results[3].score.value, 0.2F);
  EXPECT_EQ(results[4].score.value, 51.0 * 51.0);
}

// The trial did not fail then: its device did.
TEST_P(DeviceScoring, ADeviceThatIsLostIsNoScore) {
  const Metric lost{.name = "lost", .make = [](std::string&) {
                      return ScoreFunction(
                          [](const Image&, const Image&) { return Score{}; },
                          [](const Image&, const Image&, const FeatureSource&) -> PendingScore {
                            throw c10::AcceleratorError({"f", "g", 1}, 719, "launch failure");
                          });
                    }};
  const Scorer scorer({{.name = "lost", .metric = &lost}}, 0);
  EXPECT_THROW(there(scorer, constant(4, 4, 0.2), constant(4, 4, 0.4)), c10::AcceleratorError);
}

}  // namespace
}  // namespace upbench
