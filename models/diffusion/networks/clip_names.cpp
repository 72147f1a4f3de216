#include "models/diffusion/networks/clip_names.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

using Renaming = std::pair<std::string_view, std::string_view>;

// Of whole names, OpenCLIP's behind "model.".
constexpr std::array kNames{
    Renaming{"positional_embedding", "text_model.embeddings.position_embedding.weight"},
    Renaming{"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
    Renaming{"ln_final.weight", "text_model.final_layer_norm.weight"},
    Renaming{"ln_final.bias", "text_model.final_layer_norm.bias"},
};
// Of what follows "transformer.resblocks.N.".
constexpr std::array kLayers{
    Renaming{"attn.out_proj.", "self_attn.out_proj."},
    Renaming{"ln_1.", "layer_norm1."},
    Renaming{"ln_2.", "layer_norm2."},
    Renaming{"mlp.c_fc.", "mlp.fc1."},
    Renaming{"mlp.c_proj.", "mlp.fc2."},
};

void add(NamedTensors& to, const std::string& name, const at::Tensor& tensor) {
  if (!to.emplace(name, tensor).second)
    refuse("text encoder: two tensors are {} by the names of transformers", printable(name));
}

// Queries, keys and values are a third of the rows each.
void add_split(NamedTensors& to, const std::string& layer, std::string_view suffix,
               const at::Tensor& joined) {
  if (joined.dim() < 1 || joined.size(0) % 3 != 0)
    refuse("text encoder: {}attn.in_proj has {} rows, expected three times its width", printable(layer),
           joined.dim() < 1 ? 0 : joined.size(0));
  const std::int64_t rows = joined.size(0) / 3;
  std::int64_t first = 0;
  for (const char* part : {"q", "k", "v"}) {
    add(to, fmt::format("{}self_attn.{}_proj.{}", layer, part, suffix), joined.narrow(0, first, rows));
    first += rows;
  }
}

void add_layer(NamedTensors& to, std::string_view name, const at::Tensor& tensor) {
  constexpr std::string_view kInner = "attn.in_proj_";
  const std::size_t dot = name.find('.');
  const std::string layer = fmt::format("text_model.encoder.layers.{}.", name.substr(0, dot));
  const std::string_view part = dot == std::string_view::npos ? "" : name.substr(dot + 1);
  if (part.starts_with(kInner)) return add_split(to, layer, part.substr(kInner.size()), tensor);
  for (const auto& [from, now] : kLayers)
    if (part.starts_with(from))
      return add(to, fmt::format("{}{}{}", layer, now, part.substr(from.size())), tensor);
  add(to, fmt::format("{}{}", layer, part), tensor);
}

bool is_left_out(std::string_view name) {
  return name.ends_with("position_ids") || name == "logit_scale" || name == "attn_mask";
}

}  // namespace

NamedTensors clip_text_from_ldm(const NamedTensors& tensors) {
  constexpr std::string_view kBlocks = "transformer.resblocks.", kTransformer = "transformer.",
                             kModel = "model.";
  NamedTensors renamed;
  for (const auto& [whole, tensor] : tensors) {
    std::string_view name = whole;
    if (name.starts_with(kModel)) name.remove_prefix(kModel.size());
    if (is_left_out(name)) continue;
    if (name.starts_with(kBlocks)) {
      add_layer(renamed, name.substr(kBlocks.size()), tensor);
      continue;
    }
    if (name == "text_projection" && tensor.dim() == 2) {
      add(renamed, "text_projection.weight", tensor.t());
      continue;
    }
    if (name.starts_with(kTransformer)) name.remove_prefix(kTransformer.size());
    std::string now(name);
    for (const auto& [from, canonical] : kNames)
      if (name == from) now = canonical;
    for (const char* part : {"embeddings.", "encoder.", "final_layer_norm."})
      if (name.starts_with(part)) now = fmt::format("text_model.{}", name);
    add(renamed, now, tensor);
  }
  return renamed;
}

}  // namespace upbench
