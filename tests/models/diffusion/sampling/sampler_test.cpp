#include "models/diffusion/sampling/sampler.h"

#include <cmath>
#include <map>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/sampling/sigma_schedule.h"

namespace upbench {
namespace {

// Pictures whose values are normal with this mean and deviation: the best guess is known, and so is the exact
// trajectory without noise: distances from the mean shrink as sqrt(deviation^2 + sigma^2).
constexpr double kMean = 0.3, kDeviation = 0.7;

at::Tensor guess(const at::Tensor& x, double sigma) {
  const double trust = kDeviation * kDeviation / (kDeviation * kDeviation + sigma * sigma);
  return kMean + (x - kMean) * trust;
}

double spread(double sigma) {
  return std::sqrt(kDeviation * kDeviation + sigma * sigma);
}

struct Noise {
  explicit Noise(std::uint64_t seed, at::IntArrayRef shape)
      : generator(at::detail::createCPUGenerator(seed)), sizes(shape.vec()) {}
  at::Tensor operator()() { return at::randn(sizes, generator, at::kDouble); }
  at::Generator generator;
  std::vector<std::int64_t> sizes;
};

at::Tensor no_noise() {
  ADD_FAILURE() << "drew noise";
  return {};
}

std::vector<double> log_spaced(double from, double to, int steps) {
  std::vector<double> sigmas;
  for (int i = 0; i <= steps; ++i)
    sigmas.push_back(from * std::pow(to / from, static_cast<double>(i) / steps));
  return sigmas;
}

// Distance from the exact end of a trajectory from sigma 5 to 0.1, eta 0. Multistep samplers begin with steps
// of lower order, and UniPC ends with such, whose error would be all that is seen: there are tiny ones.
double error(Sampler sampler, int steps) {
  const at::Tensor x = at::full({1}, 4.0, at::kDouble);
  std::vector<double> sigmas = log_spaced(5, 0.1, steps);
  sigmas.insert(sigmas.begin() + 1, {4.998, 4.996, 4.994});
  sigmas.insert(sigmas.end() - 1, {0.1 + 2e-6, 0.1 + 1e-6});
  const at::Tensor end = sample(sampler, x, sigmas, guess, no_noise, {.eta = 0});
  const double exact = kMean + (4.0 - kMean) * spread(0.1) / spread(5);
  return std::abs(end.item<double>() - exact);
}

// Twice the steps divide the error by 2^order.
TEST(Sampler, ConvergesWithItsOrder) {
  const std::map<Sampler, double> orders = {{Sampler::euler, 1},
                                            {Sampler::euler_ancestral, 1},
                                            {Sampler::heun, 2},
                                            {Sampler::dpm2, 2},
                                            {Sampler::dpm2_ancestral, 2},
                                            {Sampler::dpmpp_2s_ancestral, 2},
                                            {Sampler::dpmpp_2m, 2},
                                            {Sampler::dpmpp_sde, 2},
                                            {Sampler::dpmpp_2m_sde, 2},
                                            {Sampler::dpmpp_3m_sde, 2},  // see there why not 3
                                            {Sampler::lms, 4},
                                            {Sampler::ddim, 1},
                                            {Sampler::restart, 2},  // without restarts Heun
                                            {Sampler::unipc, 3},
                                            {Sampler::unipc_bh1, 4}};  // the corrector adds one to 2 and 3
  for (const auto& [sampler, order] : orders) {
    const double measured = std::log2(error(sampler, 64) / error(sampler, 128));
    // What is of higher order fades with the steps, and slowly next to an error of order 4.
    EXPECT_NEAR(measured, order, order == 4 ? 0.4 : 0.25) << describe(sampler).name;
  }
}

TEST(Sampler, EndsAtTheGuessWhereTheLastLevelIsZero) {
  const std::vector<double> sigmas = sigma_schedule(Scheduler::karras, 40, NoiseSchedule::scaled_linear());
  const at::Tensor x = at::linspace(-20, 20, 5, at::kDouble);
  const at::Tensor exact = kMean + (x - kMean) * (kDeviation / spread(sigmas.front()));
  for (const SamplerRow& row : samplers()) {
    if (row.sampler == Sampler::lcm) continue;  // jumps
    const at::Tensor end = sample(row.sampler, x, sigmas, guess, no_noise, {.eta = 0});
    // First order at 40 steps; the others are far nearer.
    EXPECT_LT((end - exact).abs().max().item<double>(), 0.1) << row.name;
  }
}

// Pictures drawn with noise have the distribution of the data: mean and deviation of 30,000 values are known
// to 0.6 %.
TEST(Sampler, StochasticOnesGiveTheDistributionOfTheData) {
  const std::vector<double> sigmas = sigma_schedule(Scheduler::karras, 60, NoiseSchedule::scaled_linear());
  for (const SamplerRow& row : samplers()) {
    if (!row.stochastic() || row.sampler == Sampler::lcm) continue;
    Noise noise(7, {30'000});
    const at::Tensor x = noise() * spread(sigmas.front()) + kMean;
    const at::Tensor end = sample(row.sampler, x, sigmas, guess, std::ref(noise));
    EXPECT_NEAR(end.mean().item<double>(), kMean, 0.02) << row.name;
    // Euler a is of first order: its 60 steps leave 6 %.
    EXPECT_NEAR(end.std().item<double>(), kDeviation, 0.07 * kDeviation) << row.name;
  }
}

TEST(Sampler, WithoutEtaTheAncestralAreTheirPlainForms) {
  const std::vector<double> sigmas = log_spaced(3, 0.2, 7);
  const at::Tensor x = at::linspace(-2, 2, 4, at::kDouble);
  const auto end = [&](Sampler sampler) { return sample(sampler, x, sigmas, guess, no_noise, {.eta = 0}); };
  EXPECT_TRUE(at::allclose(end(Sampler::euler), end(Sampler::euler_ancestral), 1e-12));
  EXPECT_TRUE(at::equal(end(Sampler::euler), end(Sampler::ddim)));
  EXPECT_TRUE(at::equal(end(Sampler::heun), end(Sampler::restart)));
  EXPECT_TRUE(at::allclose(end(Sampler::dpm2), end(Sampler::dpm2_ancestral), 1e-12));
  EXPECT_TRUE(at::allclose(end(Sampler::dpmpp_2m), end(Sampler::dpmpp_2m_sde), 1e-12));
  EXPECT_TRUE(at::allclose(end(Sampler::dpmpp_2s_ancestral), end(Sampler::dpmpp_sde), 1e-12));
}

// DDIM with eta is the ancestral step, whatever level it is at (Song et al. 2021, equation 16).
TEST(Sampler, DdimWithEtaIsTheAncestralStep) {
  const std::vector<double> sigmas = log_spaced(3, 0.2, 7);
  const at::Tensor x = at::linspace(-2, 2, 4, at::kDouble);
  const auto end = [&](Sampler sampler) {
    return sample(sampler, x, sigmas, guess, Noise(3, {4}), {.eta = 0.6});
  };
  EXPECT_TRUE(at::equal(end(Sampler::ddim), end(Sampler::euler_ancestral)));
  // One step of it: noise of sigma' sqrt(1 - sigma'^2 / sigma^2) eta, the rest of sigma' along the slope.
  const double up = 0.6 * 0.5 * std::sqrt(1 - 0.25), down = std::sqrt(0.25 - up * up);
  const at::Tensor noise = Noise(3, {4})();
  const at::Tensor expected = guess(x, 1) + (x - guess(x, 1)) * down + noise * up;
  EXPECT_TRUE(at::allclose(sample(Sampler::ddim, x, {1, 0.5}, guess, Noise(3, {4}), {.eta = 0.6}), expected));
}

// Where the guess is a polynomial in the steps' own variable the coefficients show: UniPC of order 1 with its
// corrector, two steps by hand.
TEST(Sampler, UnipcOfOrderOneIsDdimCorrectedByHalfTheChange) {
  const at::Tensor x = at::ones({1}, at::kDouble) * 2;
  const double h = std::log(2.0);
  const auto plain = [&](const at::Tensor& from, const at::Tensor& picture) {
    return from * std::exp(-h) - picture * std::expm1(-h);
  };
  const at::Tensor first = guess(x, 4), predicted = plain(x, first), second = guess(predicted, 2);
  const at::Tensor corrected = plain(x, first) - (second - first) * (std::expm1(-h) / 2);
  const at::Tensor end = sample(Sampler::unipc, x, {4, 2, 1}, guess, no_noise, {.order = 1});
  EXPECT_TRUE(at::allclose(end, plain(corrected, second), 1e-12));
}

TEST(Sampler, EvaluatesAndDrawsAsOftenAsItSays) {
  constexpr int kSteps = 24;  // from 20 on restart restarts
  const std::vector<double> sigmas =
      sigma_schedule(Scheduler::karras, kSteps, NoiseSchedule::scaled_linear());
  for (const SamplerRow& row : samplers()) {
    int evaluations = 0, draws = 0, steps = 0;
    sample(
        row.sampler, at::ones({2}, at::kDouble), sigmas,
        [&](const at::Tensor& x, double sigma) {
          ++evaluations;
          return guess(x, sigma);
        },
        [&] {
          ++draws;
          return at::zeros({2}, at::kDouble);
        },
        {}, [&](std::size_t step, const at::Tensor&) { EXPECT_EQ(step, static_cast<std::size_t>(steps++)); });
    EXPECT_EQ(steps, kSteps) << row.name;
    EXPECT_EQ(evaluations, (kSteps - 1) * row.evaluations + 1) << row.name;  // the step to 0 takes one
    EXPECT_EQ(draws > 0, row.stochastic()) << row.name;
  }
}

TEST(Sampler, RefusesLevelsThatDoNotDescendAndOptionsOutOfRange) {
  const auto run = [](const std::vector<double>& sigmas) {
    sample(Sampler::euler, at::ones({1}), sigmas, guess, no_noise);
  };
  EXPECT_THROW(run({}), std::invalid_argument);
  EXPECT_THROW(run({1}), std::invalid_argument);
  EXPECT_THROW(run({1, 1}), std::invalid_argument);
  EXPECT_THROW(run({1, -1}), std::invalid_argument);
  EXPECT_THROW(run({NAN, 0}), std::invalid_argument);
  const auto with = [](const SamplerOptions& options) {
    sample(Sampler::unipc, at::ones({1}), {1, 0}, guess, no_noise, options);
  };
  EXPECT_THROW(with({.eta = -1}), std::invalid_argument);
  EXPECT_THROW(with({.eta = NAN}), std::invalid_argument);
  EXPECT_THROW(with({.noise_scale = -1}), std::invalid_argument);
  EXPECT_THROW(with({.order = 0}), std::invalid_argument);
  EXPECT_THROW(with({.order = 4}), std::invalid_argument);
  EXPECT_THROW(parse_sampler("eular"), std::invalid_argument);
  for (const SamplerRow& row : samplers()) EXPECT_EQ(parse_sampler(row.name), row.sampler);
}

}  // namespace
}  // namespace upbench
