#include "models/padding.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace upbench {
namespace {

// Adds `amount` rows (dim 2) or columns (dim 3) after the last one.
at::Tensor reflected(const at::Tensor& batch, std::int64_t dim, std::int64_t amount) {
  if (amount == 0) return batch;
  const std::vector<std::int64_t> sides{0, dim == 3 ? amount : 0, 0, dim == 2 ? amount : 0};
  return amount < batch.size(dim) ? at::reflection_pad2d(batch, sides) : at::replication_pad2d(batch, sides);
}

at::Tensor mirrored(const at::Tensor& batch, std::int64_t dim, std::int64_t amount) {
  if (amount == 0) return batch;
  const at::Tensor edge = batch.narrow(dim, batch.size(dim) - amount, amount);
  return at::cat({batch, edge.flip(dim)}, dim);
}

}  // namespace

Padding parse_padding(std::string_view name) {
  if (name == "authors") return Padding::authors;
  if (name == "spandrel") return Padding::spandrel;
  throw std::invalid_argument(fmt::format("unknown padding '{}': expected authors or spandrel", name));
}

std::string to_string(Padding padding) {
  return padding == Padding::authors ? "authors" : "spandrel";
}

std::int64_t padded_side(std::int64_t side, const PaddingRule& rule) {
  const std::int64_t least = std::max<std::int64_t>(side, rule.minimum_size), multiple = rule.size_multiple;
  return (least + multiple - 1) / multiple * multiple + rule.mirrored;
}

at::Tensor padded(const at::Tensor& batch, const PaddingRule& rule) {
  at::Tensor result = batch;
  for (const std::int64_t dim : {2, 3}) {
    const std::int64_t side = batch.size(dim);
    const std::int64_t added = padded_side(side, rule) - rule.mirrored - side;
    result = mirrored(reflected(result, dim, added), dim, rule.mirrored);
  }
  return result;
}

}  // namespace upbench
