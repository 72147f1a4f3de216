#include "models/diffusion/sampling/restart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/sampling/sigma_schedule.h"

namespace upbench {
namespace {

const NoiseSchedule kNoise = NoiseSchedule::scaled_linear();

std::vector<double> karras(int steps) {
  return sigma_schedule(Scheduler::karras, steps, kNoise);
}

std::vector<std::size_t> jumps(const std::vector<SigmaStep>& steps) {
  std::vector<std::size_t> at;
  for (std::size_t i = 1; i < steps.size(); ++i)
    if (steps[i].from > steps[i - 1].to) at.push_back(i);
  return at;
}

TEST(Restart, OfFewStepsHasNone) {
  const std::vector<SigmaStep> steps = restart_steps(karras(19));
  EXPECT_EQ(steps.size(), 19U);
  EXPECT_THAT(jumps(steps), testing::IsEmpty());
}

// 20 steps: 11 down, of them the one that ends nearest to 0.1 followed by 9 more from the level nearest to 2.
TEST(Restart, OfTwentyStepsGoesOnceAgainWithNine) {
  const std::vector<SigmaStep> steps = restart_steps(karras(20));
  ASSERT_EQ(steps.size(), 20U);
  const std::vector<double> down = karras(11);
  ASSERT_THAT(jumps(steps), testing::SizeIs(1));
  const std::size_t at = jumps(steps)[0];
  EXPECT_NEAR(steps[0].from, kNoise.greatest(), 1e-12);
  for (std::size_t i = 0; i < at; ++i) EXPECT_NEAR(steps[i].to, down[i + 1], 1e-9);
  EXPECT_NEAR(steps[at].from, down[4], 1e-9);  // 1.98
  EXPECT_NEAR(steps[at].from, 2, 0.5);
  EXPECT_NEAR(steps[at + 8].to, steps[at - 1].to, 1e-9);
  EXPECT_NEAR(steps[at - 1].to, 0.1, 0.05);
  EXPECT_EQ(steps.back().to, 0);
}

TEST(Restart, FromThirtySixStepsOnGoesTwiceWithAQuarter) {
  for (const int count : {36, 37, 50}) {
    const std::vector<SigmaStep> steps = restart_steps(karras(count));
    EXPECT_EQ(steps.size(), static_cast<std::size_t>(count));
    const std::vector<std::size_t> at = jumps(steps);
    ASSERT_EQ(at.size(), 2U);
    EXPECT_EQ(at[1] - at[0], static_cast<std::size_t>(count / 4));
    EXPECT_EQ(steps[at[0]].from, steps[at[1]].from);
  }
}

// Steps that begin below 0.1 have nothing to go back to, and stay as many as are left of the plan.
TEST(Restart, OfALittleDenoisingHasNone) {
  const std::vector<double> sigmas = sigma_schedule(Scheduler::karras, 20, kNoise, 0.05);
  EXPECT_THAT(jumps(restart_steps(sigmas)), testing::IsEmpty());
  EXPECT_EQ(restart_steps(sigmas).back().to, 0);
}

}  // namespace
}  // namespace upbench
