#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "models/networks/network.h"

namespace upbench {

// What the names and shapes of a file's tensors say about a network. A file can say anything: everything here
// takes whatever it holds, and nothing derived is used before set_hyper_parameters() found it within bounds.

// Size `dimension` of a tensor where that has `rank` dimensions; otherwise 0.
std::int64_t tensor_size(const NamedTensors& tensors, const std::string& name, int rank, int dimension);

// Of `layer`.weight of a linear layer: 0: outputs, 1: inputs.
std::int64_t linear_size(const NamedTensors& tensors, const std::string& layer, int dimension);

// Size `dimension` of `layer`.weight (0: outputs, 1: inputs of a group) where that has a convolution's four
// dimensions; otherwise 0.
std::int64_t conv_size(const NamedTensors& tensors, const std::string& layer, int dimension);

// Blocks are numbered from `first`: how many there are up to the greatest N for which a tensor is called
// prefix + N + "." + anything; 0 where there is none.
std::int64_t count_blocks(const NamedTensors& tensors, std::string_view prefix, std::int64_t first);

inline constexpr std::int64_t kMostChannels = 4096, kMostBlocks = 1000;
inline constexpr std::int64_t kMostTransformerChannels = 1024, kMostTransformerBlocks = 64;

struct HyperParameter {
  const char* name;
  std::int64_t value;
  std::int64_t most = kMostChannels;
};

// Adds them to the match; the first that is not in 1..most becomes its problem unless it already has one.
void set_hyper_parameters(NetworkMatch& match, std::initializer_list<HyperParameter> parameters);

// Sets match.scale to the factor of the pixel shuffle that follows convolution `layer`, and returns how it
// was told: "LAYER gives 48 channels = 3 x 4^2". Where the channels are no 3 x scale^2 this is the match's
// problem.
std::string set_scale(NetworkMatch& match, const NamedTensors& tensors, const std::string& layer);

}  // namespace upbench
