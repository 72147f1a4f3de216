#include "models/training/trainer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/optim/adam.h>

#include "datasets/resample.h"
#include "models/networks/srvgg.h"
#include "models/training/schedule.h"
#include "models/training/training_pictures.h"

namespace upbench {
namespace {

constexpr int kHeldOutPictures = 20;
enum Stream : std::uint64_t { kInitialWeights = 1, kCrops = 2, kHeldOut = 3, kPictures = 4 };

void require(bool fine, std::string_view name, int value, std::string_view expected) {
  if (!fine)
    throw std::invalid_argument(fmt::format("training: {} is {}, expected {}", name, value, expected));
}

void check(const TrainingSettings& s) {
  require(s.scale >= 2 && s.scale <= 4, "scale", s.scale, "2 to 4");
  require(s.steps >= 1, "steps", s.steps, "1 or more");
  require(s.features >= 1 && s.features <= 1024, "features", s.features, "1 to 1024");
  require(s.convolutions >= 0 && s.convolutions <= 256, "convolutions", s.convolutions, "0 to 256");
  require(s.batch >= 1, "batch", s.batch, "1 or more");
  require(s.pictures >= 1, "pictures", s.pictures, "1 or more");
  require(s.report_every >= 1, "report_every", s.report_every, "1 or more");
  require(s.picture_size >= 16 && s.picture_size % s.scale == 0, "picture size", s.picture_size,
          fmt::format("16 or more and a multiple of {}", s.scale));
  const int lr_side = s.picture_size / s.scale;
  require(s.patch >= 1 && s.patch <= lr_side, "patch", s.patch,
          fmt::format("1 to {}, the side of an LR picture", lr_side));
  if (!(s.learning_rate > 0))
    throw std::invalid_argument(fmt::format("training: learning rate is {}, expected > 0", s.learning_rate));
}

// Convolutions uniform in +-sqrt(6 / ((1 + slope^2) inputs)) (He et al. 2015), the last one smaller so that
// the first output is the enlarged input; PReLU slopes 1/4; biases 0.
NamedTensors initial_weights(const TrainingSettings& settings, procedural::Random random) {
  NamedTensors weights;
  const std::string last = fmt::format("body.{}.weight", 2 * settings.convolutions + 2);
  for (const auto& [name, expected] :
       srvgg_layout(settings.features, settings.convolutions, settings.scale)) {
    at::Tensor tensor = at::zeros(expected.shape, at::kFloat);
    if (expected.shape.size() == 4) {
      const auto inputs = static_cast<double>(tensor[0].numel());
      const auto bound =
          static_cast<float>(std::sqrt(6 / ((1 + 0.25 * 0.25) * inputs)) * (name == last ? 0.1 : 1));
      float* values = tensor.mutable_data_ptr<float>();
      for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = random.range(-bound, bound);
    } else if (name.ends_with(".weight")) {
      tensor.fill_(0.25);
    }
    weights[name] = tensor;
  }
  return weights;
}

double held_out_psnr_y(const std::vector<TrainingPair>& pairs, const NamedTensors& weights, int scale) {
  const at::NoGradGuard no_grad;
  return mean_psnr_y(pairs, scale, [&](const at::Tensor& lr) { return srvgg_forward(weights, lr, scale); });
}

NamedTensors rounded_to_half(const NamedTensors& weights) {
  NamedTensors rounded;
  for (const auto& [name, tensor] : weights) rounded[name] = tensor.to(at::kHalf).to(at::kFloat);
  return rounded;
}

}  // namespace

TrainingResult train(const TrainingSettings& settings,
                     const std::function<void(const TrainingProgress&)>& report) {
  check(settings);
  const int scale = settings.scale;
  const procedural::Random random(settings.seed);
  // Seeds that no spec names by chance: a set of pictures seeded 1 shares nothing with training seeded 1.
  const auto rendered = [&](int count, Stream stream) {
    return render_training_pairs(count, settings.picture_size, scale, random.fork(stream).bits());
  };
  const auto pairs = rendered(settings.pictures, kPictures), held_out = rendered(kHeldOutPictures, kHeldOut);

  NamedTensors weights = initial_weights(settings, random.fork(kInitialWeights));
  NamedTensors mean;
  std::vector<at::Tensor> parameters;
  for (auto& [name, tensor] : weights) {
    if (tensor.dim() == 4)
      tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);  // 1.5x faster steps on a CPU
    mean[name] = tensor.clone();
    parameters.push_back(tensor.requires_grad_());
  }
  torch::optim::Adam adam(parameters, torch::optim::AdamOptions(settings.learning_rate).betas({0.9, 0.99}));
  auto& adam_options = static_cast<torch::optim::AdamOptions&>(adam.param_groups()[0].options());

  procedural::Random crops = random.fork(kCrops);
  double loss_sum = 0;
  int loss_count = 0;
  for (int step = 0; step < settings.steps; ++step) {
    adam_options.lr(learning_rate_at(step, settings.steps, settings.learning_rate));
    const TrainingBatch batch = draw_batch(pairs, settings.batch, settings.patch, scale, crops);
    const at::Tensor lr = batch.lr.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor loss = (srvgg_forward(weights, lr, scale) - batch.hr).abs().mean();
    adam.zero_grad();
    loss.backward();
    adam.step();
    average_weights(mean, weights, step);
    loss_sum += loss.item<double>();
    ++loss_count;
    if ((step + 1) % settings.report_every == 0 || step + 1 == settings.steps) {
      report({step + 1, loss_sum / loss_count, adam_options.lr(), held_out_psnr_y(held_out, mean, scale)});
      loss_sum = loss_count = 0;
    }
  }

  TrainingResult result{.weights = {},
                        .held_out_psnr_y = held_out_psnr_y(held_out, rounded_to_half(mean), scale)};
  for (const auto& [name, tensor] : mean) {
    result.weights[name] = tensor.contiguous(at::MemoryFormat::Contiguous);
    result.parameters += tensor.numel();
  }
  const int side = settings.picture_size;
  result.held_out_bicubic = mean_psnr_y(held_out, scale, [&](const at::Tensor& lr) {
    return resample(lr[0], side, side, "matlab-bicubic", true).unsqueeze(0);
  });
  return result;
}

}  // namespace upbench
