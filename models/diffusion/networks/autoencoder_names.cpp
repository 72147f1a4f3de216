#include "models/diffusion/networks/autoencoder_names.h"

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/checkpoint/refuse.h"
#include "models/networks/derive.h"

namespace upbench {
namespace {

// Parts of names: LDM's and those of diffusers before 0.18, and what they are called now.
constexpr std::pair<std::string_view, std::string_view> kParts[] = {
    {".norm_out.", ".conv_norm_out."},
    {".mid.block_1.", ".mid_block.resnets.0."},
    {".mid.block_2.", ".mid_block.resnets.1."},
    {".mid.attn_1.", ".mid_block.attentions.0."},
    {".attentions.0.norm.", ".attentions.0.group_norm."},
    {".attentions.0.q.", ".attentions.0.to_q."},
    {".attentions.0.k.", ".attentions.0.to_k."},
    {".attentions.0.v.", ".attentions.0.to_v."},
    {".attentions.0.proj_out.", ".attentions.0.to_out.0."},
    {".attentions.0.query.", ".attentions.0.to_q."},
    {".attentions.0.key.", ".attentions.0.to_k."},
    {".attentions.0.value.", ".attentions.0.to_v."},
    {".attentions.0.proj_attn.", ".attentions.0.to_out.0."},
    {"encoder.down.", "encoder.down_blocks."},
    {".block.", ".resnets."},
    {".nin_shortcut.", ".conv_shortcut."},
    {".downsample.conv.", ".downsamplers.0.conv."},
    {".upsample.conv.", ".upsamplers.0.conv."},
};

constexpr std::string_view kUp = "decoder.up.";

bool is_leftover(std::string_view name) {
  return name.starts_with("loss.") || name.starts_with("model_ema.");
}

// LDM numbers levels from full resolution in both halves, diffusers in the order in which they run.
std::string with_reversed_level(const std::string& name, std::int64_t levels) {
  if (!name.starts_with(kUp)) return name;
  std::int64_t level = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kUp.size(), end, level);
  if (error != std::errc() || level < 0 || level >= levels) return name;
  return fmt::format("decoder.up_blocks.{}{}", levels - 1 - level, std::string_view(rest, end));
}

std::string canonical(std::string name, std::int64_t levels) {
  name = with_reversed_level(name, levels);
  for (const auto& [from, to] : kParts) {
    const std::size_t at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), to);
  }
  return name;
}

bool is_projection(std::string_view name) {
  return name.find(".attentions.0.to_") != std::string_view::npos && name.ends_with(".weight");
}

}  // namespace

NamedTensors autoencoder_from_ldm(const NamedTensors& tensors) {
  const std::int64_t levels = count_blocks(tensors, kUp, 0);
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) {
    if (is_leftover(name)) continue;
    const std::string now = canonical(name, levels);
    const bool is_conv =
        is_projection(now) && tensor.dim() == 4 && tensor.size(2) == 1 && tensor.size(3) == 1;
    if (!renamed.emplace(now, is_conv ? tensor.flatten(1) : tensor).second)
      refuse("autoencoder: two tensors are called {}, one of them as {}", printable(now), printable(name));
  }
  return renamed;
}

}  // namespace upbench
