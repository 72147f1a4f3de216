#include "harness/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/plan_fixture.h"

namespace upbench {
namespace {

using test::inputs_of;
using test::picture;
using test::spec_of;

TEST(PlanEstimate, CountsTheWorkOfDistinctExecutions) {
  PlanInputs inputs = inputs_of({picture("a", 100, 80)});
  inputs.rates = {.macs_per_second = 1e6,
                  .resample_seconds_per_megapixel = 0,
                  .picture_seconds_per_megapixel = 0,
                  .trial_seconds = 0.5,
                  .parallel = 2,
                  .metric_seconds_per_megapixel = {{"", 0}, {"psnr", 1}, {"psnr-y", 10}}};
  const Plan plan = make_plan(spec_of("  - upscale: {model: a_x4, tile: [none, 128]}\n"), inputs);
  EXPECT_EQ(plan.executions, 1u);
  EXPECT_DOUBLE_EQ(plan.estimate.macs, 8e6);  // 100 x 80 pixels, 1000 each
  // 8 s network, 0.5 s trial, 0.128 MP at 10 s/MP, two at a time
  EXPECT_DOUBLE_EQ(plan.estimate.seconds, (8 + 0.5 + 1.28) / 2);
  EXPECT_EQ(plan.estimate.output_bytes, 281600u);  // 400 x 320 pixels, 2.2 bytes each
}

TEST(PlanEstimate, TilesReadTheirContextToo) {
  // Two tiles a side, each reads 10 more at the inner side: (64 + 20) x (64 + 20) pixels.
  const Plan plan = make_plan(spec_of("  - upscale: {model: a_x4, tile: 32, context: 10}\n"),
                              inputs_of({picture("a", 64, 64)}));
  EXPECT_DOUBLE_EQ(plan.estimate.macs, 84 * 84 * 1000.0);
}

TEST(PlanEstimate, CountsAtTheScaleThatThePicturesChoose) {
  const Spec spec = spec_of("  - upscale: {model: carn_any}\n");
  EXPECT_DOUBLE_EQ(make_plan(spec, inputs_of({picture("a", 100, 80, 4)})).estimate.macs, 8e6);
  const Spec half = parse_spec(
      "name: t\nimages: {path: photos, lr: {scale: 2}}\nmetrics: [psnr-y]\ntiming: none\npipeline:\n"
      "  - upscale: {model: carn_any}\n",
      "s.yaml", "");
  const Plan plan = make_plan(half, inputs_of({picture("a", 100, 80, 2)}));
  EXPECT_DOUBLE_EQ(plan.estimate.macs, 8e5);
  EXPECT_LT(plan.estimate.device_bytes,
            make_plan(spec, inputs_of({picture("a", 100, 80, 4)})).estimate.device_bytes);
}

TEST(PlanEstimate, ModelTimingAddsItsRepeats) {
  Spec spec = spec_of("  - upscale: {model: a_x4}\n");
  PlanInputs inputs = inputs_of({picture("a", 100, 80), picture("b", 100, 80)});
  inputs.rates.macs_per_second = 8e6;  // 1 s a picture
  const double without = make_plan(spec, inputs).estimate.seconds;
  spec.timing = {.images = 1, .repeats = 3, .budget_s = 2};
  EXPECT_NEAR(make_plan(spec, inputs).estimate.seconds - without, 2, 1e-9);  // double sums
}

}  // namespace
}  // namespace upbench
