#include "models/diffusion/trace.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/peers/peer.h"
#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What float32 makes of sums in another order, by the largest value (the goldens' own float64 run differs by
// 2e-6); the bound.
constexpr double kParity = 1e-4;

class TraceGoldens : public ::testing::Test {
 protected:
  void SetUp() override {
    UPBENCH_NEEDS_ASSETS();
    folder_ = assets() / "goldens/diffusion";
    io_ = read_checkpoint(folder_ / "io.safetensors").tensors;
  }
  DiffusionModel model(const DiffusionFiles& files) const {
    return {read_diffusion(files), at::kCPU, at::kFloat};
  }

  const at::NoGradGuard no_gradients_;
  std::filesystem::path folder_;
  NamedTensors io_;
};

TEST_F(TraceGoldens, EveryPartGivesWhatDiffusersGives) {
  const DiffusionModel parts = model({.unet = folder_ / "unet.safetensors",
                                      .vae = folder_ / "vae.safetensors",
                                      .text_encoders = {folder_ / "text_encoder.safetensors"}});
  const NamedTensors unet = trace_part(parts, "unet",
                                       {{"latents", io_.at("unet.sample")},
                                        {"timesteps", io_.at("unet.timestep")},
                                        {"context", io_.at("text.last_hidden_state")}});
  EXPECT_LE(relative_error(unet.at("noise_pred"), io_.at("unet.noise_pred")), kParity);
  const NamedTensors encoded = trace_part(parts, "vae-encode", {{"image", io_.at("vae.image")}});
  EXPECT_LE(relative_error(encoded.at("mean"), io_.at("vae.mean")), kParity);
  EXPECT_LE(relative_error(encoded.at("logvar"), io_.at("vae.logvar")), kParity);
  const NamedTensors decoded = trace_part(parts, "vae-decode", {{"latents", io_.at("vae.mean")}});
  EXPECT_LE(relative_error(decoded.at("decoded"), io_.at("vae.decoded")), kParity);
  const NamedTensors text = trace_part(parts, "text", {{"input_ids", io_.at("text.input_ids")}});
  for (const char* name : {"last_hidden_state", "hidden_state_before_last_layer", "pooler_output"})
    EXPECT_LE(relative_error(text.at(name), io_.at(std::string("text.") + name)), kParity) << name;
}

struct Trajectory {
  const char *name, *sampler, *scheduler;
};

TEST_F(TraceGoldens, EveryTrajectoryGoesAsInDiffusers) {
  const DiffusionModel parts =
      model({.unet = folder_ / "unet.safetensors", .vae = folder_ / "vae.safetensors"});
  const NamedTensors expected = read_checkpoint(folder_ / "img2img.safetensors").tensors;
  const NamedTensors inputs = {{"init_latents", expected.at("init_latents")},
                               {"noise", expected.at("noise")},
                               {"step_noise", expected.at("step_noise")},
                               {"context", io_.at("text.last_hidden_state")}};
  for (const Trajectory& row : {Trajectory{"euler", "euler", "uniform"},
                                {"euler_a", "euler-a", "uniform"},
                                {"dpmpp_2m_karras", "dpmpp-2m", "karras"},
                                {"ddim", "ddim", "ddim-uniform"}})
    for (const char* strength : {"0.2", "0.35", "0.5", "0.75"}) {
      LatentRun run{.sampler = parse_sampler(row.sampler), .guidance = 5};
      run.steps =
          denoise_steps(DenoiseRule::diffusers, std::stod(strength), 20, parse_scheduler(row.scheduler),
                        parts.facts().noise, {.sampler = run.sampler, .rho = {}});
      const NamedTensors made = trace_run(parts, run, inputs);
      const std::string prefix = fmt::format("{}/{}/", row.name, strength);
      for (const char* name : {"latents", "sigmas", "timesteps"}) {
        const auto golden = expected.find(prefix + name);
        if (golden == expected.end()) continue;  // DDIM's sigmas
        EXPECT_LE(relative_error(made.at(name), golden->second), kParity) << prefix << name;
      }
      if (prefix != "ddim/0.35/") continue;
      EXPECT_LE(relative_error(made.at("decoded"), expected.at("decoded")), kParity);
    }
}

