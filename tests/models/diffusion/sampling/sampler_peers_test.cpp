#include <cmath>
#include <cstdio>
#include <numbers>
#include <optional>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/diffusion/sampling/beta_quantile.h"
#include "models/diffusion/sampling/guidance.h"
#include "models/diffusion/sampling/sampler.h"
#include "tests/models/diffusion/peers/peer.h"

// Against diffusers: levels, timesteps and whole trajectories at four strengths, with the same small function
// for a network and the same noises (peers/sampling_peer.py).
namespace upbench {
namespace {

constexpr int kSteps = 20;
constexpr const char* kStrengths[] = {"0.2", "0.35", "0.5", "0.75"};
const NoiseSchedule kNoise = NoiseSchedule::scaled_linear();

struct Case {
  Sampler sampler;
  Scheduler scheduler;
  std::optional<double> eta = {};  // 0: theirs draws no noise
};

class SamplerPeers : public testing::Test {
 protected:
  void SetUp() override {
    UPBENCH_NEEDS_PEERS("diffusers, scipy, torchsde");
    peer_ = &test::run_peer("sampling_peer");
  }
  const at::Tensor& given(const std::string& name) const { return peer_->at(name); }

  // The same function as there.
  at::Tensor network(const at::Tensor& x, double timestep) const {
    const double share = timestep / 1000;
    const at::Tensor mixed = at::einsum("oc,nchw->nohw", {given("mix").to(at::kDouble), x});
    return x * std::sin(std::numbers::pi / 2 * share) +
           (mixed + given("shift").to(at::kDouble) * std::cos(9 * share)).tanh() * 0.3;
  }

  // Every state in the scale of diffusers, [steps + 1, 4, H, W]. key: of their run, which may have noises of
  // its own (those of a Brownian tree).
  at::Tensor trajectory(const Case& each, const std::string& key, const DenoiseSteps& steps,
                        const std::vector<double>& sigmas) const {
    Guidance guidance([&](const at::Tensor& x, double timestep, Branches) { return network(x, timestep); },
                      {}, steps, kNoise);
    std::int64_t draws = 0;
    const bool own = peer_->contains(key + "step_noise");
    const at::Tensor noises = given(own ? key + "step_noise" : "step_noise").to(at::kDouble);
    const at::Tensor start =
        given("init").to(at::kDouble) + given("noise").to(at::kDouble) * steps.start_noise;
    std::vector<at::Tensor> states = {start * steps.tool_scale(sigmas.front())};
    sample(
        each.sampler, start, sigmas, std::ref(guidance), [&] { return noises[draws++]; }, {.eta = each.eta},
        [&](std::size_t step, const at::Tensor& x) {
          states.push_back(x * steps.tool_scale(sigmas[step + 1]));
        });
    return at::cat(states);
  }

