#include "models/training/trainer.h"

#include <cmath>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "models/training/training_pictures.h"
#include "tests/models/training/one_thread.h"

namespace upbench {
namespace {

TrainingSettings tiny() {
  return {.scale = 2,
          .seed = 3,
          .steps = 20,
          .features = 8,
          .convolutions = 2,
          .patch = 12,
          .batch = 4,
          .pictures = 10,
          .picture_size = 48,
          .learning_rate = 2e-3,
          .report_every = 5};
}

struct TrainedRun {
  TrainingResult result;
  std::vector<double> losses;
};

TrainedRun run(const TrainingSettings& settings) {
  TrainedRun trained;
  trained.result = train(settings, [&](const TrainingProgress& now) { trained.losses.push_back(now.loss); });
  return trained;
}

using Trainer = test::OneThread;

TEST_F(Trainer, SameSeedGivesTheSameLossesAndWeights) {
  const TrainedRun first = run(tiny()), second = run(tiny());
  EXPECT_EQ(first.losses, second.losses);  // one thread: the same operations in the same order, bit by bit
  EXPECT_EQ(tensor_hash(first.result.weights), tensor_hash(second.result.weights));
}

TEST_F(Trainer, OtherSeedGivesOtherWeights) {
  TrainingSettings other = tiny();
  other.seed = 4;
  EXPECT_NE(tensor_hash(run(tiny()).result.weights), tensor_hash(run(other).result.weights));
}

// Means over 60 steps: single batches of this size differ by half as much as is learned.
TEST_F(Trainer, LossFallsAndHeldOutPicturesGetBetter) {
  TrainingSettings longer = tiny();
  longer.steps = 180;
  longer.report_every = 60;
  const TrainedRun trained = run(longer);
  ASSERT_EQ(trained.losses.size(), 3u);
  EXPECT_LT(trained.losses.back(), 0.9 * trained.losses.front());
  EXPECT_GT(trained.result.held_out_psnr_y, run(tiny()).result.held_out_psnr_y + 0.5);
}

TEST_F(Trainer, WeightsAreAnSrvggOfTheSizeAskedFor) {
  const TrainingResult result = run(tiny()).result;
  // 3 -> 8, 8 -> 8 twice, 8 -> 12 by 3x3 with biases, and slopes after the first three.
  EXPECT_EQ(result.parameters, (3 * 8 * 9 + 8) + 2 * (8 * 8 * 9 + 8) + (8 * 12 * 9 + 12) + 3 * 8);
  const NetworkMatch match = recognise(result.weights);
  EXPECT_EQ(match.architecture, "SRVGGNetCompact");
  EXPECT_EQ(match.scale, 2);
  for (const auto& [name, tensor] : result.weights) {
    EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
    EXPECT_FALSE(tensor.requires_grad()) << name;
  }
}

TEST_F(Trainer, RefusesSettingsThatCannotWork) {
  const auto message = [](auto change) {
    TrainingSettings settings = tiny();
    change(settings);
    try {
      run(settings);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message([](auto& s) { s.scale = 5; }), "training: scale is 5, expected 2 to 4");
  EXPECT_EQ(message([](auto& s) { s.patch = 25; }),
            "training: patch is 25, expected 1 to 24, the side of an LR picture");
  EXPECT_EQ(message([](auto& s) { s.picture_size = 49; }),
            "training: picture size is 49, expected 16 or more and a multiple of 2");
  EXPECT_EQ(message([](auto& s) { s.steps = 0; }), "training: steps is 0, expected 1 or more");
  EXPECT_EQ(message([](auto& s) { s.learning_rate = 0; }), "training: learning rate is 0, expected > 0");
}

TEST_F(Trainer, PairsAreBytesOfTheRightSizesAndSeedsShareNoPicture) {
  const auto pairs = render_training_pairs(10, 48, 2, 1), others = render_training_pairs(10, 48, 2, 2);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(pairs[i].hr.sizes(), at::IntArrayRef({3, 48, 48}));
    EXPECT_EQ(pairs[i].lr.sizes(), at::IntArrayRef({3, 24, 24}));
    EXPECT_EQ(pairs[i].lr.scalar_type(), at::kByte);
    for (const auto& other : others) EXPECT_FALSE(at::equal(pairs[i].hr, other.hr));
  }
}

// The crops of LR and HR must show the same place the same way round: enlarged LR is close to HR, at any
// other symmetry or shift it is not.
TEST_F(Trainer, CropsOfAPairMatch) {
  const auto pairs = render_training_pairs(10, 48, 2, 1);
  procedural::Random random(1);
  const TrainingBatch batch = draw_batch(pairs, 32, 12, 2, random);
  EXPECT_EQ(batch.hr.sizes(), at::IntArrayRef({32, 3, 24, 24}));
  const at::Tensor shrunk = at::avg_pool2d(batch.hr, 2);
  const double matched = (shrunk - batch.lr).abs().mean().item<double>();
  EXPECT_LT(matched, 0.5 * (shrunk.flip(2) - batch.lr).abs().mean().item<double>());
  EXPECT_LT(matched, 0.5 * (shrunk.roll(1, 3) - batch.lr).abs().mean().item<double>());
}

// A constant error of 10 grey levels in R, G and B moves luma by 10 x 219 / 255.
TEST_F(Trainer, PsnrOfAConstantErrorIsKnown) {
  const at::Tensor hr = at::full({3, 16, 16}, 110, at::kByte), lr = at::full({3, 8, 8}, 100, at::kByte);
  const double value = mean_psnr_y({{.lr = lr, .hr = hr}}, 2,
                                   [](const at::Tensor& x) { return at::upsample_nearest2d(x, {16, 16}); });
  EXPECT_NEAR(value, 20 * std::log10(255 / (10 * 219.0 / 255)), 1e-9);  // double
}

}  // namespace
}  // namespace upbench