class Trace : public ::testing::Test {
 protected:
  template <class Action>
  static std::string refusal_of(const Action& action) {
    try {
      action();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "accepted";
  }
  static LatentRun run_of(Sampler sampler, double guidance) {
    LatentRun run{.sampler = sampler, .guidance = guidance};
    run.steps = denoise_steps(DenoiseRule::a1111, 0.5, 4, Scheduler::uniform, NoiseSchedule::scaled_linear());
    return run;
  }
  NamedTensors inputs() const {
    at::manual_seed(1);
    return {{"init_latents", at::randn({1, 4, 6, 5})},
            {"noise", at::randn({1, 4, 6, 5})},
            {"context", at::randn({2, 77, 32})}};
  }

  const at::NoGradGuard no_gradients_;
  const DiffusionModel model_{{.parts = tiny_diffusion(3), .config = {}}, at::kCPU, at::kFloat};
};

TEST_F(Trace, WithGuidanceOneOnlyThePromptIsAsked) {
  NamedTensors both = inputs(), alone = inputs();
  alone["context"] = both.at("context").narrow(0, 1, 1);
  const LatentRun run = run_of(Sampler::euler, 1);
  EXPECT_TRUE(
      at::equal(trace_run(model_, run, both).at("latents"), trace_run(model_, run, alone).at("latents")));
}

// Guidance is linear in its scale for one step from the same latents: D = Du + w (Dc - Du).
TEST_F(Trace, GuidanceGoesFromOneContextToTheOther) {
  LatentRun run = run_of(Sampler::euler, 0);
  run.steps.sigmas = {run.steps.sigmas[0], 0};
  run.steps.timesteps.resize(1);
  const auto last = [&](double guidance) {
    run.guidance = guidance;
    return trace_run(model_, run, inputs()).at("latents")[1];
  };
  const at::Tensor none = last(0), one = last(1), three = last(3);
  EXPECT_LE(relative_error(three, none + 3 * (one - none)), 1e-5) << "of float32";
}

TEST_F(Trace, APictureBecomesLatentsThroughTheAutoencoder) {
  NamedTensors given = inputs();
  given.erase("init_latents");
  given["image"] = at::rand({1, 3, 12, 10}) * 2 - 1;
  const LatentRun run = run_of(Sampler::euler, 1);
  const NamedTensors made = trace_run(model_, run, given);
  const at::Tensor mean = trace_part(model_, "vae-encode", {{"image", given["image"]}}).at("mean");
  const at::Tensor expected = mean * 0.18215 + given["noise"] * run.steps.start_noise;
  EXPECT_LE(relative_error(made.at("latents").narrow(0, 0, 1), expected), 1e-6) << "of float32";
}

TEST_F(Trace, BadRequestsAreNamed) {
  const auto with = [&](const std::string& name, const at::Tensor& tensor) {
    NamedTensors given = inputs();
    if (tensor.defined())
      given[name] = tensor;
    else
      given.erase(name);
    return refusal_of([&] { trace_run(model_, run_of(Sampler::euler, 7), given); });
  };
  EXPECT_THAT(with("noise", {}), HasSubstr("no input 'noise'"));
  EXPECT_THAT(with("init_latents", {}), HasSubstr("one of the inputs init_latents and image"));
  EXPECT_THAT(with("noise", at::zeros({1, 4, 6, 6})), HasSubstr("noise are [1, 4, 6, 6]"));
  EXPECT_THAT(with("init_latents", at::zeros({1, 9, 6, 5})), HasSubstr("expected [1, 4, h, w]"));
  EXPECT_THAT(with("context", at::zeros({3, 77, 32})), HasSubstr("expected [2, L, D]"));
  EXPECT_THAT(with("typo", at::zeros({1})), HasSubstr("input 'typo' is not used here"));
  EXPECT_THAT(with("hint", at::zeros({1, 3, 48, 40})), HasSubstr("has no ControlNet"));
  EXPECT_THAT(refusal_of([&] { trace_run(model_, run_of(Sampler::euler_ancestral, 7), inputs()); }),
              HasSubstr("step_noise has 0 draws"));
  EXPECT_THAT(refusal_of([&] { trace_part(model_, "nose", {}); }),
              AllOf(HasSubstr("unknown part 'nose'"), HasSubstr("vae-decode")));
}

// Weights of infinity stand for a network that half precision breaks: no black picture comes out.
TEST_F(Trace, WhatIsNotFiniteIsAnError) {
  ModelParts broken = tiny_diffusion(3);
  broken.unet.at("conv_out.bias").fill_(std::numeric_limits<float>::infinity());
  const DiffusionModel unet({.parts = broken, .config = {}}, at::kCPU, at::kFloat);
  EXPECT_THAT(refusal_of([&] { trace_run(unet, run_of(Sampler::euler, 7), inputs()); }),
              HasSubstr("latents are NaN or infinite"));
  broken = tiny_diffusion(3);
  broken.autoencoder.at("decoder.conv_out.bias").fill_(std::numeric_limits<float>::quiet_NaN());
  const DiffusionModel coder({.parts = broken, .config = {}}, at::kCPU, at::kFloat);
  EXPECT_THAT(refusal_of([&] { trace_run(coder, run_of(Sampler::euler, 7), inputs()); }),
              HasSubstr("the autoencoder decodes to NaN"));
}

// Half precision has no 70,000; float32 has: the autoencoder is run again and says so.
TEST_F(Trace, AnAutoencoderThatHalfPrecisionBreaksIsRunInFloat) {
  ModelParts parts = tiny_diffusion(3);
  parts.autoencoder.at("decoder.conv_out.weight") *= 5e4;
  const DiffusionModel half({.parts = parts, .config = {}}, at::kCPU, at::kHalf);
  const Coded made = decode_latents(half, {}, at::randn({1, 4, 4, 4}));
  EXPECT_TRUE(made.repeated);
  EXPECT_TRUE(at::isfinite(made.result).all().item<bool>());
}

}  // namespace
}  // namespace upbench::test
