#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/diffusion/facts.h"
#include "models/diffusion/model_files.h"
#include "models/diffusion/networks/autoencoder.h"
#include "models/diffusion/tiled_autoencoder.h"

namespace upbench {

// A diffusion model on a device, its networks in one precision. Any number of threads may compute.
class DiffusionModel {
 public:
  // dtype: float, half or bfloat16. The autoencoder's own tensors stay as the file has them until it is used.
  DiffusionModel(DiffusionTensors tensors, const at::Device& device, at::ScalarType dtype);

  const DiffusionFacts& facts() const { return facts_; }
  const std::vector<std::string>& lora_unused() const { return lora_unused_; }  // see DiffusionTensors
  const std::set<std::string>& licences() const { return licences_; }
  const Digest& hash() const { return hash_; }
  const Digest& coder_hash() const { return coder_hash_; }  // of the autoencoder's tensors
  const at::Device& device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

  // Throw std::invalid_argument where the model has no such part, naming what it has.
  const UNetFunction& unet() const;
  const ControlNetFunction& control_net() const;
  const std::vector<ClipTextFunction>& text() const;
  // In the model's precision, or in float32.
  std::shared_ptr<const PictureCoder> coder(bool full_precision = false) const;

 private:
  DiffusionFacts facts_;
  Digest hash_, coder_hash_;
  std::vector<std::string> lora_unused_;
  std::set<std::string> licences_;
  at::Device device_;
  at::ScalarType dtype_;
  UNetFunction unet_;
  ControlNetFunction control_net_;
  std::vector<ClipTextFunction> text_;
  NamedTensors coder_tensors_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const PictureCoder> coder_, full_coder_;
};

// What an autoencoder made, in float32.
struct Coded {
  at::Tensor result;
  bool repeated = false;  // half precision gave NaN or infinities, so float32 did it again
};

// A picture [N, 3, H, W] in [0, 1] -> latents [N, C, h, w] as the UNet has them, and back (not clamped). H
// and W are multiples of the autoencoder's factor. noise: draws from the posterior; undefined: its mean. What
// is not finite even in float32 throws std::runtime_error (so is no black picture scored).
Coded encode_picture(const DiffusionModel& model, const CoderTiles& tiles, const at::Tensor& picture,
                     const at::Tensor& noise = {});
Coded decode_latents(const DiffusionModel& model, const CoderTiles& tiles, const at::Tensor& latents);

}  // namespace upbench
