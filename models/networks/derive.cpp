#include "models/networks/derive.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "models/networks/layers.h"

namespace upbench {

std::int64_t tensor_size(const NamedTensors& tensors, const std::string& name, int rank, int dimension) {
  const auto tensor = tensors.find(name);
  return tensor == tensors.end() || tensor->second.dim() != rank ? 0 : tensor->second.size(dimension);
}

std::int64_t linear_size(const NamedTensors& tensors, const std::string& layer, int dimension) {
  return tensor_size(tensors, layer + ".weight", 2, dimension);
}

std::int64_t conv_size(const NamedTensors& tensors, const std::string& layer, int dimension) {
  return tensor_size(tensors, layer + ".weight", 4, dimension);
}

std::int64_t count_blocks(const NamedTensors& tensors, std::string_view prefix, std::int64_t first) {
  std::int64_t count = 0;
  for (auto entry = tensors.lower_bound(std::string(prefix)); entry != tensors.end(); ++entry) {
    const std::string_view name = entry->first;
    if (!name.starts_with(prefix)) break;
    const std::string_view rest = name.substr(prefix.size());
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error == std::errc() && end != rest.data() + rest.size() && *end == '.')
      count = std::max(count, number - first + 1);
  }
  return count;
}

void set_hyper_parameters(NetworkMatch& match, std::initializer_list<HyperParameter> parameters) {
  for (const auto& [name, value, most] : parameters) {
    match.hyper_parameters.emplace_back(name, std::to_string(value));
    if ((value < 1 || value > most) && match.problem.empty())
      match.problem = fmt::format("{} is {}, expected 1 to {}", name, value, most);
  }
}

std::string set_scale(NetworkMatch& match, const NamedTensors& tensors, const std::string& layer) {
  const std::int64_t channels = conv_size(tensors, layer, 0);
  match.scale = channels <= kMostChannels ? shuffle_factor(channels) : 0;
  if (match.scale > 0) return fmt::format("{} gives {} channels = 3 x {}^2", layer, channels, match.scale);
  if (match.problem.empty()) {
    match.problem = tensors.contains(layer + ".weight")
                        ? fmt::format("{} gives {} channels, expected 3 x scale^2", layer, channels)
                        : fmt::format("{}.weight, which tells the scale, is missing", layer);
  }
  return layer + " tells no scale";
}

}  // namespace upbench
