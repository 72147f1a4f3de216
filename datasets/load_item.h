#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "datasets/codec/raster.h"
#include "datasets/image_set.h"
#include "datasets/item_identity.h"

namespace upbench {

struct LoadedItem {
  Image input;                     // what the pipeline gets, CPU
  std::optional<Image> reference;  // cut to input x scale at the top left; CPU
};

// Decodes (or renders) one item, cuts the reference, makes LR from the cut HR where the spec asks for it
// (rounded to 8 bit, as a saved file would be). Throws std::runtime_error naming the file when it vanished or
// changed since identify().
LoadedItem load_item(const ImageSetSpec& spec, const ImageItem& item, const ItemIdentity& expected);

// The steps of it. The reference as it lies in its file (or is drawn), before it is cut:
Raster read_reference(const ImageSetSpec& spec, const ImageItem& item, const ItemBytes& bytes);
// The top left part, in pixels:
Image cut_picture(const Image& image, int width, int height);
// The input that the spec makes from a cut reference:
Image make_input(const ImageSetSpec& spec, const Image& reference, const ItemIdentity& identity);

}  // namespace upbench
