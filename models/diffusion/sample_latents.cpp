#include "models/diffusion/sample_latents.h"

#include <functional>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/sampling/guidance.h"

namespace upbench {
namespace {

// The same thing for each picture of a batch: [uncond, cond] or cond alone.
at::Tensor by_branch(const at::Tensor& uncond, const at::Tensor& cond, Branches branches) {
  if (!cond.defined() || branches == Branches::cond) return cond;
  return at::cat({uncond.defined() ? uncond : cond, cond});
}

at::Tensor repeated(const at::Tensor& one, std::int64_t times) {
  if (!one.defined() || times == 1) return one;
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(one.dim()), 1);
  repeats[0] = times;
  return one.repeat(repeats);
}

// The UNet of a model, and its ControlNet, as a sampler's network.
class ConditionedNetwork {
 public:
  ConditionedNetwork(const DiffusionModel& model, const Conditioning& conditioning, const LatentRun& run)
      : model_(model), conditioning_(conditioning), steps_(run.steps.steps()) {}

  void set_step(std::size_t step) { step_ = step; }

  at::Tensor operator()(const at::Tensor& x, double timestep, Branches branches) const {
    const std::int64_t times = branches == Branches::cond ? 1 : 2;
    UNetInput input;
    input.latents = x;
    input.timesteps = at::full({x.size(0)}, timestep, x.options().dtype(at::kFloat));
    input.context = by_branch(conditioning_.uncond, conditioning_.cond, branches);
    input.vector = by_branch(conditioning_.uncond_vector, conditioning_.cond_vector, branches);
    input.labels = repeated(conditioning_.labels, times);
    if (is_controlled()) {
      input.control = model_.control_net()(input, repeated(conditioning_.hint, times));
      for (at::Tensor& residual : input.control) residual = residual * conditioning_.control_weight;
    }
    if (conditioning_.channels_beside.defined())  // of which a ControlNet knows nothing
      input.latents = at::cat({x, repeated(conditioning_.channels_beside, times)}, 1);
    return model_.unet()(input);
  }

 private:
  // As diffusers: the whole step lies between start and end.
  bool is_controlled() const {
    if (!conditioning_.hint.defined()) return false;
    const double step = static_cast<double>(step_), steps = steps_;
    return step / steps >= conditioning_.control_start && (step + 1) / steps <= conditioning_.control_end;
  }

  const DiffusionModel& model_;
  const Conditioning& conditioning_;
  int steps_;
  std::size_t step_ = 0;
};

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

  ConditionedNetwork network(model, conditioning, run);
  Guidance guidance(
      std::ref(network),
      {.prediction = model.facts().prediction, .scale = run.guidance, .rescale = run.guidance_rescale},
      run.steps, model.facts().noise);
  const auto stepped = [&](std::size_t step, const at::Tensor& x) {
    network.set_step(step + 1);
    if (visit) visit(step + 1, x);
  };
  SampledLatents made;
  made.latents = sample(run.sampler, start, run.steps.sigmas, std::ref(guidance), step_noise,
                        run.sampler_options, stepped);
  made.latents = made.latents * run.steps.tool_scale(run.steps.sigmas.back());
  made.evaluations = guidance.evaluations();
  if (has_non_finite(made.latents))
    throw std::runtime_error(
        fmt::format("latents are NaN or infinite after {} steps, expected finite numbers (half precision, or "
                    "weights that hold such values)",
                    run.steps.steps()));
  return made;
}

}  // namespace upbench
