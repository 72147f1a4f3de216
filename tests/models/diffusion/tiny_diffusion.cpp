#include "tests/models/diffusion/tiny_diffusion.h"

#include <fstream>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/diffusion/networks/unet_names.h"
#include "tests/models/diffusion/networks/autoencoder_weights.h"
#include "tests/models/diffusion/networks/unet_layouts.h"

namespace upbench::test {
namespace {

constexpr std::int64_t kWidth = 32, kTokens = 516;  // write_small_vocabulary()'s

NamedTensors tiny_unet(std::uint64_t seed, std::int64_t context_width = kWidth) {
  const UNetFacts facts{.in_channels = 4,
                        .out_channels = 4,
                        .channels = {32, 64},
                        .blocks_per_level = 1,
                        .transformer_depth = {0, 1},
                        .middle_depth = 1,
                        .context_width = context_width,
                        .heads = {8, 8},
                        .context_only = {false, false}};
  return random_weights(unet_facts(meta_tensors(facts)).layout, seed);
}

NamedTensors tiny_text(std::uint64_t seed) {
  Layout layout;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    layout["text_model." + name].shape = std::move(shape);
  };
  const auto layer = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs) {
    add(name + ".weight", inputs > 0 ? std::vector{outputs, inputs} : std::vector{outputs});
    add(name + ".bias", {outputs});
  };
  add("embeddings.token_embedding.weight", {kTokens, kWidth});
  add("embeddings.position_embedding.weight", {77, kWidth});
  for (int i = 0; i < 2; ++i) {
    const std::string block = fmt::format("encoder.layers.{}.", i);
    for (const char* norm : {"layer_norm1", "layer_norm2"}) layer(block + norm, kWidth, 0);
    for (const char* projection : {"q_proj", "k_proj", "v_proj", "out_proj"})
      layer(block + "self_attn." + projection, kWidth, kWidth);
    layer(block + "mlp.fc1", 2 * kWidth, kWidth);
    layer(block + "mlp.fc2", kWidth, 2 * kWidth);
  }
  layer("final_layer_norm", kWidth, 0);
  return random_weights(layout, seed);
}

void write_part(const std::filesystem::path& folder, const char* file, const NamedTensors& tensors,
                const char* config) {
  std::filesystem::create_directories(folder);
  write_safetensors(folder / file, tensors);
  std::ofstream(folder / "config.json") << config;
}

}  // namespace

ModelParts tiny_diffusion(std::uint64_t seed) {
  ModelParts parts;
  parts.unet = tiny_unet(seed);
  parts.autoencoder = random_autoencoder(kSmall, seed + 1);
  parts.text = {tiny_text(seed + 2)};
  return parts;
}

NamedTensors tiny_control_net(std::uint64_t seed, std::int64_t context_width) {
  NamedTensors tensors = tiny_unet(seed, context_width);
  std::erase_if(tensors, [](const auto& entry) {
    return entry.first.starts_with("up_blocks.") || entry.first.starts_with("conv_norm_out.") ||
           entry.first.starts_with("conv_out.");
  });
  Layout added;
  const auto add = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs,
                       std::int64_t kernel) {
    added[name + ".weight"].shape = {outputs, inputs, kernel, kernel};
    added[name + ".bias"].shape = {outputs};
  };
  const std::string hint = "controlnet_cond_embedding.";
  add(hint + "conv_in", 8, 3, 3);
  add(hint + "blocks.0", 8, 8, 3);
  add(hint + "blocks.1", 16, 8, 3);
  add(hint + "conv_out", 32, 16, 3);
  int residual = 0;
  for (const int channels : {32, 32, 32, 64})
    add(fmt::format("controlnet_down_blocks.{}", residual++), channels, channels, 1);
  add("controlnet_mid_block", 64, 64, 1);
  tensors.merge(random_weights(added, seed + 7));
  return tensors;
}

void write_ldm_checkpoint(const std::filesystem::path& file, std::uint64_t seed) {
  NamedTensors tensors;
  const NamedTensors unet = tiny_unet(seed);
  const std::map<std::string, std::string> names = ldm_unet_names(unet_facts(unet));
  for (const auto& [name, tensor] : unet) tensors["model.diffusion_model." + names.at(name)] = tensor;
  AutoencoderShape ldm = kSmall;
  ldm.ldm = true;
  for (const auto& [name, tensor] : random_autoencoder(ldm, seed + 1))
    tensors["first_stage_model." + name] = tensor;
  for (const auto& [name, tensor] : tiny_text(seed + 2))
    tensors["cond_stage_model.transformer." + name] = tensor;
  tensors = cast(tensors, at::kHalf);
  tensors["alphas_cumprod"] = at::linspace(1, 0, 1000);
  tensors["model_ema.decay"] = at::zeros({1});
  write_safetensors(file, tensors);
}

void write_diffusers_folder(const std::filesystem::path& folder, std::uint64_t seed) {
  const ModelParts parts = tiny_diffusion(seed);
  write_part(folder / "unet", "diffusion_pytorch_model.safetensors", parts.unet,
             R"({"attention_head_dim": 8})");
  write_part(folder / "vae", "diffusion_pytorch_model.safetensors", parts.autoencoder,
             R"({"norm_num_groups": 32, "scaling_factor": 0.5})");
  write_part(folder / "text_encoder", "model.safetensors", parts.text[0],
             R"({"num_attention_heads": 4, "hidden_act": "quick_gelu", "eos_token_id": 2})");
  std::filesystem::create_directories(folder / "scheduler");
  std::ofstream(folder / "scheduler" / "scheduler_config.json")
      << R"({"beta_schedule": "scaled_linear", "beta_start": 0.001, "beta_end": 0.01, "prediction_type": "v_prediction"})";
  std::ofstream(folder / "model_index.json") << "{}";
}

}  // namespace upbench::test
