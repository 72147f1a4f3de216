// Every routine against SciPy and statsmodels, computed here and now; their versions are printed.

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/statistics/bootstrap.h"
#include "reports/statistics/change_points.h"
#include "reports/statistics/corrected_rate.h"
#include "reports/statistics/paired.h"
#include "reports/statistics/paired_rates.h"
#include "reports/statistics/proportion.h"
#include "reports/statistics/random.h"
#include "reports/statistics/ranking.h"
#include "reports/statistics/roc.h"
#include "reports/statistics/sample_size.h"
#include "reports/statistics/signed_rank.h"
#include "reports/statistics/two_sample.h"
#include "tests/support/python_peer.h"

namespace upbench {
namespace {

using nlohmann::json;

std::vector<double> normals(std::size_t count, double mean, double deviation, std::uint64_t seed) {
  Random random(seed);
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(mean + deviation * random.normal());
  return values;
}

// Rounded so that ties and zeros occur.
std::vector<double> rounded(std::vector<double> values) {
  for (double& value : values) value = std::round(value * 2) / 2;
  return values;
}

// One question to the peers and what is compared with their answer.
struct Question {
  json asked;
  std::vector<double> ours;
  double tolerance;  // relative, beside the same absolute
};

json peers_say(const std::vector<Question>& questions) {
  json asked = json::array();
  for (const Question& question : questions) asked.push_back(question.asked);
  return test::ask_python("tests/reports/statistics/peer_values.py", asked);
}

void compare(const std::vector<Question>& questions) {
  UPBENCH_NEEDS_PYTHON("scipy, statsmodels");
  const json said = peers_say(questions);
  std::printf("%s\n", said["versions"].get<std::string>().c_str());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const json& answer = said["results"][i];
    const auto theirs =
        answer.is_array() ? answer.get<std::vector<double>>() : std::vector{answer.get<double>()};
    const Question& question = questions[i];
    ASSERT_EQ(question.ours.size(), theirs.size()) << question.asked["what"];
    for (std::size_t k = 0; k < theirs.size(); ++k)
      EXPECT_NEAR(question.ours[k], theirs[k], question.tolerance * (1 + std::abs(theirs[k])))
          << question.asked["what"] << " " << question.asked.dump().substr(0, 300);
  }
}

constexpr double kClosedForm = 1e-9;  // the same formula in another order; special functions to ten digits

TEST(StatisticsPeers, Distributions) {
  const std::vector p = {1e-8, 0.001, 0.025, 0.3, 0.5, 0.9, 0.975, 1 - 1e-6};
  const std::vector t = {-30.0, -2.5, -0.1, 0.0, 1.0, 7.0};
  std::vector<Question> questions;
  questions.push_back({{{"what", "normal_quantile"}, {"p", p}}, {}, kClosedForm});
  for (const double value : p) questions.back().ours.push_back(normal_quantile(value));
  for (const double degrees : {1.0, 2.0, 7.5, 40.0, 1000.0}) {
    questions.push_back({{{"what", "student_quantile"}, {"p", p}, {"degrees", degrees}}, {}, 1e-7});
    for (const double value : p) questions.back().ours.push_back(student_quantile(value, degrees));
    questions.push_back({{{"what", "student_cdf"}, {"t", t}, {"degrees", degrees}}, {}, kClosedForm});
    for (const double value : t) questions.back().ours.push_back(student_cdf(value, degrees));
  }
  for (const double degrees : {1.0, 4.0, 30.0}) {
    const std::vector inner = {0.025, 0.5, 0.975};
    questions.push_back(
        {{{"what", "chi_square_quantile"}, {"p", inner}, {"degrees", degrees}}, {}, kClosedForm});
    for (const double value : inner) questions.back().ours.push_back(chi_square_quantile(value, degrees));
  }
  for (const int k : {0, 3, 19, 20})
    questions.push_back({{{"what", "binomial_cdf"}, {"k", k}, {"n", 20}, {"p", 0.3}},
                         {binomial_cdf(k, 20, 0.3)},
                         kClosedForm});
  compare(questions);
}

TEST(StatisticsPeers, SignedRank) {
  std::vector<Question> questions;
  const auto ask = [&](const std::vector<double>& x, bool exact) {
    const SignedRank result = signed_rank_test(x);
    EXPECT_EQ(result.exact, exact);
    questions.push_back({{{"what", "wilcoxon"}, {"x", x}, {"exact", exact}}, {result.p}, kClosedForm});
  };
  for (const std::size_t count : {4u, 9u, 25u, 50u}) ask(normals(count, 0.4, 1, count), true);
  ask(rounded(normals(9, 0.3, 0.8, 3)), true);  // ties and zeros
  ask(rounded(normals(11, -0.5, 0.8, 5)), true);
  ask(normals(200, 0.1, 1, 11), false);
  ask(rounded(normals(120, 0.2, 1, 12)), false);
  compare(questions);
}

TEST(StatisticsPeers, SignsHolmAndProportions) {
  std::vector<Question> questions;
  const std::vector<double> x = rounded(normals(31, 0.3, 1, 21));
  const Signs signs = sign_test(x);
  questions.push_back({{{"what", "sign"}, {"k", signs.positive}, {"n", signs.positive + signs.negative}},
                       {signs.p},
                       kClosedForm});
  const std::vector p = {0.01, 0.04, 0.03, 0.005, 0.9, 0.03};
  questions.push_back({{{"what", "holm"}, {"p", p}}, holm(p), kClosedForm});
  questions.push_back({{{"what", "ranks"}, {"x", x}}, mid_ranks(x), kClosedForm});
  for (const auto& [k, n] : {std::pair{0, 20}, {1, 20}, {7, 15}, {100, 100}, {20, 1000}}) {
    const Interval wilson = wilson_interval(k, n), exact = clopper_pearson_interval(k, n);
    questions.push_back({{{"what", "wilson"}, {"k", k}, {"n", n}}, {wilson.low, wilson.high}, kClosedForm});
    questions.push_back(
        {{{"what", "clopper-pearson"}, {"k", k}, {"n", n}}, {exact.low, exact.high}, kClosedForm});
  }
  for (const auto& [appeared, changed] : {std::pair{1u, 1u}, {5u, 5u}, {9u, 14u}, {3u, 40u}}) {
    const PairedCounts counts{
        .both = 2, .only_before = changed - appeared, .only_after = appeared, .neither = 7};
    questions.push_back({{{"what", "one-sided mcnemar"}, {"k", appeared}, {"n", changed}},
                         {rate_increase_test(counts)},
                         kClosedForm});
    questions.push_back({{{"what", "mcnemar"}, {"k", appeared}, {"n", changed}},
                         {mcnemar_test(appeared, changed - appeared)},
                         kClosedForm});
  }
  compare(questions);
}

TEST(StatisticsPeers, TwoSamples) {
  std::vector<Question> questions;
  const auto ask = [&](const std::vector<double>& x, const std::vector<double>& y, bool exact) {
    const RankSum result = rank_sum_test(x, y);
    EXPECT_EQ(result.exact, exact);
    questions.push_back({{{"what", "mann-whitney"}, {"x", x}, {"y", y}, {"exact", exact}},
                         {result.u, result.p},
                         kClosedForm});
    questions.push_back({{{"what", "welch"}, {"x", x}, {"y", y}}, {welch_test(x, y)}, kClosedForm});
  };
  ask(normals(9, 0, 1, 31), normals(9, 1, 1, 32), true);
  ask(normals(5, 0, 1, 33), normals(17, 0.2, 3, 34), true);
  ask(normals(60, 0, 1, 35), normals(45, 0.4, 1, 36), false);
  ask(rounded(normals(20, 0, 1, 37)), rounded(normals(15, 1, 1, 38)), false);
  compare(questions);
}

TEST(StatisticsPeers, BootstrapEquivalenceAndOrder) {
  std::vector<Question> questions;
  std::vector<double> skewed = normals(40, 0, 0.8, 41);
  for (double& value : skewed) value = std::exp(value);
  // Two sets of 20,000 resamples: an end of the interval varies by about 1 % of the spread from set to set.
  const BootstrapOptions options{.resamples = 20'000};
  const Interval mean = bca_interval(skewed, Average::mean, options);
  questions.push_back({{{"what", "bca"}, {"x", skewed}, {"average", "mean"}}, {mean.low, mean.high}, 0.01});
  const Interval median = bca_interval(normals(41, 5, 1, 42), Average::median, options);
  questions.push_back({{{"what", "bca"}, {"x", normals(41, 5, 1, 42)}, {"average", "median"}},
                       {median.low, median.high},
                       0.01});
  const std::vector<double> x = normals(25, 0.02, 0.1, 43), y = rounded(normals(25, 1, 2, 44));
  questions.push_back(
      {{{"what", "tost"}, {"x", x}, {"margin", 0.05}}, {equivalence_test(x, 0.05)}, kClosedForm});
  questions.push_back({{{"what", "t-test"}, {"x", x}}, {mean_test(x)}, kClosedForm});
  questions.push_back({{{"what", "kendall"}, {"x", x}, {"y", y}}, {kendall_tau(x, y)}, kClosedForm});
  compare(questions);
}

TEST(StatisticsPeers, SampleSizeIsWithinOnePictureOfTheExactPower) {
  std::vector<Question> questions;
  for (const double effect : {0.2, 0.5, 1.0, 1.5})
    for (const double power : {0.8, 0.95}) {
      const auto pictures = static_cast<double>(pictures_for_difference(effect, 1, {.power = power}));
      // Ours is rounded up and approximates the noncentral t: at most one picture more or less.
      questions.push_back({{{"what", "power"}, {"effect", effect}, {"power", power}}, {pictures}, 0});
    }
  UPBENCH_NEEDS_PYTHON("scipy, statsmodels");
  const json said = peers_say(questions);
  for (std::size_t i = 0; i < questions.size(); ++i)
    EXPECT_LE(std::abs(questions[i].ours[0] - std::ceil(said["results"][i].get<double>())), 1)
        << questions[i].asked;
}

TEST(StatisticsPeers, RatesAndRoc) {
  std::vector<Question> questions;
  const std::vector<double> x = rounded(normals(60, 1, 1, 51)), y = rounded(normals(45, 0, 1, 52));
  questions.push_back({{{"what", "auc"}, {"x", x}, {"y", y}}, {area_under_roc(x, y)}, kClosedForm});
  // One-sided: the upper end of the two-sided interval of twice the tail.
  questions.push_back({{{"what", "clopper-pearson"}, {"k", 0}, {"n", 20}, {"alpha", 0.1}},
                       {0, rate_upper_bound(0, 20)},
                       kClosedForm});
  // Fleiss's formula against the arcsine transform: within 3 % of each other.
  questions.push_back({{{"what", "rate-power"}, {"first", 0.02}, {"second", 0.04}},
                       {static_cast<double>(pictures_for_rates(0.02, 0.04))},
                       0.03});
  for (const double discordant : {0.03, 0.06})
    // The normal approximation against the exact test, which is conservative: up to 0.06 of power less.
    questions.push_back({{{"what", "paired-power"},
                          {"difference", 0.02},
                          {"discordant", discordant},
                          {"n", pictures_for_paired_rates(0.02, discordant)}},
                         {0.8},
                         0.06 / 1.8});
  compare(questions);
}

}  // namespace
}  // namespace upbench
