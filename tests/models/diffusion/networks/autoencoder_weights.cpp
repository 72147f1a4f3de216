#include "tests/models/diffusion/networks/autoencoder_weights.h"

#include <fmt/format.h>

namespace upbench::test {
namespace {

using Shape = std::vector<std::int64_t>;

class Listed {
 public:
  explicit Listed(const AutoencoderShape& shape) : shape_(shape) {}

  void layer(const std::string& name, const Shape& weight) {
    list.emplace_back(name + ".weight", weight);
    list.emplace_back(name + ".bias", Shape{weight[0]});
  }

  void block(const std::string& name, std::int64_t inputs, std::int64_t outputs) {
    layer(name + ".norm1", {inputs});
    layer(name + ".conv1", {outputs, inputs, 3, 3});
    layer(name + ".norm2", {outputs});
    layer(name + ".conv2", {outputs, outputs, 3, 3});
    if (inputs != outputs) layer(name + named(".conv_shortcut", ".nin_shortcut"), {outputs, inputs, 1, 1});
  }

  void middle(const std::string& half) {
    const std::int64_t wide = shape_.channels.back();
    block(half + named(".mid_block.resnets.0", ".mid.block_1"), wide, wide);
    const std::string attention = half + named(".mid_block.attentions.0", ".mid.attn_1");
    layer(attention + named(".group_norm", ".norm"), {wide});
    for (const auto& [now, ldm] :
         {std::pair{".to_q", ".q"}, {".to_k", ".k"}, {".to_v", ".v"}, {".to_out.0", ".proj_out"}})
      layer(attention + named(now, ldm), shape_.ldm ? Shape{wide, wide, 1, 1} : Shape{wide, wide});
    block(half + named(".mid_block.resnets.1", ".mid.block_2"), wide, wide);
  }

  void encoder() {
    const auto levels = static_cast<std::int64_t>(shape_.channels.size());
    std::int64_t channels = shape_.channels[0];
    layer("encoder.conv_in", {channels, 3, 3, 3});
    for (std::int64_t level = 0; level < levels; ++level) {
      const std::string name = fmt::format("encoder.{}.{}.", named("down_blocks", "down"), level);
      for (std::int64_t i = 0; i < shape_.blocks; ++i) {
        block(fmt::format("{}{}.{}", name, named("resnets", "block"), i), channels, wide(level));
        channels = wide(level);
      }
      if (level + 1 < levels)
        layer(name + named("downsamplers.0.conv", "downsample.conv"), {channels, channels, 3, 3});
    }
    middle("encoder");
    layer(std::string("encoder.") + named("conv_norm_out", "norm_out"), {channels});
    layer("encoder.conv_out", {2 * shape_.latents, channels, 3, 3});
    if (shape_.latent_convs) layer("quant_conv", {2 * shape_.latents, 2 * shape_.latents, 1, 1});
  }

  void decoder() {
    const auto levels = static_cast<std::int64_t>(shape_.channels.size());
    std::int64_t channels = shape_.channels.back();
    if (shape_.latent_convs) layer("post_quant_conv", {shape_.latents, shape_.latents, 1, 1});
    layer("decoder.conv_in", {channels, shape_.latents, 3, 3});
    middle("decoder");
    for (std::int64_t level = levels - 1; level >= 0; --level) {
      const std::string name =
          fmt::format("decoder.{}.{}.", named("up_blocks", "up"), shape_.ldm ? level : levels - 1 - level);
      for (std::int64_t i = 0; i <= shape_.blocks; ++i) {
        block(fmt::format("{}{}.{}", name, named("resnets", "block"), i), channels, wide(level));
        channels = wide(level);
      }
      if (level > 0) layer(name + named("upsamplers.0.conv", "upsample.conv"), {channels, channels, 3, 3});
    }
    layer(std::string("decoder.") + named("conv_norm_out", "norm_out"), {channels});
    layer("decoder.conv_out", {3, channels, 3, 3});
  }

  std::vector<std::pair<std::string, Shape>> list;

 private:
  const char* named(const char* diffusers, const char* ldm) const { return shape_.ldm ? ldm : diffusers; }
  std::int64_t wide(std::int64_t level) const { return shape_.channels[static_cast<std::size_t>(level)]; }

  const AutoencoderShape& shape_;
};

}  // namespace

std::vector<std::pair<std::string, std::vector<std::int64_t>>> autoencoder_tensors(
    const AutoencoderShape& shape) {
  Listed listed(shape);
  listed.encoder();
  listed.decoder();
  return listed.list;
}

NamedTensors hollow_autoencoder(const AutoencoderShape& shape) {
  NamedTensors tensors;
  for (const auto& [name, size] : autoencoder_tensors(shape))
    tensors.emplace(name, at::empty(size, at::TensorOptions().device(at::kMeta).dtype(at::kHalf)));
  return tensors;
}

NamedTensors random_autoencoder(const AutoencoderShape& shape, std::uint64_t seed) {
  at::manual_seed(seed);
  NamedTensors tensors;
  for (const auto& [name, size] : autoencoder_tensors(shape)) {
    double fan_in = 1;
    for (std::size_t i = 1; i < size.size(); ++i) fan_in *= static_cast<double>(size[i]);
    const bool is_norm = size.size() == 1 && name.ends_with(".weight");
    tensors.emplace(name,
                    at::randn(size) * (size.size() == 1 ? 0.1 : 1 / std::sqrt(fan_in)) + (is_norm ? 1 : 0));
  }
  return tensors;
}

NamedTensors cast(const NamedTensors& tensors, at::ScalarType dtype) {
  NamedTensors result;
  for (const auto& [name, tensor] : tensors) result.emplace(name, tensor.to(dtype));
  return result;
}

}  // namespace upbench::test
