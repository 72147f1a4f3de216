#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/procedural.h"

namespace upbench {
namespace {

void require(const ProceduralPicture& picture) {
  const auto& classes = procedural_classes();
  if (std::find(classes.begin(), classes.end(), picture.cls) == classes.end()) {
    throw std::invalid_argument(fmt::format("unknown class of procedural pictures '{}'; known: {}",
                                            picture.cls, fmt::join(classes, ", ")));
  }
  if (picture.size < kSmallestProcedural || picture.size > kLargestProcedural) {
    throw std::invalid_argument(fmt::format("procedural picture of {} px a side: expected {} to {}",
                                            picture.size, kSmallestProcedural, kLargestProcedural));
  }
}

}  // namespace

const std::vector<std::string>& procedural_classes() {
  static const std::vector<std::string> classes{
      "dead-leaves", "text", "line-art", "smooth-shading", "periodic-texture", "natural-field"};
  return classes;
}

Digest procedural_identity(const ProceduralPicture& picture) {
  require(picture);
  return Hasher()
      .add_field("upbench procedural picture")
      .add_field(std::uint64_t{kProceduralVersion})
      .add_field(picture.cls)
      .add_field(static_cast<std::uint64_t>(picture.size))
      .add_field(picture.seed)
      .add_field(picture.index)
      .finish();
}

std::string procedural_name(const ProceduralPicture& picture) {
  require(picture);
  return fmt::format("{}-{:03}", picture.cls, picture.index);
}

}  // namespace upbench
