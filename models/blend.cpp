#include "models/blend.h"

#include <bit>
#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace upbench {
namespace {

constexpr double kSumTolerance = 1e-6;  // weights are decimals that someone wrote: 1/3 as 0.333333

void check(const std::string& name, const std::vector<BlendPart>& parts) {
  if (parts.size() < 2)
    throw std::invalid_argument(
        fmt::format("blend '{}' has {} parts, expected at least 2", name, parts.size()));
  double sum = 0;
  for (const BlendPart& part : parts) sum += part.weight;
  if (!(std::abs(sum - 1) <= kSumTolerance))
    throw std::invalid_argument(fmt::format("blend '{}': its weights sum to {}, expected 1", name, sum));
  const BlendPart& first = parts.front();
  for (const BlendPart& part : parts) {
    if (part.network.match.architecture != first.network.match.architecture) {
      throw std::invalid_argument(fmt::format("blend '{}': '{}' is {}, but '{}' is {}", name, part.name,
                                              part.network.match.architecture, first.name,
                                              first.network.match.architecture));
    }
    for (const auto& [key, tensor] : first.network.weights) {
      const auto other = part.network.weights.find(key);
      if (other == part.network.weights.end() || other->second.sizes() != tensor.sizes() ||
          other->second.dim() != tensor.dim() ||
          part.network.weights.size() != first.network.weights.size()) {
        throw std::invalid_argument(fmt::format("blend '{}': '{}' and '{}' differ in shape, first at {}",
                                                name, part.name, first.name, key));
      }
    }
  }
}

}  // namespace

LoadedNetwork blend(const std::string& name, const std::vector<BlendPart>& parts) {
  check(name, parts);
  LoadedNetwork result{.match = parts.front().network.match, .weights = {}, .hash = {}, .dialect = ""};
  Hasher hasher;
  hasher.add_field("blend");
  for (const BlendPart& part : parts) {
    hasher.add_field(part.network.hash).add_field(std::bit_cast<std::uint64_t>(part.weight));
    result.dialect += fmt::format("{}{} x {} ({})", result.dialect.empty() ? "" : " + ", part.weight,
                                  part.name, part.network.dialect);
  }
  for (const auto& [key, tensor] : parts.front().network.weights) {
    at::Tensor sum = at::zeros(tensor.sizes(), at::kDouble);
    for (const BlendPart& part : parts) sum.add_(part.network.weights.at(key).to(at::kDouble), part.weight);
    result.weights.emplace(key, sum.to(at::kFloat));
  }
  result.hash = hasher.finish();
  return result;
}

}  // namespace upbench
