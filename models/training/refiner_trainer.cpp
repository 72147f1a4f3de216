#include "models/training/refiner_trainer.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/optim/adam.h>

#include "models/diffusion/networks/unet_names.h"
#include "models/diffusion/networks/unet_trunk.h"
#include "models/diffusion/sampling/noise_schedule.h"
#include "models/training/pixel_autoencoder.h"
#include "models/training/schedule.h"
#include "models/training/training_pictures.h"

namespace upbench {
namespace {

constexpr int kHeldOutPictures = 8;
constexpr float kLowTimes = 0.7F;  // share of timesteps below half of the schedule: what refining starts from
constexpr double kHeldOutSigmas[] = {0.5, 1, 2};
enum Stream : std::uint64_t { kInitialWeights = 1, kCrops = 2, kHeldOut = 3, kPictures = 4, kNoise = 5 };

void require(bool fine, std::string_view name, int value, std::string_view expected) {
  if (!fine)
    throw std::invalid_argument(fmt::format("training: {} is {}, expected {}", name, value, expected));
}

void check(const RefinerSettings& s) {
  require(s.steps >= 1, "steps", s.steps, "1 or more");
  require(s.stop_after >= 0 && s.stop_after <= s.steps, "stop after", s.stop_after, "0 to the steps");
  require(s.batch >= 1, "batch", s.batch, "1 or more");
  require(s.pictures >= 1, "pictures", s.pictures, "1 or more");
  require(s.report_every >= 1, "report_every", s.report_every, "1 or more");
  require(s.picture_size >= 16 && s.picture_size % 2 == 0, "picture size", s.picture_size,
          "16 or more, even");
  require(s.patch >= 8 && s.patch % 2 == 0 && s.patch <= s.picture_size / 2 * 2, "patch", s.patch,
          "8 to the picture's side, even");
  if (!(s.learning_rate > 0))
    throw std::invalid_argument(fmt::format("training: learning rate is {}, expected > 0", s.learning_rate));
}

// Zero where a branch ends, so that blocks begin as the identity and the network predicts no noise; else
// uniform in +-sqrt(3 / inputs), of variance 1 / inputs.
NamedTensors initial_weights(procedural::Random random) {
  Declaration declaration;
  Layers layers(declaration);
  const UNetFacts facts = refiner_facts();
  unet(layers, facts, declared_input(facts, 2, 2, 1));
  NamedTensors weights;
  for (const auto& [name, expected] : declaration.layout) {
    at::Tensor tensor = at::zeros(expected.shape, at::kFloat);
    const bool is_last = name == "conv_out.weight" || name.ends_with(".conv2.weight");
    if (expected.shape.size() >= 2 && !is_last) {
      const auto bound = static_cast<float>(std::sqrt(3 / static_cast<double>(tensor[0].numel())));
      float* values = tensor.mutable_data_ptr<float>();
      for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = random.range(-bound, bound);
    } else if (expected.shape.size() == 1 && name.ends_with(".weight")) {
      tensor.fill_(1);  // of norms
    }
    weights[name] = tensor;
  }
  return weights;
}

// Standard normal numbers by Box and Muller's rule.
at::Tensor normal(std::vector<std::int64_t> shape, procedural::Random& random) {
  at::Tensor noise = at::empty(shape, at::kFloat);
  float* values = noise.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < noise.numel(); i += 2) {
    const double radius = std::sqrt(-2 * std::log(1.0 - static_cast<double>(random.uniform())));
    const double angle = 2 * std::numbers::pi * static_cast<double>(random.uniform());
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < noise.numel()) values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
  return noise;
}

// Layers are fused, and then not differentiable, where their input needs no gradient: in training the inputs
// say that they need one.
at::Tensor noise_in(const NamedTensors& weights, const at::Tensor& noisy, const at::Tensor& sigmas,
                    const at::Tensor& times) {
  static const UNetFacts facts = refiner_facts();
  Layers layers(weights);
  const at::Tensor scaled = noisy / (sigmas * sigmas + 1).sqrt().reshape({-1, 1, 1, 1});
  return unet(
      layers, facts,
      checked_input(facts, {.latents = scaled, .timesteps = times, .context = {}, .vector = {}, .labels = {}},
                    weights.at("conv_in.weight")));
}

at::Tensor as_latents(const at::Tensor& pictures) {
  return (pictures * 2 - 1) * kPixelLatentScale;
}

struct NoisyBatch {
  at::Tensor noisy, noise, sigmas, times;
};

NoisyBatch with_noise(const at::Tensor& pictures, const NoiseSchedule& schedule, procedural::Random& random) {
  std::vector<float> sigmas, times;
  for (std::int64_t i = 0; i < pictures.size(0); ++i) {
    const int last = schedule.timesteps() - 1;
    const int time =
        random.chance(kLowTimes) ? random.integer(0, last / 2) : random.integer(last / 2 + 1, last);
    times.push_back(static_cast<float>(time));
    sigmas.push_back(static_cast<float>(schedule.sigmas()[static_cast<std::size_t>(time)]));
  }
  NoisyBatch batch{.noisy = {},
                   .noise = normal(pictures.sizes().vec(), random),
                   .sigmas = at::tensor(sigmas),
                   .times = at::tensor(times)};
  batch.noisy = (as_latents(pictures) + batch.noise * batch.sigmas.reshape({-1, 1, 1, 1})).requires_grad_();
  batch.times.requires_grad_();
  return batch;
}

// Held-out pictures and their noise, the same at every report.
class HeldOut {
 public:
  HeldOut(const RefinerSettings& s, std::uint64_t seed, const NoiseSchedule& schedule) : schedule_(schedule) {
    procedural::Random random(seed);
    const auto pairs = render_training_pairs(kHeldOutPictures, s.picture_size, 2, random.bits());
    pictures_ = draw_batch(pairs, 2 * kHeldOutPictures, s.patch / 2, 2, random).hr;
    noise_ = normal(pictures_.sizes().vec(), random);
  }
  double psnr(const NamedTensors& weights, double sigma) const {
    const at::NoGradGuard no_grad;
    const at::Tensor clean = as_latents(pictures_), sigmas = at::full({pictures_.size(0)}, sigma),
                     times = at::full({pictures_.size(0)}, schedule_.timestep_at(sigma)),
                     noisy = clean + noise_ * sigma;
    const at::Tensor error = noisy - sigma * noise_in(weights, noisy, sigmas, times) - clean;
    const double range = 2 * kPixelLatentScale;
    return 10 * std::log10(range * range / error.square().mean().item<double>());
  }

