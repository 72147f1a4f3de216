#include "harness/plan/usdu_sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan/canonical.h"
#include "tests/harness/plan_fixture.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Size = PictureSize;

TEST(UsduSizes, AreThoseOfTheCallsAndTheRoundedTarget) {
  EXPECT_THAT(usdu_sizes({256, 256}, {512, 512}), ElementsAre(Size{512, 512}, Size{512, 512}));
  EXPECT_THAT(usdu_sizes({256, 192}, {1024, 768}), ElementsAre(Size{1024, 768}, Size{1024, 768}));
  // 512 / 250 is rounded up to 3; 750 down to 744 = 93 x 8
  EXPECT_THAT(usdu_sizes({250, 200}, {500, 400}), ElementsAre(Size{744, 600}, Size{512, 448}));
}

// The factor by 4, 3 and 2: 6 = 3 x 2, 8 = 4 x 2; 5 and 7 are no such products, 6 and 8 are; 10 = 2 x 5 ends
// after 2.
TEST(UsduSizes, FactorsAreTakenApartGreedily) {
  const auto calls = [](int factor) {
    std::vector<int> widths;
    for (const Size size : usdu_sizes({64, 64}, {64 * factor, 64 * factor}))
      widths.push_back(size.width / 64);
    widths.pop_back();
    return widths;
  };
  EXPECT_THAT(calls(1), ElementsAre());
  EXPECT_THAT(calls(2), ElementsAre(2));
  EXPECT_THAT(calls(3), ElementsAre(3));
  EXPECT_THAT(calls(4), ElementsAre(4));
  EXPECT_THAT(calls(5), ElementsAre(3, 6));
  EXPECT_THAT(calls(6), ElementsAre(3, 6));
  EXPECT_THAT(calls(7), ElementsAre(4, 8));
  EXPECT_THAT(calls(8), ElementsAre(4, 8));
  EXPECT_THAT(calls(10), ElementsAre(2));
}

// 32 x 32 by 4 with a x2 model: two passes in one call, then 128 is the target.
TEST(UsduSizes, AModelIsRepeatedWithinACall) {
  const Plan plan = make_plan(spec_of("  - upscale: {model: [a_x2, b_x4], fit: usdu}\n"),
                              inputs_of({picture("p", 32, 32)}));
  ASSERT_EQ(plan.rows.cells.size(), 2u);
  const auto effect = [&](std::size_t cell) {
    return effective_pipeline(plan.rows.cells[cell], plan.rows.images[0]).stages[0].effect.at("fit");
  };
  EXPECT_EQ(effect(0), nlohmann::json::parse(R"({"usdu": [128, 128], "passes": 2})"));
  EXPECT_EQ(effect(1)["passes"], 1);
  EXPECT_EQ(plan.estimate.macs, 1000.0 * (32 * 32 + 64 * 64) + 1000.0 * 32 * 32);
}

TEST(UsduSizes, ATargetThatIsNoMultipleOf64NeedsAResizeAfterwards) {
  const auto error = [](const std::string& rest) {
    return error_of(spec_of("  - upscale: {model: a_x4, fit: usdu}\n" + rest),
                    inputs_of({picture("p", 25, 20)}));
  };
  EXPECT_THAT(error(""), HasSubstr("scale 5.12, but the pictures ask for 4"));
  EXPECT_EQ(error("  - resize: {size: 100x80}\n"), "accepted");
}

}  // namespace
}  // namespace upbench::test
