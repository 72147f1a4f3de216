#pragma once

#include <cstdint>
#include <functional>

#include "models/checkpoint/checkpoint.h"
#include "models/diffusion/networks/unet.h"

namespace upbench {

struct RefinerSettings {
  std::uint64_t seed = 1;  // of the pictures, the first weights, the crops, the times and the noise
  int steps = 2400;        // of the learning rate's schedule
  int stop_after = 0;      // the last step that is made; 0: all of them
  int patch = 40;          // side of a crop, even
  int batch = 12;
  int pictures = 600;
  int picture_size = 160;
  double learning_rate = 1.5e-3;  // highest; falls along a half cosine
  int report_every = 100;         // steps
};

struct RefinerProgress {
  int step;
  double loss;  // mean since the last report: mean squared error of the predicted noise, whose variance is 1
  double learning_rate;
  // dB (RGB, not rounded) of what the averaged weights make in one evaluation of held-out pictures with noise
  // of sigma 0.5, 1 and 2; the noisy pictures themselves have 27.4, 21.3 and 15.3.
  double denoised_psnr[3];
  const NamedTensors* weights;  // averaged, float32
  bool is_last;
};

// The shape of the network: unconditional, pixels in and out, 32 channels at full and 64 at half resolution.
UNetFacts refiner_facts();

// Adam on the mean squared error of the noise that the network finds in crops of procedural pictures, at
// timesteps of Stable Diffusion's schedule, seven of ten below 500 (Ho et al., Denoising diffusion
// probabilistic models, 2020, "L simple", with another density of t). On one thread the same settings give
// the same weights bit by bit on the same machine and LibTorch. Throws std::invalid_argument for settings
// that cannot work.
// Returns the moving average, canonical names, float32.
NamedTensors train_refiner(const RefinerSettings& settings,
                           const std::function<void(const RefinerProgress&)>& report);

// UNet and pixel_autoencoder() in one file's names and precision: LDM's, fp16.
NamedTensors refiner_checkpoint(const NamedTensors& unet);

}  // namespace upbench
