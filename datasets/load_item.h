#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "datasets/image_set.h"

namespace upbench {

struct LoadedItem {
  Image input;                     // what the pipeline gets, CPU
  std::optional<Image> reference;  // cut to input x scale at the top left; CPU
};

// Decodes (or renders) one item, cuts the reference, makes LR from the cut HR where the spec asks for it
// (rounded to 8 bit, as a saved file would be). Throws std::runtime_error naming the file when it vanished or
// changed since identify().
LoadedItem load_item(const ImageSetSpec& spec, const ImageItem& item, const ItemIdentity& expected);

}  // namespace upbench
