#include "models/diffusion/sampling/guidance.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/sampling/sampler.h"

namespace upbench {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const NoiseSchedule kNoise = NoiseSchedule::scaled_linear();
const DenoiseSteps kSteps = denoise_steps(DenoiseRule::a1111, 0.5, 20, Scheduler::karras, kNoise);

at::Tensor picture() {
  return at::linspace(-2, 3, 2 * 4 * 3 * 3, at::kDouble).view({2, 4, 3, 3});
}

// A network that knows the clean picture `clean` gives back exactly that, in either way of saying it.
TEST(Guidance, TurnsBothPredictionsIntoThePicture) {
  const at::Tensor clean = picture().sin(), noise = picture().cos();
  for (const double sigma : {0.03, 0.7, 14.6}) {
    const double abar = 1 / (1 + sigma * sigma);
    const at::Tensor x = clean + noise * sigma;
    for (const Prediction prediction : {Prediction::epsilon, Prediction::v}) {
      const auto network = [&](const at::Tensor& scaled, double timestep, Branches branches) {
        EXPECT_TRUE(
            at::allclose(scaled, clean * std::sqrt(abar) + noise * std::sqrt(1 - abar)));  // as trained
        EXPECT_NEAR(timestep, kNoise.timestep_at(sigma), 1e-12);
        EXPECT_EQ(branches, Branches::cond);
        return prediction == Prediction::epsilon ? noise
                                                 : noise * std::sqrt(abar) - clean * std::sqrt(1 - abar);
      };
      Guidance guidance(network, {.prediction = prediction}, kSteps, kNoise);
      EXPECT_TRUE(at::allclose(guidance(x, sigma), clean, 1e-10, 1e-10));
    }
  }
}

// The negative prompt's network answers 1, the prompt's 3: D = x - sigma (1 + w (3 - 1)).
TEST(Guidance, AsksForBothContextsAtOnce) {
  const auto network = [](const at::Tensor& x, double, Branches branches) {
    EXPECT_EQ(branches, Branches::uncond_and_cond);
    EXPECT_EQ(x.sizes(), (std::vector<std::int64_t>{4, 4, 3, 3}));
    EXPECT_TRUE(at::equal(x.narrow(0, 0, 2), x.narrow(0, 2, 2)));
    const at::Tensor half = at::ones_like(x.narrow(0, 0, 2));
    return at::cat({half, half * 3});
  };
  Guidance guidance(network, {.scale = 7.5}, kSteps, kNoise);
  EXPECT_TRUE(at::allclose(guidance(picture(), 2), picture() - 2 * (1 + 7.5 * 2)));
  EXPECT_EQ(guidance.calls(), 1);
  EXPECT_EQ(guidance.evaluations(), 2);
}

TEST(Guidance, OfOneAsksForThePromptAlone) {
  int asked = 0;
  const auto network = [&](const at::Tensor& x, double, Branches branches) {
    ++asked;
    EXPECT_EQ(branches, Branches::cond);
    return at::zeros_like(x);
  };
  Guidance guidance(network, {.scale = 1}, kSteps, kNoise);
  EXPECT_TRUE(at::equal(guidance(picture(), 2), picture()));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(guidance.evaluations(), 1);
}

// With phi 1 each picture's guided prediction deviates as its conditional one, with 0.5 half way.
TEST(Guidance, RescaleTakesTheDeviationBack) {
  const at::Tensor uncond = picture().cos(), cond = picture().sin() * 2;
  const auto network = [&](const at::Tensor&, double, Branches) { return at::cat({uncond, cond}); };
  const auto deviations = [](const at::Tensor& x) { return x.std({1, 2, 3}); };
  const auto prediction = [&](double rescale) {
    Guidance guidance(network, {.scale = 6, .rescale = rescale}, kSteps, kNoise);
    return (picture() - guidance(picture(), 2)) / 2;
  };
  const at::Tensor guided = uncond + (cond - uncond) * 6;
  EXPECT_TRUE(at::allclose(prediction(0), guided));
  EXPECT_TRUE(at::allclose(deviations(prediction(1)), deviations(cond)));
  EXPECT_TRUE(at::allclose(prediction(0.5), (guided + prediction(1)) / 2));
}

TEST(Guidance, TakesItsTimestepsFromTheTool) {
  std::vector<double> asked;
  const auto network = [&](const at::Tensor& x, double timestep, Branches) {
    asked.push_back(timestep);
    return at::zeros_like(x);
  };
  const DenoiseSteps comfy = denoise_steps(DenoiseRule::comfy, 0.5, 5, Scheduler::karras, kNoise);
  Guidance guidance(network, {}, comfy, kNoise);
  sample(Sampler::dpm2, picture(), comfy.sigmas, std::ref(guidance), [] { return at::Tensor(); });
  EXPECT_EQ(asked.size(), 9U);  // the last step takes one
  EXPECT_EQ(guidance.evaluations(), 9);
  for (const double timestep : asked) EXPECT_EQ(timestep, std::nearbyint(timestep));
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(asked[2 * i], comfy.timesteps[i]);
}

TEST(Guidance, KeepsThePicturesTypeWhateverTheNetworks) {
  const auto network = [](const at::Tensor& x, double, Branches) { return at::ones_like(x, at::kHalf); };
  Guidance guidance(network, {.scale = 3}, kSteps, kNoise);
  EXPECT_EQ(guidance(picture().to(at::kFloat), 1).scalar_type(), at::kFloat);
}

TEST(Guidance, RefusesOptionsOutOfRangeAndOtherShapes) {
  const DenoisingNetwork half = [](const at::Tensor& x, double, Branches) { return x.narrow(1, 0, 2); };
  EXPECT_THROW(Guidance(half, {.scale = NAN}, kSteps, kNoise), std::invalid_argument);
  EXPECT_THAT([&] { Guidance(half, {.rescale = 1.5}, kSteps, kNoise); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("rescale is 1.5, expected 0 .. 1")));
  Guidance guidance(half, {}, kSteps, kNoise);
  EXPECT_THAT([&] { guidance(picture(), 1); },
              ThrowsMessage<std::runtime_error>(HasSubstr("made [2, 2, 3, 3] of [2, 4, 3, 3]")));
}

}  // namespace
}  // namespace upbench
