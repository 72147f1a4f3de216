#include "datasets/load_item.h"

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/codec/decode.h"
#include "datasets/device/pixels.h"
#include "datasets/image.h"
#include "datasets/procedural.h"
#include "datasets/resample.h"

namespace upbench {
namespace {

void require_unchanged(const ImageItem& item, const ItemIdentity& now, const ItemIdentity& expected) {
  const auto refuse = [](const std::filesystem::path& file) {
    throw std::runtime_error(
        fmt::format("{}: changed since the sweep was planned, plan again", file.string()));
  };
  if (now.reference != expected.reference && !item.hr.empty()) refuse(item.hr);
  if (now.input != expected.input) refuse(item.lr.empty() ? item.hr : item.lr);
}

bool is_gone(const std::filesystem::path& file) {
  std::error_code error;
  return !file.empty() && !std::filesystem::exists(file, error) && !error;
}

// What was there when the sweep was planned.
ItemBytes read_again(const ImageItem& item) {
  try {
    return read_item(item);
  } catch (const std::runtime_error& error) {
    if (!is_gone(item.lr) && !is_gone(item.hr)) throw;
    throw std::runtime_error(fmt::format("{}; vanished since the sweep was planned", error.what()));
  }
}

// What was sound when the sweep was planned.
ItemIdentity identify_again(const ImageSetSpec& spec, const ImageItem& item, const ItemBytes& bytes) {
  try {
    return identify_bytes(spec, item, bytes);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(
        fmt::format("{}; changed since the sweep was planned, plan again", error.what()));
  }
}

bool is_compact(const at::Tensor& picture) {
  return picture.scalar_type() == at::kByte;
}

}  // namespace

Raster read_reference(const ImageSetSpec& spec, const ImageItem& item, const ItemBytes& bytes) {
  if (spec.procedural) return render_procedural(procedural_picture(spec, item.procedural_index));
  return decode(bytes.hr, item.hr.string(), decode_limits(spec));
}

Image cut_picture(const Image& image, int width, int height) {
  const std::int64_t rows = is_compact(image) ? 0 : 1;
  return image.narrow(rows, 0, height).narrow(rows + 1, 0, width).contiguous();
}

Image make_input(const ImageSetSpec& spec, const Image& reference, const ItemIdentity& identity) {
  return quantized(resample(reference, identity.input_height, identity.input_width,
                            low_resolution(spec).kernel, /*as_uint8=*/true));
}

at::Tensor compact_picture(Raster raster) {
  if (raster.bit_depth != 8) return to_image(raster);
  const std::int64_t height = raster.height, width = raster.width, channels = raster.channels;
  auto samples = std::make_shared<std::vector<std::uint8_t>>(std::move(raster.samples));
  at::Tensor bytes =
      at::from_blob(samples->data(), {height, width, channels}, [samples](void*) {}, at::kByte);
  if (channels == 3) return bytes;
  return channels < 3 ? bytes.narrow(2, 0, 1).expand({height, width, 3}).contiguous()
                      : bytes.narrow(2, 0, 3).contiguous();
}

LoadedItem load_item(const ImageSetSpec& spec, const ImageItem& item, const ItemIdentity& expected,
                     PictureForm form) {
  if (!item.problem.empty()) throw std::runtime_error(item.problem);
  const ItemBytes bytes = read_again(item);
  const ItemIdentity identity = identify_again(spec, item, bytes);
  require_unchanged(item, identity, expected);
  const auto picture = [&](Raster raster) {
    return form == PictureForm::compact ? compact_picture(std::move(raster)) : to_image(raster);
  };

  LoadedItem loaded;
  if (item.prompt) {
    loaded.input = at::zeros({3, 1, 1});  // the stage that generates leaves it out
    return loaded;
  }
  if (!identity.reference.is_zero()) {
    const at::Tensor whole = picture(read_reference(spec, item, bytes));
    loaded.reference = cut_picture(whole, identity.reference_width, identity.reference_height);
  }
  if (!item.lr.empty()) {
    loaded.input = picture(decode(bytes.lr, item.lr.string(), decode_limits(spec)));
  } else if (!is_compact(*loaded.reference)) {
    loaded.input = make_input(spec, *loaded.reference, identity);
  } else {
    loaded.input = bytes_of_image(make_input(spec, image_of_bytes(*loaded.reference), identity));
  }
  return loaded;
}

}  // namespace upbench
