#include "models/diffusion/networks/unet_names.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/derive.h"

namespace upbench {
namespace {

// Beginnings of names: diffusers', LDM's. No row's beginning is that of another row of the same side.
using Rows = std::vector<std::pair<std::string, std::string>>;

// What LDM's numbers of blocks depend on.
struct Skeleton {
  std::int64_t blocks_per_level = 0;
  std::vector<bool> attends;  // by level
  bool middle_attends = false;
};

void add_residual_block(Rows& rows, const std::string& name, const std::string& ldm) {
  for (const auto& [own, theirs] : {std::pair{"norm1", "in_layers.0"},
                                    {"conv1", "in_layers.2"},
                                    {"time_emb_proj", "emb_layers.1"},
                                    {"norm2", "out_layers.0"},
                                    {"conv2", "out_layers.3"},
                                    {"conv_shortcut", "skip_connection"}})
    rows.emplace_back(fmt::format("{}.{}.", name, own), fmt::format("{}.{}.", ldm, theirs));
}

void add_block(Rows& rows, const std::string& level, std::int64_t k, const std::string& ldm, bool attends) {
  add_residual_block(rows, fmt::format("{}resnets.{}", level, k), ldm + ".0");
  if (attends) rows.emplace_back(fmt::format("{}attentions.{}.", level, k), ldm + ".1.");
}

// LDM numbers the parts of the way down from 0, the first convolution, through the blocks and the halving of
// each level.
void add_way_down(Rows& rows, const Skeleton& skeleton) {
  rows.insert(rows.end(), {{"conv_in.", "input_blocks.0.0."},
                           {"time_embedding.linear_1.", "time_embed.0."},
                           {"time_embedding.linear_2.", "time_embed.2."},
                           {"class_embedding.", "label_emb."},
                           {"add_embedding.linear_1.", "label_emb.0.0."},
                           {"add_embedding.linear_2.", "label_emb.0.2."}});
  std::int64_t number = 1;
  for (std::size_t level = 0; level < skeleton.attends.size(); ++level) {
    const std::string name = fmt::format("down_blocks.{}.", level);
    for (std::int64_t k = 0; k < skeleton.blocks_per_level; ++k)
      add_block(rows, name, k, fmt::format("input_blocks.{}", number++), skeleton.attends[level]);
    if (level + 1 < skeleton.attends.size())
      rows.emplace_back(name + "downsamplers.0.conv.", fmt::format("input_blocks.{}.0.op.", number++));
  }
  add_residual_block(rows, "mid_block.resnets.0", "middle_block.0");
  if (skeleton.middle_attends) rows.emplace_back("mid_block.attentions.0.", "middle_block.1.");
  add_residual_block(rows, "mid_block.resnets.1",
                     skeleton.middle_attends ? "middle_block.2" : "middle_block.1");
}

// A level's last block holds its enlarging too, behind the attention where there is one.
void add_way_up(Rows& rows, const Skeleton& skeleton) {
  const std::size_t levels = skeleton.attends.size();
  std::int64_t number = 0;
  for (std::size_t up = 0; up < levels; ++up) {
    const std::string name = fmt::format("up_blocks.{}.", up);
    const bool attends = skeleton.attends[levels - 1 - up];
    for (std::int64_t k = 0; k <= skeleton.blocks_per_level; ++k)
      add_block(rows, name, k, fmt::format("output_blocks.{}", number++), attends);
    if (up + 1 < levels)
      rows.emplace_back(name + "upsamplers.0.conv.",
                        fmt::format("output_blocks.{}.{}.conv.", number - 1, attends ? 2 : 1));
  }
  rows.insert(rows.end(), {{"conv_norm_out.", "out.0."}, {"conv_out.", "out.2."}});
}

// The zero convolutions follow the parts of the way down; the hint's convolutions have activations between
// them.
void add_control(Rows& rows, const Skeleton& skeleton, std::int64_t hint_blocks) {
  const auto levels = static_cast<std::int64_t>(skeleton.attends.size());
  const std::int64_t parts = levels * (skeleton.blocks_per_level + 1);
  for (std::int64_t k = 0; k < parts; ++k)
    rows.emplace_back(fmt::format("controlnet_down_blocks.{}.", k), fmt::format("zero_convs.{}.0.", k));
  rows.insert(rows.end(), {{"controlnet_mid_block.", "middle_block_out.0."},
                           {"controlnet_cond_embedding.conv_in.", "input_hint_block.0."}});
  for (std::int64_t k = 0; k < hint_blocks; ++k)
    rows.emplace_back(fmt::format("controlnet_cond_embedding.blocks.{}.", k),
                      fmt::format("input_hint_block.{}.", 2 * (k + 1)));
  rows.emplace_back("controlnet_cond_embedding.conv_out.",
                    fmt::format("input_hint_block.{}.", 2 * (hint_blocks + 1)));
}

// From LDM's names: the halvings ("op") are the parts n + 1, 2 (n + 1), ... for n blocks a level.
Skeleton skeleton_of(const NamedTensors& tensors) {
  const std::int64_t parts = count_blocks(tensors, "input_blocks.", 0);
  const auto has = [&](const std::string& name) { return tensors.contains(name); };
  std::int64_t first_halving = 0;
  for (std::int64_t k = 1; k < parts && first_halving == 0; ++k)
    if (has(fmt::format("input_blocks.{}.0.op.weight", k))) first_halving = k;
  const std::int64_t period = first_halving > 0 ? first_halving : parts;
  if (period < 2)
    throw std::invalid_argument(fmt::format(
        "LDM names: {} input_blocks tell no levels, expected a convolution, then blocks and halvings",
        parts));
  if (parts % period != 0)
    throw std::invalid_argument(
        fmt::format("LDM names: {} input_blocks with a halving at {}, expected as many blocks at every level",
                    parts, period));
  Skeleton skeleton{.blocks_per_level = period - 1, .middle_attends = has("middle_block.1.proj_in.weight")};
  for (std::int64_t k = 1; k < parts; k += period)
    skeleton.attends.push_back(has(fmt::format("input_blocks.{}.1.proj_in.weight", k)));
  return skeleton;
}

Skeleton skeleton_of(const UNetFacts& facts) {
  Skeleton skeleton{.blocks_per_level = facts.blocks_per_level, .middle_attends = facts.middle_depth > 0};
  for (const std::int64_t depth : facts.transformer_depth) skeleton.attends.push_back(depth > 0);
  return skeleton;
}

// The name with its beginning replaced, by the longest row that fits ("label_emb." is the class table's, but
// "label_emb.0.0." the added conditioning's).
std::optional<std::string> translated(const std::string& name,
                                      const std::map<std::string, std::string>& rows) {
  for (std::size_t end = name.size(); end-- > 0;) {
    if (name[end] != '.') continue;
    const auto row = rows.find(name.substr(0, end + 1));
    if (row != rows.end()) return row->second + name.substr(end + 1);
  }
  return {};
}

NamedTensors from_ldm(const NamedTensors& tensors, const Rows& rows) {
  std::map<std::string, std::string> canonical;
  for (const auto& [own, theirs] : rows) canonical.emplace(theirs, own);
  NamedTensors result;
  for (const auto& [name, tensor] : tensors) {
    const std::string own = translated(name, canonical).value_or(name);
    if (!result.emplace(own, tensor).second)
      throw std::invalid_argument(
          fmt::format("LDM names: two tensors are {}, one of them is called {}", own, name));
  }
  return result;
}

std::map<std::string, std::string> to_ldm(const Layout& layout, const Rows& rows) {
  const std::map<std::string, std::string> theirs(rows.begin(), rows.end());
  std::map<std::string, std::string> result;
  for (const auto& [name, expected] : layout) result.emplace(name, translated(name, theirs).value());
  return result;
}

}  // namespace

NamedTensors unet_from_ldm(const NamedTensors& tensors) {
  const Skeleton skeleton = skeleton_of(tensors);
  Rows rows;
  add_way_down(rows, skeleton);
  add_way_up(rows, skeleton);
  return from_ldm(tensors, rows);
}

NamedTensors control_net_from_ldm(const NamedTensors& tensors) {
  const Skeleton skeleton = skeleton_of(tensors);
  Rows rows;
  add_way_down(rows, skeleton);
  add_control(rows, skeleton,
              std::max<std::int64_t>((count_blocks(tensors, "input_hint_block.", 0) - 3) / 2, 0));
  return from_ldm(tensors, rows);
}

bool has_ldm_unet_names(const NamedTensors& tensors) {
  return tensors.contains("input_blocks.0.0.weight");
}

std::map<std::string, std::string> ldm_unet_names(const UNetFacts& facts) {
  Rows rows;
  add_way_down(rows, skeleton_of(facts));
  add_way_up(rows, skeleton_of(facts));
  return to_ldm(facts.layout, rows);
}

std::map<std::string, std::string> ldm_control_net_names(const ControlNetFacts& facts) {
  Rows rows;
  add_way_down(rows, skeleton_of(facts.trunk));
  add_control(rows, skeleton_of(facts.trunk),
              2 * (static_cast<std::int64_t>(facts.hint_channels.size()) - 1));
  return to_ldm(facts.layout, rows);
}

}  // namespace upbench
