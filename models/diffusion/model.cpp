#include "models/diffusion/model.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace upbench {
namespace {

// In one dtype on one device. The file's own are let go one after the other, so that the two never stand in
// memory side by side.
NamedTensors placed(NamedTensors tensors, const at::Device& device, at::ScalarType dtype) {
  for (auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point()) continue;
    tensor = tensor.to(device, dtype);
    // cuDNN's fast convolutions would else reorder them in every call
    if (device.is_cuda() && tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  }
  return tensors;
}

[[noreturn]] void refuse_part(const DiffusionFacts& facts, const char* part) {
  throw std::invalid_argument(fmt::format("the model has no {}: it is {}", part, describe(facts)));
}

template <class Code>
Coded coded(const DiffusionModel& model, const CoderTiles& tiles, const char* what, const Code& code) {
  Coded made{.result = code(*with_tiles(model.coder(), tiles)).to(at::kFloat)};
  if (!has_non_finite(made.result)) return made;
  if (model.dtype() != at::kFloat) {
    made = {.result = code(*with_tiles(model.coder(true), tiles)).to(at::kFloat), .repeated = true};
    if (!has_non_finite(made.result)) return made;
  }
  throw std::runtime_error(
      fmt::format("the autoencoder {} to NaN or infinities even in float32, expected finite numbers", what));
}

}  // namespace

DiffusionModel::DiffusionModel(DiffusionTensors tensors, const at::Device& device, at::ScalarType dtype)
    : facts_(diffusion_facts(tensors.parts, tensors.config)),
      hash_(parts_hash(tensors.parts)),
      lora_unused_(std::move(tensors.lora_unused)),
      licences_(std::move(tensors.licences)),
      device_(device),
      dtype_(dtype) {
  ModelParts& parts = tensors.parts;
  if (facts_.unet) unet_ = bind_unet(*facts_.unet, placed(std::move(parts.unet), device, dtype));
  if (facts_.control_net)
    control_net_ = bind_control_net(*facts_.control_net, placed(std::move(parts.control_net), device, dtype));
  for (std::size_t i = 0; i < facts_.text.size(); ++i)
    text_.push_back(bind_clip_text(facts_.text[i], placed(std::move(parts.text[i]), device, dtype)));
  coder_tensors_ = std::move(facts_.tiny_autoencoder ? parts.tiny_autoencoder : parts.autoencoder);
  coder_hash_ = tensor_hash(coder_tensors_);
}

const UNetFunction& DiffusionModel::unet() const {
  if (!unet_) refuse_part(facts_, "UNet");
  return unet_;
}

const ControlNetFunction& DiffusionModel::control_net() const {
  if (!control_net_) refuse_part(facts_, "ControlNet");
  return control_net_;
}

const std::vector<ClipTextFunction>& DiffusionModel::text() const {
  if (text_.empty()) refuse_part(facts_, "text encoder");
  return text_;
}

std::shared_ptr<const PictureCoder> DiffusionModel::coder(bool full_precision) const {
  if (!facts_.autoencoder && !facts_.tiny_autoencoder) refuse_part(facts_, "autoencoder");
  const std::lock_guard lock(mutex_);
  auto& made = full_precision && dtype_ != at::kFloat ? full_coder_ : coder_;
  if (!made) {
    const NamedTensors weights = placed(coder_tensors_, device_, full_precision ? at::kFloat : dtype_);
    made = facts_.tiny_autoencoder ? make_tiny_autoencoder(*facts_.tiny_autoencoder, weights)
                                   : make_autoencoder(*facts_.autoencoder, weights);
  }
  return made;
}

Coded encode_picture(const DiffusionModel& model, const CoderTiles& tiles, const at::Tensor& picture,
                     const at::Tensor& noise) {
  const DiffusionFacts& facts = model.facts();
  return coded(model, tiles, "encodes", [&](const PictureCoder& coder) {
    const at::Tensor latents = drawn_from(coder.encode(picture * 2 - 1), noise).to(at::kFloat);
    return coder.has_model_latents() ? latents : (latents - facts.latent_shift) * facts.latent_scale;
  });
}

Coded decode_latents(const DiffusionModel& model, const CoderTiles& tiles, const at::Tensor& latents) {
  const DiffusionFacts& facts = model.facts();
  return coded(model, tiles, "decodes", [&](const PictureCoder& coder) {
    const at::Tensor unscaled =
        coder.has_model_latents() ? latents : latents / facts.latent_scale + facts.latent_shift;
    return (coder.decode(unscaled).to(at::kFloat) + 1) / 2;
  });
}

}  // namespace upbench
