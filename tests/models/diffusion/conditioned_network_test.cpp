#include "models/diffusion/conditioned_network.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/tiny_diffusion.h"

namespace upbench::test {
namespace {

constexpr double kRounding = 1e-4;  // of a network in another memory order

// A model, what it is told, and tiles of 8 x 6 latents over 20 x 14.
class FusedNetwork : public ::testing::Test {
 protected:
  FusedNetwork() {
    DiffusionTensors tensors{.parts = tiny_diffusion(1), .config = {}, .lora_unused = {}, .licences = {}};
    tensors.parts.control_net = tiny_control_net(3);
    model_ = std::make_unique<DiffusionModel>(std::move(tensors), at::kCPU, at::kFloat);
    conditioning_.cond = at::randn({1, 77, 32});
    conditioning_.uncond = at::randn({1, 77, 32});
    conditioning_.hint = at::rand({1, 3, 28, 40});
    conditioning_.control_weight = 0.7;
    run_.steps.sigmas = {1, 0.5, 0};
  }

  LatentRun fused(Fusion mode, std::int64_t batch = 1) const {
    LatentRun run = run_;
    run.fusion =
        FusedTiles{.settings = {.mode = mode, .width = 8, .height = 6, .overlap = 2}, .batch = batch};
    return run;
  }

  // One tile of one context, asked alone.
  at::Tensor alone(const at::Tensor& x, const at::Tensor& context, const LatentWindow& at) const {
    UNetInput input{.latents = at.of(x), .timesteps = at::full({1}, 321.0), .context = context};
    input.control = model_->control_net()(input, at.of(conditioning_.hint, 2));
    for (at::Tensor& residual : input.control) residual = residual * 0.7;
    return model_->unet()(input);
  }

  const at::NoGradGuard no_gradients_;
  std::unique_ptr<DiffusionModel> model_;
  Conditioning conditioning_;
  LatentRun run_;
  const at::Tensor x_ = (at::manual_seed(9), at::randn({1, 4, 14, 20}));
};

// The prediction of every tile, its own context and the part of the hint under it, by its weight.
TEST_F(FusedNetwork, MergesWhatIsPredictedOfEachTile) {
  for (const Fusion mode : {Fusion::multidiffusion, Fusion::mixture}) {
    const LatentRun run = fused(mode);
    ConditionedNetwork network(*model_, conditioning_, run, 20, 14);
    const at::Tensor made = network(at::cat({x_, x_}), 321, Branches::uncond_and_cond);
    const FusedGrid grid = fused_grid(20, 14, run.fusion->settings);
    ASSERT_EQ(grid.tiles(), 9u);
    EXPECT_EQ(network.evaluations(), 2 * 9);
    const auto expected = [&](const at::Tensor& context) {
      at::Tensor sum = at::zeros_like(x_);
      std::size_t tile = 0;
      for (const LatentWindow& window : windows_of(grid)) {
        const at::Tensor down = at::tensor(grid.rows.weights[tile / 3]),
                         across = at::tensor(grid.columns.weights[tile % 3]);
        window.of(sum).add_(alone(x_, context, window) * (down.unsqueeze(1) * across).to(at::kFloat));
        ++tile;
      }
      return sum;
    };
    EXPECT_LT((made.narrow(0, 0, 1) - expected(conditioning_.uncond)).abs().max().item<double>(), kRounding);
    EXPECT_LT((made.narrow(0, 1, 1) - expected(conditioning_.cond)).abs().max().item<double>(), kRounding);
  }
}

TEST_F(FusedNetwork, BatchesOfTilesGiveTheSame) {
  const LatentRun one = fused(Fusion::mixture), four = fused(Fusion::mixture, 4);
  ConditionedNetwork by_one(*model_, conditioning_, one, 20, 14),
      by_four(*model_, conditioning_, four, 20, 14);
  const at::Tensor both = at::cat({x_, x_});
  EXPECT_LT((by_one(both, 5, Branches::uncond_and_cond) - by_four(both, 5, Branches::uncond_and_cond))
                .abs()
                .max()
                .item<double>(),
            kRounding);
  EXPECT_EQ(by_four.evaluations(), 2 * 9);
}

TEST_F(FusedNetwork, ATileOverAllIsTheWholeToTheBit) {
  LatentRun run = fused(Fusion::mixture);
  run.fusion->settings.width = run.fusion->settings.height = 20;
  ConditionedNetwork fused(*model_, conditioning_, run, 20, 14), whole(*model_, conditioning_, run_, 20, 14);
  EXPECT_TRUE(at::equal(fused(x_, 100, Branches::cond), whole(x_, 100, Branches::cond)));
}

// A1111's blend: what the mask keeps comes out as it went in, whatever the noise.
TEST_F(FusedNetwork, MaskedLatentsStay) {
  at::Tensor mask = at::zeros({1, 1, 14, 20});
  mask.slice(3, 0, 10).fill_(1);
  conditioning_.mask = mask;
  run_.guidance = 1;
  run_.steps.timesteps = {300, 100};
  run_.steps.start_noise = 1;
  const at::Tensor noise = at::randn({1, 4, 14, 20});
  const at::Tensor made =
      sample_latents(*model_, x_, conditioning_, run_, noise, [&] { return noise; }).latents;
  EXPECT_LT((made - x_).slice(3, 10).abs().max().item<double>(), 1e-5)
      << "x_0 + sigma (x - x_0) / sigma in float32";
  EXPECT_GT((made - x_).slice(3, 0, 10).abs().max().item<double>(), 0.01);
}

}  // namespace
}  // namespace upbench::test
