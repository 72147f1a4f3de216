#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "models/networks/network.h"

namespace upbench {

// What no shape tells. Every published AutoencoderKL of these families norms 32 groups with epsilon 1e-6, the
// values of the paper's code (Rombach et al. 2022); a configuration's norm_num_groups replaces the first.
struct AutoencoderNorm {
  std::int64_t groups = 32;
  double epsilon = 1e-6;
  // Channels that are fewer than the groups are normed as one: no published file has such, small ones may.
  std::int64_t groups_of(std::int64_t channels) const { return channels < groups ? 1 : groups; }
};

// An encoder or a decoder.
struct AutoencoderHalf {
  std::vector<std::int64_t> channels;  // by level, full resolution first; each level halves the one before
  std::int64_t blocks = 0;             // at each level
  bool has_attention = false;          // in the middle: one head over all of it
  std::int64_t inner = 0;              // channels between the half and the 1x1 convolution at the latents
  bool has_latent_conv = false;        // that convolution: quant_conv, post_quant_conv
};

// An AutoencoderKL: that of Stable Diffusion 1 and 2, SDXL, the x4 upscaler and models of their kind, tensors
// named as diffusers names them (autoencoder_names.h translates).
struct AutoencoderFacts {
  std::optional<AutoencoderHalf> encoder, decoder;  // at least one
  int channels = 0;                                 // of latents
  int factor = 0;                                   // pixels to a latent, in height and in width
  AutoencoderNorm norm;
  Layout layout;
};

// tensors: canonical names; may be on device meta. Throws std::invalid_argument: what is no autoencoder of
// this kind, and the tensors that are missing, unexpected or of another shape.
AutoencoderFacts autoencoder_facts(const NamedTensors& tensors, const AutoencoderNorm& norm = {});

// Multiply-accumulates of one picture of height x width pixels (multiples of the factor); 0 where there is no
// such half. Products of attention count.
double encode_macs(const AutoencoderFacts& facts, std::int64_t height, std::int64_t width);
double decode_macs(const AutoencoderFacts& facts, std::int64_t height, std::int64_t width);

// Channels of latents, and pixels to a latent in height and in width.
struct LatentForm {
  int channels = 0, factor = 0;
};
// That of an autoencoder's halves, of which one may be absent. Throws std::invalid_argument "WHAT: ..." where
// there is none, they differ or a factor is greater than kMostFactor.
LatentForm common_form(const std::optional<LatentForm>& encoder, const std::optional<LatentForm>& decoder,
                       std::string_view what);
inline constexpr int kMostFactor = 128;

}  // namespace upbench
