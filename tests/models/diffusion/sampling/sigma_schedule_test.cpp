#include "models/diffusion/sampling/sigma_schedule.h"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/sampling/beta_quantile.h"

namespace upbench {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Pointwise;

const NoiseSchedule kNoise = NoiseSchedule::scaled_linear();

// Published rounded: half a unit of the last digit.
TEST(NoiseSchedule, IsThatOfStableDiffusion) {
  EXPECT_NEAR(kNoise.least(), 0.029167, 5e-7);
  EXPECT_NEAR(kNoise.greatest(), 14.614641, 5e-7);
  EXPECT_NEAR(kNoise.sigmas()[100], 0.3439, 5e-5);
  EXPECT_NEAR(kNoise.sigmas()[500], 1.6183, 5e-5);
  EXPECT_NEAR(kNoise.sigmas()[900], 8.3466, 5e-5);
}

TEST(NoiseSchedule, TimestepAndSigmaAreInverse) {
  for (const double timestep : {0.0, 0.25, 1.0, 123.456, 998.5, 999.0})
    EXPECT_NEAR(kNoise.timestep_at(kNoise.sigma_at(timestep)), timestep, 1e-9);  // double logarithms
  EXPECT_EQ(kNoise.timestep_at(0), 0);
  EXPECT_EQ(kNoise.timestep_at(100), 999);
  EXPECT_NEAR(kNoise.sigma_at(5000), kNoise.greatest(), 1e-12);
}

TEST(NoiseSchedule, RefusesBetasOutOfRange) {
  EXPECT_THROW(NoiseSchedule::scaled_linear(0, 0.01), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::scaled_linear(0.02, 0.01), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::scaled_linear(0.001, 1), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::scaled_linear(0.001, 0.01, 1), std::invalid_argument);
}

int most_steps(Scheduler scheduler) {
  if (scheduler == Scheduler::turbo_comfy) return 10;
  if (scheduler == Scheduler::lcm) return 50;
  return scheduler == Scheduler::beta ? 100 : 1000;
}

TEST(SigmaSchedule, DescendsFromTheGreatestSigmaToZero) {
  for (const SchedulerRow& row : schedulers())
    for (const int steps : {2, 3, 20, 37, 1000}) {
      SCOPED_TRACE(row.name + " " + std::to_string(steps));
      const std::vector<double> sigmas = sigma_schedule(row.scheduler, steps, kNoise);
      for (std::size_t i = 1; i < sigmas.size(); ++i) EXPECT_LT(sigmas[i], sigmas[i - 1]);
      if (row.scheduler == Scheduler::kl_optimal_forge)
        EXPECT_NEAR(sigmas.back(), kNoise.least(), 1e-12);
      else
        EXPECT_EQ(sigmas.back(), 0);
      // Steps as many as the stride gives.
      if (row.scheduler == Scheduler::ddim_uniform) continue;
      // The published tables begin at the greatest sigma to ten digits.
      EXPECT_NEAR(sigmas.front(), kNoise.greatest(), 1e-8);
      // Those that pick rounded timesteps leave out what repeats.
      if (steps > most_steps(row.scheduler)) continue;
      EXPECT_EQ(sigmas.size(), static_cast<std::size_t>(steps) + 1);
    }
}

// Evenly spaced in sigma^(1/7): of three values the middle one is the seventh power of the mean of the roots.
TEST(SigmaSchedule, KarrasOfThreeStepsIsKnown) {
  const double low = std::pow(kNoise.least(), 1 / 7.0), high = std::pow(kNoise.greatest(), 1 / 7.0);
  EXPECT_THAT(
      sigma_schedule(Scheduler::karras, 3, kNoise),
      Pointwise(DoubleNear(1e-12), {kNoise.greatest(), std::pow((low + high) / 2, 7), kNoise.least(), 0.0}));
}

TEST(SigmaSchedule, ExponentialHasEqualRatios) {
  const std::vector<double> sigmas = sigma_schedule(Scheduler::exponential, 5, kNoise);
  for (int i = 1; i < 4; ++i) EXPECT_NEAR(sigmas[i] / sigmas[i - 1], sigmas[i + 1] / sigmas[i], 1e-12);
}

// T / n = 50: entries 999, 949, ... of the table; DDIM's are 951, 901, ..., 1.
TEST(SigmaSchedule, SimpleAndDdimUniformStepThroughTheTable) {
  const auto& table = kNoise.sigmas();
  const std::vector<double> simple = sigma_schedule(Scheduler::simple, 20, kNoise);
  EXPECT_EQ(simple[0], table[999]);
  EXPECT_EQ(simple[1], table[949]);
  EXPECT_EQ(simple[19], table[49]);
  const std::vector<double> ddim = sigma_schedule(Scheduler::ddim_uniform, 20, kNoise);
  EXPECT_EQ(ddim[0], table[951]);
  EXPECT_EQ(ddim[19], table[1]);
  EXPECT_EQ(ddim.size(), 21u);
  EXPECT_EQ(sigma_schedule(Scheduler::ddim_uniform, 30, kNoise).size(), 32u);  // stride 33: 1, 34, ..., 991
}

TEST(SigmaSchedule, PolyexponentialBendsTheExponentialByRho) {
  EXPECT_EQ(sigma_schedule(Scheduler::polyexponential, 9, kNoise),
            sigma_schedule(Scheduler::exponential, 9, kNoise));
  // Of three values the middle one is at a share of 1/2^rho of the way from the least in log sigma.
  const std::vector<double> sigmas = sigma_schedule(Scheduler::polyexponential, 3, kNoise, {}, 2);
  EXPECT_NEAR(std::log(sigmas[1] / kNoise.least()), std::log(kNoise.greatest() / kNoise.least()) / 4, 1e-12);
  EXPECT_NE(sigma_schedule(Scheduler::karras, 9, kNoise, {}, 3),
            sigma_schedule(Scheduler::karras, 9, kNoise));
}

// Beta(1/2, 1/2) is the arcsine distribution; Beta(1, 1) is even, Beta(1, b) a power.
TEST(BetaQuantile, IsThatOfDistributionsWithClosedForms) {
  for (const double p : {1e-6, 0.1, 0.3, 0.5, 0.77, 0.999}) {
    EXPECT_NEAR(beta_quantile(p, 0.5, 0.5), std::pow(std::sin(p * std::numbers::pi / 2), 2), 1e-12);
    EXPECT_NEAR(beta_quantile(p, 1, 1), p, 1e-12);
    EXPECT_NEAR(beta_quantile(p, 1, 3), 1 - std::cbrt(1 - p), 1e-12);
    EXPECT_NEAR(beta_quantile(p, 0.6, 0.6), 1 - beta_quantile(1 - p, 0.6, 0.6), 1e-12);  // symmetric
  }
  EXPECT_EQ(beta_quantile(0, 0.6, 0.6), 0);
  EXPECT_EQ(beta_quantile(1, 0.6, 0.6), 1);
  EXPECT_THROW(beta_quantile(NAN, 0.6, 0.6), std::invalid_argument);
  EXPECT_THROW(beta_quantile(1.1, 0.6, 0.6), std::invalid_argument);
  EXPECT_THROW(beta_quantile(0.5, 0, 0.6), std::invalid_argument);
}

// Quantiles of 1, 1/2 are 1, 1/2; the median of timesteps 0 .. 999 is 499.5, rounded to even 500.
TEST(SigmaSchedule, BetaIsSymmetricInTimestepsOrInSigma) {
  const auto& table = kNoise.sigmas();
  EXPECT_THAT(sigma_schedule(Scheduler::beta, 2, kNoise), testing::ElementsAre(table[999], table[500], 0));
  EXPECT_THAT(sigma_schedule(Scheduler::beta_sigma, 3, kNoise),
              Pointwise(DoubleNear(1e-12),
                        {kNoise.greatest(), (kNoise.greatest() + kNoise.least()) / 2, kNoise.least(), 0.0}));
}

// Of four steps two are 2.5 % / 2 each; then 0.025 + 0.0125 j + c j^2 reaches 1 at j = 2: c = 0.2375.
TEST(SigmaSchedule, LinearQuadraticIsKnown) {
  const double top = kNoise.greatest();
  EXPECT_THAT(
      sigma_schedule(Scheduler::linear_quadratic, 4, kNoise),
      Pointwise(DoubleNear(1e-12), {top, top * 0.9875, top * 0.975, top * (0.975 - 0.0125 - 0.2375), 0.0}));
  EXPECT_THAT(sigma_schedule(Scheduler::linear_quadratic, 1, kNoise), testing::ElementsAre(top, 0));
}

std::vector<double> at(std::initializer_list<std::size_t> timesteps) {
  std::vector<double> sigmas;
  for (const std::size_t t : timesteps) sigmas.push_back(kNoise.sigmas()[t]);
  sigmas.push_back(0);
  return sigmas;
}

TEST(SigmaSchedule, TurboAndLcmPickTimesteps) {
  EXPECT_EQ(sigma_schedule(Scheduler::turbo, 1, kNoise), at({999}));
  EXPECT_EQ(sigma_schedule(Scheduler::turbo, 4, kNoise), at({999, 749, 499, 249}));
  EXPECT_EQ(sigma_schedule(Scheduler::turbo, 3, kNoise),
            at({999, 666, 332}));  // 666.7 and 333.3 rounded, less 1
  EXPECT_EQ(sigma_schedule(Scheduler::turbo_comfy, 4, kNoise), at({999, 899, 799, 699}));
  EXPECT_EQ(sigma_schedule(Scheduler::turbo_comfy, 30, kNoise),
            at({999, 899, 799, 699, 599, 499, 399, 299, 199, 99}));
  // Of 999, 979, ... 19 every 12.5th.
  EXPECT_EQ(sigma_schedule(Scheduler::lcm, 4, kNoise), at({999, 759, 499, 259}));
  EXPECT_EQ(sigma_schedule(Scheduler::lcm, 8, kNoise), at({999, 879, 759, 639, 499, 379, 259, 139}));
}

// The published levels at ten steps; at five every second one; the last gives way to 0.
TEST(SigmaSchedule, AlignYourStepsIsItsTable) {
  const std::vector<double> ten = sigma_schedule(Scheduler::ays_sd15, 10, kNoise);
  EXPECT_THAT(ten, Pointwise(DoubleNear(1e-9),
                             {14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177,
                              1.3943805092, 0.9642583904, 0.6523686016, 0.3977456272, 0.1515232662, 0.0}));
  EXPECT_THAT(sigma_schedule(Scheduler::ays_sd15, 5, kNoise),
              Pointwise(DoubleNear(1e-9), {ten[0], ten[2], ten[4], ten[6], ten[8], 0.0}));
  const std::vector<double> twenty = sigma_schedule(Scheduler::ays_sdxl, 20, kNoise);
  EXPECT_NEAR(twenty[2], 6.3184485287, 1e-9);
  EXPECT_NEAR(twenty[3], std::sqrt(6.3184485287 * 3.7681790315), 1e-9);  // between two, the mean in log
}

TEST(SigmaSchedule, StartsWhereItIsTold) {
  for (const SchedulerRow& row : schedulers())
    for (const double greatest : {0.05, 0.8, 5.0}) {
      SCOPED_TRACE(row.name + " " + std::to_string(greatest));
      const std::vector<double> sigmas = sigma_schedule(row.scheduler, 12, kNoise, greatest);
      EXPECT_LE(sigmas.front(), greatest * (1 + 1e-9));
      for (std::size_t i = 1; i < sigmas.size(); ++i) EXPECT_LT(sigmas[i], sigmas[i - 1]);
    }
  EXPECT_NEAR(sigma_schedule(Scheduler::ays_sd15, 12, kNoise, 0.8).front(), 0.8, 1e-12);
  EXPECT_NEAR(sigma_schedule(Scheduler::beta_sigma, 12, kNoise, 0.8).front(), 0.8, 1e-12);
}

TEST(SigmaSchedule, RefusesNoStepsAndUnknownNames) {
  for (const double rho : {0.0, -1.0, std::nan("")})
    EXPECT_THROW(sigma_schedule(Scheduler::karras, 5, kNoise, {}, rho), std::invalid_argument);

  EXPECT_THROW(sigma_schedule(Scheduler::karras, 0, kNoise), std::invalid_argument);
  EXPECT_THAT([] { parse_scheduler("karas"); }, testing::ThrowsMessage<std::invalid_argument>(
                                                    HasSubstr("'karas', expected one of uniform, karras")));
  for (const SchedulerRow& row : schedulers()) EXPECT_EQ(parse_scheduler(row.name), row.scheduler);
}

}  // namespace
}  // namespace upbench
