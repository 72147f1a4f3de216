#include "datasets/load_item.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "datasets/procedural.h"
#include "datasets/resample.h"

namespace upbench {
namespace {

void require_unchanged(const ImageItem& item, const ItemIdentity& now, const ItemIdentity& expected) {
  const auto refuse = [](const std::filesystem::path& file) {
    throw std::runtime_error(
        fmt::format("{}: changed since the sweep was planned; plan again", file.string()));
  };
  if (now.reference != expected.reference && !item.hr.empty()) refuse(item.hr);
  if (now.input != expected.input) refuse(item.lr.empty() ? item.hr : item.lr);
}

}  // namespace

Raster read_reference(const ImageSetSpec& spec, const ImageItem& item, const ItemBytes& bytes) {
  if (spec.procedural) return render_procedural(procedural_picture(spec, item.procedural_index));
  return decode(bytes.hr, item.hr.string(), limited_to(spec.max_megapixels));
}

Image cut_picture(const Image& image, int width, int height) {
  return image.narrow(1, 0, height).narrow(2, 0, width).contiguous();
}

Image make_input(const ImageSetSpec& spec, const Image& reference, const ItemIdentity& identity) {
  return quantized(resample(reference, identity.input_height, identity.input_width,
                            low_resolution(spec).kernel, /*as_uint8=*/true));
}

LoadedItem load_item(const ImageSetSpec& spec, const ImageItem& item, const ItemIdentity& expected) {
  if (!item.problem.empty()) throw std::runtime_error(item.problem);
  const ItemBytes bytes = read_item(item);
  const ItemIdentity identity = identify_bytes(spec, item, bytes);
  require_unchanged(item, identity, expected);

  LoadedItem loaded;
  if (!identity.reference.is_zero()) {
    loaded.reference = cut_picture(to_image(read_reference(spec, item, bytes)), identity.reference_width,
                                   identity.reference_height);
  }
  if (!item.lr.empty()) {
    loaded.input = to_image(decode(bytes.lr, item.lr.string(), limited_to(spec.max_megapixels)));
  } else {
    loaded.input = make_input(spec, *loaded.reference, identity);
  }
  return loaded;
}

}  // namespace upbench