  const NamedTensors* peer_ = nullptr;
};

double psnr(const at::Tensor& ours, const at::Tensor& theirs) {
  const double range = (theirs.max() - theirs.min()).item<double>();
  return 20 * std::log10(range / std::sqrt((ours - theirs).square().mean().item<double>()));
}

// Their two single steps are one of ours with two stages, where levels are even in log sigma; near the end
// they take single ones, which are left out here.
std::vector<double> every_second(const std::vector<double>& sigmas) {
  std::vector<double> chosen;
  for (std::size_t i = 0; i + 2 < sigmas.size(); i += 2) chosen.push_back(sigmas[i]);
  return chosen;
}

at::Tensor every_second(const at::Tensor& states, std::size_t count) {
  return states.slice(0, 0, 2 * static_cast<std::int64_t>(count) - 1, 2);
}

const Case kCases[] = {
    {Sampler::euler, Scheduler::uniform},
    {Sampler::euler, Scheduler::karras},
    {Sampler::euler, Scheduler::exponential},
    {Sampler::euler, Scheduler::beta_sigma},
    {Sampler::euler, Scheduler::ddim_uniform},
    {Sampler::euler, Scheduler::turbo},
    {Sampler::euler_ancestral, Scheduler::uniform},
    {Sampler::heun, Scheduler::uniform},
    {Sampler::heun, Scheduler::karras},
    {Sampler::dpm2, Scheduler::uniform},
    {Sampler::dpm2, Scheduler::karras},
    {Sampler::dpm2_ancestral, Scheduler::uniform},
    // The middle of its step is the next level itself, where theirs asks for the timestep before rounding and
    // ours for the rounded one: fewer decibels.
    {Sampler::dpm2_ancestral, Scheduler::karras},
    {Sampler::lms, Scheduler::uniform},
    {Sampler::lms, Scheduler::karras},
    {Sampler::dpmpp_2s_ancestral, Scheduler::exponential, 0},
    {Sampler::dpmpp_2m, Scheduler::uniform},
    {Sampler::dpmpp_2m, Scheduler::karras},
    {Sampler::dpmpp_2m, Scheduler::exponential},
    {Sampler::dpmpp_2m, Scheduler::beta_sigma},
    {Sampler::dpmpp_2m, Scheduler::ddim_uniform},
    {Sampler::dpmpp_2m, Scheduler::turbo},
    {Sampler::dpmpp_sde, Scheduler::karras},
    {Sampler::dpmpp_2m_sde, Scheduler::karras},
    {Sampler::dpmpp_3m_sde, Scheduler::karras},
    {Sampler::dpmpp_3m_sde, Scheduler::exponential, 0},
    {Sampler::ddim, Scheduler::ddim_uniform},
    {Sampler::unipc, Scheduler::uniform},
    {Sampler::unipc, Scheduler::karras},
    {Sampler::unipc_bh1, Scheduler::karras},
    {Sampler::lcm, Scheduler::lcm},
};

std::vector<double> numbers(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<double>(), tensor.const_data_ptr<double>() + tensor.numel()};
}

// |a - b|, the largest, by the size of b where that is above 1.
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double most = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i])));
  return most;
}

TEST_F(SamplerPeers, TrajectoriesAreThoseOfDiffusers) {
  std::printf("%-24s %7s %7s %7s %7s  dB at denoise\n", "sampler/scheduler", "0.2", "0.35", "0.5", "0.75");
  for (const Case& each : kCases) {
    const std::string name = describe(each.sampler).name + "/" + std::string(to_string(each.scheduler));
    std::printf("%-24s", name.c_str());
    for (const char* strength : kStrengths) {
      SCOPED_TRACE(name + " " + strength);
      const std::string key = name + "/" + strength + "/";
      const DenoiseSteps steps = denoise_steps(DenoiseRule::diffusers, std::stod(strength), kSteps,
                                               each.scheduler, kNoise, {.sampler = each.sampler});
      // Their sigmas are float32 and made from float32 products of 1,000 alphas; timesteps follow from them
      // by a logarithm whose slope is up to 50 timesteps.
      EXPECT_LT(distance(steps.sigmas, numbers(given(key + "sigmas"))), 2e-5);
      EXPECT_LT(distance(steps.timesteps, numbers(given(key + "timesteps"))), 1e-3);
      const bool pairs = each.sampler == Sampler::dpmpp_2s_ancestral;
      const std::vector<double> sigmas = pairs ? every_second(steps.sigmas) : steps.sigmas;
      at::Tensor theirs = given(key + "latents").to(at::kDouble);
      if (pairs) theirs = every_second(theirs, sigmas.size());
      at::Tensor ours = trajectory(each, key, steps, sigmas);
      // Theirs multiplies 0 by infinity in the step to 0.
      if (each.sampler == Sampler::unipc_bh1) {
        ours = ours.narrow(0, 0, steps.steps());
        theirs = theirs.narrow(0, 0, steps.steps());
      }
      const double decibels = psnr(ours, theirs);
      std::printf(" %7.1f", decibels);
      EXPECT_GE(decibels, 60);  // what the algorithm itself may differ by
    }
    std::printf("\n");
  }
}

TEST_F(SamplerPeers, BetaQuantilesAreThoseOfScipy) {
  const std::vector<double> probabilities = numbers(given("beta/probabilities"));
  const std::vector<double> even = numbers(given("beta/0.6")), other = numbers(given("beta/0.5,0.7"));
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    EXPECT_NEAR(beta_quantile(probabilities[i], 0.6, 0.6), even[i], 1e-12) << probabilities[i];
    EXPECT_NEAR(beta_quantile(probabilities[i], 0.5, 0.7), other[i], 1e-12) << probabilities[i];
  }
}

}  // namespace
}  // namespace upbench
