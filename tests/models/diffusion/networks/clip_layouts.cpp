#include "tests/models/diffusion/networks/clip_layouts.h"

#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace upbench::test {

NamedTensors meta_text_encoder(std::int64_t layers, std::int64_t width, std::int64_t projection) {
  NamedTensors tensors;
  const auto add = [&](const std::string& name, at::IntArrayRef shape) {
    tensors[name] = at::empty(shape, at::TensorOptions(at::kMeta).dtype(at::kHalf));
  };
  const auto add_layer = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs) {
    if (inputs == 0) {
      add(name + ".weight", {outputs});
    } else {
      add(name + ".weight", {outputs, inputs});
    }
    add(name + ".bias", {outputs});
  };
  add("text_model.embeddings.token_embedding.weight", {49408, width});
  add("text_model.embeddings.position_embedding.weight", {77, width});
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string layer = fmt::format("text_model.encoder.layers.{}.", i);
    for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"})
      add_layer(layer + "self_attn." + part, width, width);
    add_layer(layer + "mlp.fc1", 4 * width, width);
    add_layer(layer + "mlp.fc2", width, 4 * width);
    for (const char* norm : {"layer_norm1", "layer_norm2"}) add_layer(layer + norm, width, 0);
  }
  add_layer("text_model.final_layer_norm", width, 0);
  if (projection > 0) add("text_projection.weight", {projection, width});
  return tensors;
}

}  // namespace upbench::test
