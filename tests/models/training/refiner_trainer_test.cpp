#include "models/training/refiner_trainer.h"

#include <cmath>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/facts.h"
#include "models/diffusion/model.h"
#include "models/training/pixel_autoencoder.h"
#include "models/training/schedule.h"
#include "tests/models/training/one_thread.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

RefinerSettings tiny() {
  return {.seed = 3,
          .steps = 6,
          .patch = 16,
          .batch = 2,
          .pictures = 4,
          .picture_size = 32,
          .learning_rate = 2e-3,
          .report_every = 3};
}

struct TrainedRun {
  NamedTensors weights;
  std::vector<RefinerProgress> reports;
  std::vector<double> losses() const {
    std::vector<double> made;
    for (const RefinerProgress& now : reports) made.push_back(now.loss);
    return made;
  }
};

TrainedRun run(const RefinerSettings& settings) {
  TrainedRun trained;
  trained.weights =
      train_refiner(settings, [&](const RefinerProgress& now) { trained.reports.push_back(now); });
  return trained;
}

DiffusionTensors as_model(const NamedTensors& unet) {
  DiffusionTensors tensors;
  tensors.parts = parts_of(refiner_checkpoint(unet));
  return tensors;
}

using RefinerTrainer = OneThread;

TEST_F(RefinerTrainer, SameSeedGivesTheSameLossesAndWeights) {
  const TrainedRun first = run(tiny()), second = run(tiny());
  EXPECT_EQ(first.losses(),
            second.losses());  // one thread: the same operations in the same order, bit by bit
  EXPECT_EQ(tensor_hash(first.weights), tensor_hash(second.weights));
  RefinerSettings other = tiny();
  other.seed = 4;
  EXPECT_NE(tensor_hash(run(other).weights), tensor_hash(first.weights));
}

// A network that predicts no noise errs by its variance, 1; its "denoised" pictures are the noisy ones.
TEST_F(RefinerTrainer, BeginsAtTheVarianceOfNoiseAndLearns) {
  RefinerSettings longer = tiny();
  longer.steps = 60;
  longer.report_every = 20;
  const TrainedRun trained = run(longer);
  ASSERT_EQ(trained.reports.size(), 3u);
  RefinerSettings one = tiny();
  one.stop_after = one.report_every = 1;
  EXPECT_NEAR(run(one).reports.front().loss, 1.0, 0.1);  // 2 x 3 x 16 x 16 numbers: deviation 0.036
  EXPECT_LT(trained.reports.back().loss, 0.8);
  EXPECT_GT(trained.reports.back().denoised_psnr[2], trained.reports.front().denoised_psnr[2] + 0.5);
}

TEST_F(RefinerTrainer, EveryWeightIsTrained) {
  RefinerSettings shorter = tiny();
  shorter.stop_after = 3;
  const NamedTensors early = run(shorter).weights;
  for (const auto& [name, tensor] : run(tiny()).weights) {
    EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
    EXPECT_FALSE(at::equal(tensor, early.at(name))) << name << " has no gradient";
  }
}

TEST_F(RefinerTrainer, WritesACheckpointThatIsReadAsAnUnconditionalModelOnPixels) {
  const DiffusionTensors tensors = as_model(run(tiny()).weights);
  EXPECT_EQ(tensors.parts.layout, "LDM");
  EXPECT_THAT(tensors.parts.left_out, IsEmpty());
  const DiffusionFacts facts = diffusion_facts(tensors.parts);
  EXPECT_TRUE(is_unconditional(facts));
  EXPECT_THAT(missing_parts(facts), IsEmpty());
  EXPECT_EQ(facts.prediction, Prediction::epsilon);
  EXPECT_EQ(facts.autoencoder->factor, 1);
  EXPECT_EQ(facts.autoencoder->channels, facts.unet->out_channels);
  EXPECT_EQ(facts.unet->channels, (std::vector<std::int64_t>{32, 64}));
}

// The network that was trained is the network that refines.
TEST_F(RefinerTrainer, DenoisesAfterLoadingAsItDidInTraining) {
  NamedTensors halves;
  for (const auto& [name, tensor] : run(tiny()).weights)
    halves[name] = tensor.to(at::kHalf).to(at::kFloat).contiguous();
  const at::NoGradGuard no_gradients;
  const DiffusionModel model(as_model(halves), at::kCPU, at::kFloat);
  at::manual_seed(1);
  const at::Tensor latents = at::randn({1, 3, 12, 10});
  const UNetInput input{
      .latents = latents, .timesteps = at::full({1}, 250.0F), .context = {}, .vector = {}, .labels = {}};
  const UNetFunction plain = bind_unet(unet_facts(halves), halves);
  const at::Tensor expected = plain(input), made = model.unet()(input);
  // float32 in another order of sums
  EXPECT_LT((made - expected).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>());
}

