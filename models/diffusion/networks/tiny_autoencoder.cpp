#include "models/diffusion/networks/tiny_autoencoder.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/checkpoint/refuse.h"
#include "models/diffusion/networks/diffusion_layers.h"
#include "models/networks/derive.h"
#include "models/networks/layout_check.h"

namespace upbench {
namespace {

using Kind = TinyLayer::Kind;
using Row = std::vector<TinyLayer>;

constexpr char kWhat[] = "tiny autoencoder";
constexpr std::int64_t kColours = 3, kMostLayers = 64, kMostResamples = 8;
// As the authors have it; no shape tells.
constexpr std::int64_t kPoolGroups = 4;
constexpr double kPoolEpsilon = 1e-5;
constexpr double kReach = 3;  // the decoder bends latents into (-3, 3)

std::string layer_name(const std::string& half, std::int64_t index) {
  return fmt::format("{}.layers.{}", half, index);
}

TinyLayer block_of(const NamedTensors& tensors, const std::string& name, std::int64_t index) {
  return {.kind = Kind::block,
          .index = index,
          .inputs = conv_size(tensors, name + ".conv.0", 1),
          .outputs = conv_size(tensors, name + ".conv.0", 0),
          .pooled = conv_size(tensors, name + ".pool.0", 0)};
}

Row row_of(const NamedTensors& tensors, const std::string& half) {
  const std::int64_t count = count_blocks(tensors, half + ".layers.", 0);
  if (count > kMostLayers) refuse("{}: {} layers, expected up to {}", kWhat, count, kMostLayers);
  Row row;
  for (std::int64_t index = 0; index < count; ++index) {
    const std::string name = layer_name(half, index);
    if (tensors.contains(name + ".conv.0.weight")) {
      row.push_back(block_of(tensors, name, index));
    } else if (tensors.contains(name + ".weight")) {
      row.push_back({.kind = tensors.contains(name + ".bias") ? Kind::convolution : Kind::resample,
                     .index = index,
                     .inputs = conv_size(tensors, name, 1),
                     .outputs = conv_size(tensors, name, 0)});
    }
  }
  for (const TinyLayer& layer : row) {
    for (const std::int64_t size : {layer.inputs, layer.outputs}) {
      if (size < 1 || size > kMostChannels)
        refuse("{}: {} has {} channels, expected 1 to {}", kWhat, layer_name(half, layer.index), size,
               kMostChannels);
    }
    if (layer.pooled % kPoolGroups != 0 || layer.pooled > kMostChannels)
      refuse("{}: {}.pool has {} channels, expected a multiple of the {} groups of its GroupNorm", kWhat,
             layer_name(half, layer.index), layer.pooled, kPoolGroups);
  }
  return row;
}

at::Tensor pooled(Layers& layers, const std::string& name, const at::Tensor& x, const TinyLayer& layer) {
  const at::Tensor wide = layers.conv(name + ".pool.0", x, layer.pooled, {.kernel = 1, .bias = false});
  return layers.conv(name + ".pool.3",
                     group_norm(layers, name + ".pool.1", wide, kPoolGroups, kPoolEpsilon, kRelu),
                     layer.inputs, {.kernel = 1, .bias = false, .plus = x});
}

at::Tensor block(Layers& layers, const std::string& name, const at::Tensor& before, const TinyLayer& layer) {
  const at::Tensor x = layer.pooled > 0 ? pooled(layers, name, before, layer) : before;
  const at::Tensor shortcut = layer.inputs == layer.outputs ? x
                                                            : layers.conv(name + ".skip", x, layer.outputs,
                                                                          {.kernel = 1, .bias = false});
  const at::Tensor first = layers.conv(name + ".conv.0", x, layer.outputs, {.then = kRelu}),
                   second = layers.conv(name + ".conv.2", first, layer.outputs, {.then = kRelu});
  return layers.conv(name + ".conv.4", second, layer.outputs, {.plus = shortcut, .then = kRelu});
}

at::Tensor encoded(Layers& layers, const Row& row, at::Tensor x) {
  for (const TinyLayer& layer : row) {
    const std::string name = layer_name("encoder", layer.index);
    if (layer.kind == Kind::block)
      x = block(layers, name, x, layer);
    else if (layer.kind == Kind::resample)
      x = layers.conv(name, x, layer.outputs, {.stride = 2, .bias = false});
    else
      x = layers.conv(name, x, layer.outputs);
  }
  return x;
}

at::Tensor decoded(Layers& layers, const Row& row, at::Tensor x) {
  for (const TinyLayer& layer : row) {
    const std::string name = layer_name("decoder", layer.index);
    if (layer.kind == Kind::block) {
      x = block(layers, name, x, layer);
    } else if (layer.kind == Kind::resample) {
      const std::vector<std::int64_t> shape{x.size(0), x.size(1), 2 * x.size(2), 2 * x.size(3)};
      const at::Tensor larger =
          layers.counted(shape, 0, [&] { return at::upsample_nearest2d(x, {shape[2], shape[3]}); });
      x = layers.conv(name, larger, layer.outputs, {.bias = false});
    } else {  // the first is followed by a ReLU, the last is the picture
      x = layers.conv(name, x, layer.outputs, {.then = &layer == &row.front() ? kRelu : Activation{}});
    }
  }
  return x;
}

// The channels that leave one layer enter the next; the layers' own tensors then follow from each.
void require_chain(const Row& row, const std::string& half, std::int64_t first, std::int64_t last) {
  if (row.front().kind != Kind::convolution || row.back().kind != Kind::convolution)
    refuse("{}: {}.layers. begins or ends with no convolution with bias", kWhat, half);
  std::int64_t channels = first == 0 ? row.front().inputs : first;
  for (const TinyLayer& layer : row) {
    if (layer.inputs != channels)
      refuse("{}: {} takes {} channels, but gets {}", kWhat, layer_name(half, layer.index), layer.inputs,
             channels);
    channels = layer.outputs;
  }
  if (last != 0 && channels != last)
    refuse("{}: {} gives {} channels, expected {}", kWhat, layer_name(half, row.back().index), channels,
           last);
}

int factor_of(const Row& row) {
  const auto times = std::ranges::count(row, Kind::resample, &TinyLayer::kind);
  return 1 << std::min<std::int64_t>(times, kMostResamples);
}

// Reads the number that a name begins with; -1 where there is none followed by a dot.
std::int64_t leading_number(std::string_view name) {
  std::int32_t number = 0;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && rest != name.data() + name.size() && *rest == '.' ? number : -1;
}

class TinyAutoencoder : public PictureCoder {
 public:
  TinyAutoencoder(TinyAutoencoderFacts facts, const NamedTensors& weights) : facts_(std::move(facts)) {
    require_layout(facts_.layout, weights, kWhat);
    for (const auto& [name, tensor] : weights)
      weights_.emplace(name, tensor.dim() == 4 ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor);
  }

