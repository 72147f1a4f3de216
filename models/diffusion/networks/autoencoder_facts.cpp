#include "models/diffusion/networks/autoencoder_facts.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/checkpoint/refuse.h"
#include "models/diffusion/networks/autoencoder_blocks.h"
#include "models/networks/derive.h"
#include "models/networks/layout_check.h"

namespace upbench {
namespace {

constexpr char kWhat[] = "autoencoder";
constexpr std::int64_t kMostLevels = 8, kMostBlocksALevel = 16;

bool has_prefix(const NamedTensors& tensors, const std::string& prefix) {
  const auto first = tensors.lower_bound(prefix);
  return first != tensors.end() && first->first.starts_with(prefix);
}

void require_between(std::int64_t value, std::int64_t most, const std::string& what) {
  if (value < 1 || value > most) refuse("{}: {} is {}, expected 1 to {}", kWhat, what, value, most);
}

// Levels as they are numbered in the file: the decoder's from the lowest resolution up.
AutoencoderHalf half_of(const NamedTensors& tensors, const std::string& half, const std::string& blocks,
                        const AutoencoderNorm& norm) {
  AutoencoderHalf facts;
  const std::string prefix = half + "." + blocks + ".";
  const std::int64_t levels = count_blocks(tensors, prefix, 0);
  require_between(levels, kMostLevels, fmt::format("the number of {}N", prefix));
  facts.blocks = count_blocks(tensors, prefix + "0.resnets.", 0);
  require_between(facts.blocks, kMostBlocksALevel, fmt::format("the number of {}0.resnets.N", prefix));
  for (std::int64_t level = 0; level < levels; ++level) {
    const std::string conv = fmt::format("{}{}.resnets.0.conv1", prefix, level);
    facts.channels.push_back(conv_size(tensors, conv, 0));
    require_between(facts.channels.back(), kMostChannels, fmt::format("the number of outputs of {}", conv));
    if (facts.channels.back() % norm.groups_of(facts.channels.back()) != 0)
      refuse("{}: {} has {} outputs, expected a multiple of the {} groups of GroupNorm (norm_num_groups)",
             kWhat, conv, facts.channels.back(), norm.groups);
  }
  facts.has_attention = has_prefix(tensors, half + ".mid_block.attentions.");
  return facts;
}

AutoencoderHalf encoder_of(const NamedTensors& tensors, const AutoencoderNorm& norm) {
  AutoencoderHalf facts = half_of(tensors, "encoder", "down_blocks", norm);
  facts.inner = conv_size(tensors, "encoder.conv_out", 0);
  facts.has_latent_conv = has_prefix(tensors, "quant_conv.");
  return facts;
}

AutoencoderHalf decoder_of(const NamedTensors& tensors, const AutoencoderNorm& norm) {
  AutoencoderHalf facts = half_of(tensors, "decoder", "up_blocks", norm);
  std::ranges::reverse(facts.channels);
  facts.inner = conv_size(tensors, "decoder.conv_in", 1);
  facts.has_latent_conv = has_prefix(tensors, "post_quant_conv.");
  return facts;
}

int factor_of(const AutoencoderHalf& half) {
  return 1 << (half.channels.size() - 1);
}

// The encoder gives a mean and a variance for each channel.
LatentForm encoded_form(const NamedTensors& tensors, const AutoencoderHalf& encoder) {
  const std::int64_t outputs = encoder.has_latent_conv ? conv_size(tensors, "quant_conv", 0) : encoder.inner;
  require_between(encoder.inner, kMostChannels, "the number of outputs of encoder.conv_out");
  require_between(outputs, kMostChannels, "the number of outputs of quant_conv");
  if (outputs % 2 != 0)
    refuse(
        "{}: the encoder gives {} channels, expected an even number: a mean and a variance for each channel "
        "of the latents",
        kWhat, outputs);
  return {.channels = static_cast<int>(outputs / 2), .factor = factor_of(encoder)};
}

LatentForm decoded_form(const NamedTensors& tensors, const AutoencoderHalf& decoder) {
  const std::int64_t inputs =
      decoder.has_latent_conv ? conv_size(tensors, "post_quant_conv", 1) : decoder.inner;
  require_between(decoder.inner, kMostChannels, "the number of inputs of decoder.conv_in");
  require_between(inputs, kMostChannels, "the number of inputs of post_quant_conv");
  return {.channels = static_cast<int>(inputs), .factor = factor_of(decoder)};
}

// x [1, channels, side, side] through a row without weights.
Declaration declared(const AutoencoderRow& row, std::int64_t side, const AutoencoderNorm& norm) {
  Declaration declaration;
  if (row.empty()) return declaration;
  Layers layers(declaration);
  apply(layers, row, at::zeros({}).expand({1, row.front().inputs, side, side}), normed_alone(layers, norm));
  return declaration;
}

// Convolutions grow with the latents' number, attention with its square: two sizes tell both, and small ones
// do.
double macs(const AutoencoderFacts& facts, const AutoencoderRow& row, std::int64_t unit, std::int64_t height,
            std::int64_t width) {
  const double one = declared(row, unit, facts.norm).macs, four = declared(row, 2 * unit, facts.norm).macs;
  const double squared = (four - 4 * one) / 12, linear = one - squared;
  const std::int64_t count = (height / facts.factor) * (width / facts.factor);
  const auto latents = static_cast<double>(count);
  return linear * latents + squared * latents * latents;
}

}  // namespace

LatentForm common_form(const std::optional<LatentForm>& encoder, const std::optional<LatentForm>& decoder,
                       std::string_view what) {
  if (!encoder && !decoder) refuse("{}: no tensor is named as its encoder's or its decoder's are", what);
  const LatentForm form = encoder ? *encoder : *decoder;
  if (encoder && decoder && (decoder->channels != form.channels || decoder->factor != form.factor))
    refuse("{}: the encoder gives {} channels at 1/{} of the size, but the decoder takes {} at 1/{}", what,
           form.channels, form.factor, decoder->channels, decoder->factor);
  if (form.factor > kMostFactor)
    refuse("{}: a latent stands for {} pixels in each direction, expected up to {}", what, form.factor,
           kMostFactor);
  return form;
}

AutoencoderFacts autoencoder_facts(const NamedTensors& tensors, const AutoencoderNorm& norm) {
  if (norm.groups < 1) refuse("{}: {} groups of GroupNorm, expected 1 or more", kWhat, norm.groups);
  AutoencoderFacts facts;
  facts.norm = norm;
  std::optional<LatentForm> encoded, decoded;
  if (has_prefix(tensors, "encoder.")) {
    facts.encoder = encoder_of(tensors, norm);
    encoded = encoded_form(tensors, *facts.encoder);
  }
  if (has_prefix(tensors, "decoder.")) {
    facts.decoder = decoder_of(tensors, norm);
    decoded = decoded_form(tensors, *facts.decoder);
  }
  const LatentForm form = common_form(encoded, decoded, kWhat);
  facts.channels = form.channels;
  facts.factor = form.factor;
  try {
    for (const AutoencoderRow& row : {encoder_row(facts), decoder_row(facts)})
      facts.layout.merge(declared(row, facts.factor, norm).layout);
  } catch (const std::length_error& error) {
    refuse("{}: {}", kWhat, error.what());
  }
  require_layout(facts.layout, tensors, kWhat);
  return facts;
}

double encode_macs(const AutoencoderFacts& facts, std::int64_t height, std::int64_t width) {
  return macs(facts, encoder_row(facts), facts.factor, height, width);
}

double decode_macs(const AutoencoderFacts& facts, std::int64_t height, std::int64_t width) {
  return macs(facts, decoder_row(facts), 1, height, width);
}

}  // namespace upbench
