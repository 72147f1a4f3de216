#include "models/diffusion/sample_latents.h"

#include <functional>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/conditioned_network.h"
#include "models/diffusion/sampling/guidance.h"

namespace upbench {
namespace {

void require_shape(bool fits, const char* what, const at::Tensor& tensor, const std::string& expected) {
  if (!fits)
    throw std::invalid_argument(
        fmt::format("{} are [{}], expected {}", what, fmt::join(tensor.sizes(), ", "), expected));
}

void check(const DiffusionModel& model, const at::Tensor& latents, const Conditioning& conditioning,
           const at::Tensor& start_noise) {
  const UNetFacts& unet = *model.facts().unet;
  require_shape(latents.dim() == 4 && latents.size(0) == 1 && latents.size(1) == unet.out_channels, "latents",
                latents, fmt::format("[1, {}, h, w]", unet.out_channels));
  require_shape(start_noise.defined() && start_noise.sizes() == latents.sizes(), "noise", start_noise,
                "the shape of the latents");
  const std::int64_t beside =
      conditioning.channels_beside.defined() ? conditioning.channels_beside.size(1) : 0;
  if (unet.out_channels + beside != unet.in_channels)
    throw std::invalid_argument(fmt::format("the UNet takes {} channels, expected {} for plain img2img ({})",
                                            unet.in_channels, unet.out_channels + beside,
                                            describe(model.facts())));
  if (conditioning.hint.defined())
    if (const std::string why = control_net_mismatch(*model.facts().control_net, unet); !why.empty())
      throw std::invalid_argument(fmt::format("ControlNet: {}", why));
}

struct GuidedModel {
  GuidedModel(const DiffusionModel& model, const Conditioning& conditioning, const LatentRun& run,
              const at::Tensor& latents)
      : network(model, conditioning, run, latents.size(3), latents.size(2)),
        guidance(
            std::ref(network),
            {.prediction = model.facts().prediction, .scale = run.guidance, .rescale = run.guidance_rescale},
            run.steps, model.facts().noise) {}
  GuidedModel(const GuidedModel&) = delete;  // guidance refers to the network
  GuidedModel& operator=(const GuidedModel&) = delete;

  ConditionedNetwork network;
  Guidance guidance;
};

}  // namespace

SampledLatents sample_latents(const DiffusionModel& model, const at::Tensor& latents,
                              const Conditioning& conditioning, const LatentRun& run,
                              const at::Tensor& start_noise, const NoiseFunction& step_noise,
                              const StepVisitor& visit) {
  (void)model.unet();
  if (conditioning.hint.defined()) (void)model.control_net();
  check(model, latents, conditioning, start_noise);
  const at::Tensor start = latents.to(at::kFloat) + start_noise.to(at::kFloat) * run.steps.start_noise;
  if (visit) visit(0, start);
  if (run.steps.steps() == 0) return {.latents = latents.to(at::kFloat)};

  GuidedModel own(model, conditioning, run, latents);
  std::optional<GuidedModel> second;
  if (run.handover) {
    check(*run.handover->model, latents, run.handover->conditioning, start_noise);
    second.emplace(*run.handover->model, run.handover->conditioning, run, latents);
  }
  bool handed_over = false;  // there is no way back, also for samplers that add noise
  const auto stepped = [&](std::size_t step, const at::Tensor& x) {
    own.network.set_step(step + 1);
    if (second) second->network.set_step(step + 1);
    if (visit) visit(step + 1, x);
  };
  const DenoiseFunction denoise = [&](const at::Tensor& x, double sigma) {
    handed_over = handed_over || (second && is_refiners(asked_timestep(run.steps, sigma, model.facts().noise),
                                                        run.handover->at));
    at::Tensor guess = handed_over ? second->guidance(x, sigma) : own.guidance(x, sigma);
    if (!conditioning.mask.defined()) return guess;
    return guess * conditioning.mask + latents * (1 - conditioning.mask);
  };
  SampledLatents made;
  made.latents =
      sample(run.sampler, start, run.steps.sigmas, denoise, step_noise, run.sampler_options, stepped);
  made.latents = made.latents * run.steps.tool_scale(run.steps.sigmas.back());
  made.evaluations = own.network.evaluations() + (second ? second->network.evaluations() : 0);
  if (has_non_finite(made.latents))
    throw std::runtime_error(
        fmt::format("latents are NaN or infinite after {} steps, expected finite numbers (half precision, or "
                    "weights that hold such values)",
                    run.steps.steps()));
  return made;
}

}  // namespace upbench
