#include "harness/store/kept_names.h"

namespace upbench {

std::string kept_output_name(const Digest& pixels) {
  const std::string hex = pixels.hex();
  return hex.substr(0, 2) + "/" + hex + ".png";
}

std::string kept_input_name(const Digest& image) {
  return "pictures/" + image.hex() + "-input.png";
}

std::string kept_reference_name(const Digest& image) {
  return "pictures/" + image.hex() + "-reference.png";
}

}  // namespace upbench