TEST_F(RefinerTrainer, RefusesSettingsThatCannotWork) {
  const auto message = [](auto change) {
    RefinerSettings settings = tiny();
    change(settings);
    try {
      run(settings);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(message([](RefinerSettings& s) { s.stop_after = 7; }),
              HasSubstr("stop after is 7, expected 0 to"));
  EXPECT_THAT(message([](RefinerSettings& s) { s.patch = 15; }), HasSubstr("patch is 15"));
  EXPECT_THAT(message([](RefinerSettings& s) { s.patch = 64; }), HasSubstr("patch is 64"));
  EXPECT_THAT(message([](RefinerSettings& s) { s.learning_rate = 0; }), HasSubstr("learning rate is 0"));
  EXPECT_THAT(message([](RefinerSettings& s) { s.steps = 0; }), HasSubstr("steps is 0"));
}

TEST(TrainingSchedule, WarmsUpThenFallsAlongHalfACosine) {
  EXPECT_NEAR(learning_rate_at(0, 1000, 1), 1e-6 + 0.01, 1e-7);    // one step of a hundred
  EXPECT_NEAR(learning_rate_at(500, 1000, 1), 1e-6 + 0.5, 1e-12);  // half of the cosine
  EXPECT_NEAR(learning_rate_at(1000, 1000, 1), 1e-6, 1e-12);       // its end
}

TEST(TrainingSchedule, AverageForgetsTheFirstWeightsFast) {
  NamedTensors mean{{"w", at::zeros({1})}};
  const NamedTensors weights{{"w", at::ones({1})}};
  average_weights(mean, weights, 0);
  EXPECT_NEAR(mean.at("w").item<double>(), 0.9, 1e-6);  // keeps 1 / 10
  average_weights(mean, weights, 100'000);
  EXPECT_NEAR(mean.at("w").item<double>(), 0.9001, 1e-6);  // keeps 0.999 at the most
}

class PixelAutoencoder : public ::testing::Test {
 protected:
  // The largest difference of any pixel in code values of 255, of pictures in [0, 1].
  double error_of(const at::Tensor& picture) const {
    const at::Tensor latents = coder_->encode(picture * 2 - 1).mean;
    return (coder_->decode(latents) - (picture * 2 - 1)).abs().max().item<double>() * 127.5;
  }
  const at::NoGradGuard no_gradients_;
  std::shared_ptr<const PictureCoder> coder_ = [] {
    NamedTensors tensors;
    for (const auto& [name, tensor] : pixel_autoencoder()) tensors["first_stage_model." + name] = tensor;
    const ModelParts parts = parts_of(std::move(tensors));
    return make_autoencoder(autoencoder_facts(parts.autoencoder), parts.autoencoder);
  }();
};

// A quarter of a code value: what K in its norms leaves of the contrast (0.04 % of white, twice), and
// float32.
TEST_F(PixelAutoencoder, GivesEveryPictureBack) {
  at::manual_seed(2);
  EXPECT_LT(error_of(at::rand({1, 3, 24, 17})), 0.25);
  EXPECT_LT(error_of(at::zeros({1, 3, 8, 8})), 0.25);
  EXPECT_LT(error_of(at::ones({1, 3, 8, 8})), 0.25);
  EXPECT_LT(error_of(at::rand({1, 3, 1, 1}).expand({1, 3, 9, 9})), 0.25);
  EXPECT_LT(error_of(at::cat({at::ones({1, 1, 6, 6}), at::zeros({1, 2, 6, 6})}, 1)), 0.25);  // red
}

TEST_F(PixelAutoencoder, LatentsAreColours) {
  at::manual_seed(3);
  const at::Tensor picture = at::rand({1, 3, 20, 20}) * 2 - 1;
  const Posterior posterior = coder_->encode(picture);
  const at::Tensor expected = picture * (kPixelLatentScale / 0.18215);
  EXPECT_LT((posterior.mean - expected).abs().max().item<double>(), 2e-3 * 32);
  EXPECT_LT(posterior.logvar.max().item<double>(), -29);
}

TEST_F(PixelAutoencoder, HalfPrecisionHoldsEveryWeight) {
  for (const auto& [name, tensor] : pixel_autoencoder())
    EXPECT_TRUE(at::equal(tensor, tensor.to(at::kHalf).to(at::kFloat))) << name;
}

}  // namespace
}  // namespace upbench::test
