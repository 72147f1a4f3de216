#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "models/diffusion/sample_latents.h"
#include "tests/models/diffusion/tiny_diffusion.h"

namespace upbench::test {
namespace {

// Two models, each with a context of its own, and levels of which the last two lie below a fifth of the
// schedule.
class RefinerHandover : public ::testing::Test {
 protected:
  RefinerHandover() {
    first_ = model(1);
    second_ = model(2);
    at::manual_seed(9);
    latents_ = at::randn({1, 4, 8, 8});
    noise_ = at::randn({1, 4, 8, 8});
    for (Conditioning* one : {&first_words_, &second_words_}) {
      one->cond = at::randn({1, 77, 32});
      one->uncond = at::randn({1, 77, 32});
    }
    run_.guidance = 3;
    run_.steps.sigmas = {3, 2, 1, 0.5, 0.2, 0};
    for (const double sigma : {3.0, 2.0, 1.0, 0.5, 0.2})
      run_.steps.timesteps.push_back(first_->facts().noise.timestep_at(sigma));
    run_.steps.start_noise = 3;
  }

  static std::shared_ptr<const DiffusionModel> model(std::uint64_t seed) {
    return std::make_shared<const DiffusionModel>(
        DiffusionTensors{.parts = tiny_diffusion(seed), .config = {}, .lora_unused = {}, .licences = {}},
        at::kCPU, at::kFloat);
  }
  SampledLatents handed(double at) const {
    LatentRun run = run_;
    run.handover = Handover{.model = second_, .conditioning = second_words_, .at = at};
    return sample_latents(*first_, latents_, first_words_, run, noise_, {});
  }

  const at::NoGradGuard no_gradients_;
  std::shared_ptr<const DiffusionModel> first_, second_;
  Conditioning first_words_, second_words_;
  LatentRun run_;
  at::Tensor latents_, noise_;
};

TEST_F(RefinerHandover, AtTheEndsOneModelDoesAll) {
  EXPECT_TRUE(at::equal(handed(1).latents,
                        sample_latents(*first_, latents_, first_words_, run_, noise_, {}).latents));
  EXPECT_TRUE(at::equal(handed(0).latents,
                        sample_latents(*second_, latents_, second_words_, run_, noise_, {}).latents));
}

// Euler remembers nothing, so that it is two runs, one after the other, the second without noise.
TEST_F(RefinerHandover, TheSecondGoesOnWhereTheFirstStops) {
  ASSERT_GE(run_.steps.timesteps[2], 200);
  ASSERT_LT(run_.steps.timesteps[3], 250);
  const double share = (999 - std::round(run_.steps.timesteps[3])) / 1000;  // the fourth step is the second's
  LatentRun before = run_, after = run_;
  before.steps.sigmas = {3, 2, 1, 0.5};
  before.steps.timesteps.resize(3);
  after.steps.sigmas = {0.5, 0.2, 0};
  after.steps.timesteps = {run_.steps.timesteps[3], run_.steps.timesteps[4]};
  after.steps.start_noise = 0;
  const SampledLatents half = sample_latents(*first_, latents_, first_words_, before, noise_, {});
  const SampledLatents whole = sample_latents(*second_, half.latents, second_words_, after, noise_, {});
  const SampledLatents made = handed(share);
  EXPECT_LT((made.latents - whole.latents).abs().max().item<double>(), 1e-6);
  EXPECT_EQ(made.evaluations, half.evaluations + whole.evaluations);
  EXPECT_FALSE(at::equal(made.latents, handed(share + 0.001).latents)) << "from the fifth step on";
}

TEST_F(RefinerHandover, MaskedLatentsStayForBoth) {
  first_words_.mask = at::zeros({1, 1, 8, 8});
  EXPECT_LT((handed(0.7).latents - latents_).abs().max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace upbench::test