 private:
  const NoiseSchedule& schedule_;
  at::Tensor pictures_, noise_;
};

}  // namespace

UNetFacts refiner_facts() {
  UNetFacts facts;
  facts.in_channels = facts.out_channels = 3;
  facts.channels = {32, 64};
  facts.blocks_per_level = 1;
  facts.transformer_depth = {0, 0};
  facts.heads = {0, 0};
  facts.context_only = {false, false};
  return facts;
}

NamedTensors train_refiner(const RefinerSettings& settings,
                           const std::function<void(const RefinerProgress&)>& report) {
  check(settings);
  const procedural::Random random(settings.seed);
  const NoiseSchedule schedule = NoiseSchedule::scaled_linear();
  const auto pairs =
      render_training_pairs(settings.pictures, settings.picture_size, 2, random.fork(kPictures).bits());
  const HeldOut held_out(settings, random.fork(kHeldOut).bits(), schedule);

  NamedTensors weights = initial_weights(random.fork(kInitialWeights)), mean;
  std::vector<at::Tensor> parameters;
  for (auto& [name, tensor] : weights) {
    if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    mean[name] = tensor.clone();
    parameters.push_back(tensor.requires_grad_());
  }
  torch::optim::Adam adam(parameters, torch::optim::AdamOptions(settings.learning_rate).betas({0.9, 0.99}));
  auto& options = static_cast<torch::optim::AdamOptions&>(adam.param_groups()[0].options());

  procedural::Random crops = random.fork(kCrops), noise = random.fork(kNoise);
  double loss_sum = 0;
  int loss_count = 0;
  const int last = settings.stop_after > 0 ? settings.stop_after : settings.steps;
  for (int step = 0; step < last; ++step) {
    options.lr(learning_rate_at(step, settings.steps, settings.learning_rate));
    const at::Tensor pictures = draw_batch(pairs, settings.batch, settings.patch / 2, 2, crops).hr;
    const NoisyBatch batch = with_noise(pictures, schedule, noise);
    const at::Tensor loss =
        (noise_in(weights, batch.noisy, batch.sigmas, batch.times) - batch.noise).square().mean();
    adam.zero_grad();
    loss.backward();
    adam.step();
    average_weights(mean, weights, step);
    loss_sum += loss.item<double>();
    ++loss_count;
    if ((step + 1) % settings.report_every == 0 || step + 1 == last) {
      RefinerProgress now{step + 1, loss_sum / loss_count, options.lr(), {}, &mean, step + 1 == last};
      for (std::size_t k = 0; k < std::size(kHeldOutSigmas); ++k)
        now.denoised_psnr[k] = held_out.psnr(mean, kHeldOutSigmas[k]);
      report(now);
      loss_sum = loss_count = 0;
    }
  }
  return mean;
}

NamedTensors refiner_checkpoint(const NamedTensors& unet_weights) {
  NamedTensors checkpoint;
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    checkpoint[name] = tensor.contiguous(at::MemoryFormat::Contiguous).to(at::kHalf);
  };
  const UNetFacts facts = unet_facts(unet_weights);
  for (const auto& [canonical, ldm] : ldm_unet_names(facts))
    add("model.diffusion_model." + ldm, unet_weights.at(canonical));
  for (const auto& [name, tensor] : pixel_autoencoder()) add("first_stage_model." + name, tensor);
  return checkpoint;
}

}  // namespace upbench
