#include "models/diffusion/tiled/merge_predictions.h"

#include <cmath>
#include <functional>
#include <set>
#include <tuple>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/diffusion/conditioned_network.h"

namespace upbench::test {
namespace {

constexpr double kRounding = 1e-5;  // sums of float32 numbers of about 1

// Every window through `network`, one after another.
PredictWindows by_window(const at::Tensor& x, const std::function<at::Tensor(const at::Tensor&)>& network) {
  return [=](const std::vector<LatentWindow>& windows) {
    std::vector<at::Tensor> made;
    for (const LatentWindow& window : windows) made.push_back(network(window.of(x).contiguous()));
    return at::cat(made);
  };
}

class Merged : public ::testing::TestWithParam<std::tuple<Fusion, bool>> {
 protected:
  FusionSettings settings() const {
    const auto [mode, jitter] = GetParam();
    return {.mode = mode, .width = 12, .height = 10, .overlap = 3, .jitter = jitter};
  }
  const at::Tensor x_ = (at::manual_seed(1), at::randn({2, 4, 31, 26}));
};

// What a network makes of a latent alone does not depend on tiles.
TEST_P(Merged, OfAPixelLocalNetworkIsTheUntiled) {
  const auto network = [](const at::Tensor& x) { return at::tanh(x) * 0.7 + 0.1; };
  const FusedGrid grid = fused_grid(26, 31, settings(), 0.4, 0.7);
  ASSERT_GT(grid.tiles(), 4u);
  const at::Tensor merged = merge_predictions(x_, grid, 1, by_window(x_, network));
  EXPECT_LT((merged - network(x_)).abs().max().item<double>(), kRounding);
}

// Written out: at every latent the mean over the tiles that hold it, each by its weight.
TEST_P(Merged, OfAnyNetworkIsTheWeightedMean) {
  // of the place in the tile, so that tiles disagree
  const auto network = [](const at::Tensor& x) {
    return x * at::linspace(0, 1, x.size(3)) + at::linspace(-1, 1, x.size(2)).unsqueeze(1);
  };
  const FusionSettings used = settings();
  const FusedGrid grid = fused_grid(26, 31, used, 0.4, 0.7);
  const at::Tensor merged = merge_predictions(x_, grid, 3, by_window(x_, network));
  at::Tensor sum = at::zeros(x_.sizes(), at::kDouble), weights = at::zeros({31, 26}, at::kDouble);
  for (const int top : grid.rows.begins)
    for (const int left : grid.columns.begins) {
      const at::Tensor made = network(x_.slice(2, top, top + 10).slice(3, left, left + 12));
      for (int y = 0; y < 10; ++y)
        for (int x = 0; x < 12; ++x) {
          const double across = (x - 5.5) * (x - 5.5), down = (y - 5.0) * (y - 5.0);
          const double weight =
              used.mode == Fusion::multidiffusion ? 1 : std::exp(-(across + down) / (2 * 0.01 * 12 * 12));
          sum.select(2, top + y).select(2, left + x).add_(made.select(2, y).select(2, x) * weight);
          weights[top + y][left + x] += weight;
        }
    }
  EXPECT_LT((merged - sum / weights).abs().max().item<double>(), kRounding);
}

TEST_P(Merged, BatchesOfTilesChangeNothing) {
  const auto network = [](const at::Tensor& x) { return x.cumsum(3); };
  const FusedGrid grid = fused_grid(26, 31, settings(), 0.1, 0.2);
  const at::Tensor one = merge_predictions(x_, grid, 1, by_window(x_, network));
  for (const int batch : {2, 5, 100})
    EXPECT_TRUE(at::equal(merge_predictions(x_, grid, batch, by_window(x_, network)), one));
}

INSTANTIATE_TEST_SUITE_P(Modes, Merged,
                         ::testing::Combine(::testing::Values(Fusion::multidiffusion, Fusion::mixture),
                                            ::testing::Bool()));

TEST(Jitter, GridsFollowFromSeedAndStep) {
  const FusedTiles tiles{.settings = {.width = 16, .height = 16, .overlap = 4, .jitter = true}, .seed = 3};
  const auto begins = [&](std::uint64_t seed, std::size_t step) {
    FusedTiles asked = tiles;
    asked.seed = seed;
    return grid_of_step(asked, 64, 64, step).columns.begins;
  };
  EXPECT_EQ(begins(3, 1), begins(3, 1));
  std::set<std::vector<int>> seen;
  for (std::size_t step = 0; step < 8; ++step) seen.insert(begins(3, step));
  EXPECT_GT(seen.size(), 3u);
  seen.clear();
  for (std::uint64_t seed = 0; seed < 8; ++seed) seen.insert(begins(seed, 0));
  EXPECT_GT(seen.size(), 3u);
}

}  // namespace
}  // namespace upbench::test