  Posterior encode(const at::Tensor& picture) const override {
    require_picture(*this, picture);
    Layers layers(weights_, constants_.get());
    return {.mean = encoded(layers, facts_.encoder, placed(picture).add(1).mul_(0.5)), .logvar = {}};
  }

  at::Tensor decode(const at::Tensor& latents) const override {
    require_latents(*this, latents);
    Layers layers(weights_, constants_.get());
    const at::Tensor bent = placed(latents).div(kReach).tanh_().mul_(kReach);
    return decoded(layers, facts_.decoder, bent).mul(2).sub_(1);
  }

  int channels() const override { return facts_.channels; }
  int factor() const override { return facts_.factor; }
  bool has_encoder() const override { return !facts_.encoder.empty(); }
  bool has_decoder() const override { return !facts_.decoder.empty(); }
  bool has_model_latents() const override { return true; }

 private:
  at::Tensor placed(const at::Tensor& x) const {
    return x.to(weights_.begin()->second.options()).contiguous(at::MemoryFormat::ChannelsLast);
  }

  TinyAutoencoderFacts facts_;
  NamedTensors weights_;
  std::shared_ptr<Constants> constants_ = std::make_shared<Constants>();
};

}  // namespace

NamedTensors tiny_autoencoder_names(const NamedTensors& tensors) {
  const bool is_encoder = tensors.contains("0.weight"), is_decoder = tensors.contains("1.weight");
  if (!is_encoder && !is_decoder) return tensors;
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) {
    const std::int64_t index = leading_number(name);
    if (index < (is_encoder ? 0 : 1)) {
      renamed.emplace(name, tensor);  // for the facts to refuse
      continue;
    }
    const std::string rest = name.substr(name.find('.'));
    renamed.emplace(layer_name(is_encoder ? "encoder" : "decoder", is_encoder ? index : index - 1) + rest,
                    tensor);
  }
  return renamed;
}

TinyAutoencoderFacts tiny_autoencoder_facts(const NamedTensors& tensors) {
  TinyAutoencoderFacts facts{.encoder = row_of(tensors, "encoder"),
                             .decoder = row_of(tensors, "decoder"),
                             .channels = 0,
                             .factor = 0,
                             .layout = {}};
  std::optional<LatentForm> encoder, decoder;
  if (!facts.encoder.empty()) {
    require_chain(facts.encoder, "encoder", kColours, 0);
    encoder = {.channels = static_cast<int>(facts.encoder.back().outputs),
               .factor = factor_of(facts.encoder)};
  }
  if (!facts.decoder.empty()) {
    require_chain(facts.decoder, "decoder", 0, kColours);
    decoder = {.channels = static_cast<int>(facts.decoder.front().inputs),
               .factor = factor_of(facts.decoder)};
  }
  const LatentForm form = common_form(encoder, decoder, kWhat);
  facts.channels = form.channels;
  facts.factor = form.factor;
  Declaration declaration;
  Layers layers(declaration);
  const auto picture_of = [](const Row& row, std::int64_t side) {
    return at::zeros({}).expand({1, row.front().inputs, side, side});
  };
  try {
    if (encoder) encoded(layers, facts.encoder, picture_of(facts.encoder, facts.factor));
    if (decoder) decoded(layers, facts.decoder, picture_of(facts.decoder, 1));
  } catch (const std::length_error& error) {
    refuse("{}: {}", kWhat, error.what());
  }
  facts.layout = std::move(declaration.layout);
  require_layout(facts.layout, tensors, kWhat);
  return facts;
}

std::shared_ptr<const PictureCoder> make_tiny_autoencoder(const TinyAutoencoderFacts& facts,
                                                          const NamedTensors& weights) {
  return std::make_shared<TinyAutoencoder>(facts, weights);
}

}  // namespace upbench
