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

// How pictures are held: as images, or those of 8 bit as u8 [H, W, 3], a quarter of the bytes, for
// image_of_bytes() (datasets/device/pixels.h) to make the same image of.
enum class PictureForm { image, compact };

// Decodes (or renders) one item, cuts the reference, makes LR from the cut HR where the spec asks for it
// (rounded to 8 bit, as a saved file would be). Throws std::runtime_error naming the file when it vanished or
// changed since identify().
LoadedItem load_item(const ImageSetSpec& spec, const ImageItem& item, const ItemIdentity& expected,
                     PictureForm form = PictureForm::image);

// The steps of it. The reference as it lies in its file (or is drawn), before it is cut:
Raster read_reference(const ImageSetSpec& spec, const ImageItem& item, const ItemBytes& bytes);
// The top left part, in pixels; of either form:
Image cut_picture(const Image& image, int width, int height);
// A decoded picture in its compact form; with 16 bit that is the image.
at::Tensor compact_picture(Raster raster);
// The input that the spec makes from a cut reference:
Image make_input(const ImageSetSpec& spec, const Image& reference, const ItemIdentity& identity);

}  // namespace upbench
