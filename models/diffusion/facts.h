#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/diffusion/networks/autoencoder_facts.h"
#include "models/diffusion/networks/clip_text.h"
#include "models/diffusion/networks/control_net.h"
#include "models/diffusion/networks/tiny_autoencoder.h"
#include "models/diffusion/networks/unet.h"
#include "models/diffusion/parts.h"
#include "models/diffusion/sampling/guidance.h"
#include "models/diffusion/sampling/noise_schedule.h"

namespace upbench {

// What no tensor tells and a diffusers folder's configurations or the user say. Unset: the rules below.
struct DiffusionConfig {
  std::vector<std::int64_t> unet_heads;  // one for all levels, or one for each
  std::optional<std::int64_t> autoencoder_groups;
  std::vector<ClipTextConfig> text;  // by encoder
  std::optional<Prediction> prediction;
  std::optional<double> latent_scale, latent_shift;
  std::optional<double> first_beta, last_beta;
};

// "epsilon" or "v". Throws std::invalid_argument that names these.
Prediction parse_prediction(std::string_view name);
std::string to_string(Prediction prediction);

enum class DiffusionFamily {
  sd1,           // context 768 wide
  sd2,           // 1024
  sdxl,          // 2048, a vector of 2816
  sdxl_refiner,  // 1280, a vector of 2560
  x4_upscaler,   // 7 channels in, a class table
  other,         // computed by the rules of SD 1
  none,          // no UNet
};
std::string to_string(DiffusionFamily family);  // "sd1", "sd2", "sdxl", "sdxl-refiner", "sd-x4-upscaler", ...

// What a diffusion model's parts are, from names, shapes and the configuration.
struct DiffusionFacts {
  DiffusionFamily family = DiffusionFamily::none;
  std::string recognised_by;
  std::string layout;  // ModelParts::layout
  std::optional<UNetFacts> unet;
  std::optional<AutoencoderFacts> autoencoder;
  std::optional<TinyAutoencoderFacts> tiny_autoencoder;
  std::optional<ControlNetFacts> control_net;
  std::vector<ClipTextFacts> text;
  bool inpainting = false;  // 9 channels in: latents, mask, masked latents
  Prediction prediction = Prediction::epsilon;
  std::string prediction_by;
  // Latents as the UNet has them are (z - shift) * scale of the autoencoder's.
  double latent_scale = 1, latent_shift = 0;
  NoiseSchedule noise = NoiseSchedule::scaled_linear();
};

// Scales of latents: 0.18215 for SD 1 and 2, 0.13025 SDXL, 0.08333 the x4 upscaler (semantics of ComfyUI's
// latent_formats.py and diffusers' configurations). Prediction: what the configuration says; v where the file
// has an empty tensor "v_pred"; for SD 2, whose files do not say, v where the deviation of the values of the
// bias of the first norm of the last transformer is above 0.09 (ComfyUI's rule; on device meta epsilon);
// else epsilon. Throws std::invalid_argument for parts whose tensors are not those of their network, each
// named with what is wrong.
DiffusionFacts diffusion_facts(const ModelParts& parts, const DiffusionConfig& config = {});

// What a file is taken for, in words: "sd1: UNet, autoencoder, 1 text encoder".
std::string describe(const DiffusionFacts& facts);

// Whether the UNet looks at no text, so that there are no prompts and nothing to guide by.
bool is_unconditional(const DiffusionFacts& facts);

// The parts for which `facts` has none, of "unet", "vae", "text"; empty: complete.
std::vector<std::string> missing_parts(const DiffusionFacts& facts);

// Why latents of one model cannot be given to another, and the way round; empty: they can.
std::string latent_mismatch(const DiffusionFacts& from, const DiffusionFacts& to);

}  // namespace upbench
