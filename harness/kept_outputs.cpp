#include "harness/kept_outputs.h"

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "datasets/image.h"
#include "harness/store/kept_names.h"

namespace upbench {
namespace {

// Of either form of a loaded picture.
Raster raster_of(const at::Tensor& picture) {
  if (picture.scalar_type() != at::kByte) return to_raster(picture);
  const at::Tensor bytes = picture.contiguous();
  const auto* first = bytes.const_data_ptr<std::uint8_t>();
  return {.width = static_cast<int>(bytes.size(1)),
          .height = static_cast<int>(bytes.size(0)),
          .samples = {first, first + bytes.numel()}};
}

}  // namespace

Digest pixel_digest(const Raster& raster) {
  return Hasher().add(raster.samples.data(), raster.samples.size()).finish();
}

std::string KeptOutputs::keep(const Raster& raster, const Digest& pixels) const {
  const std::string name = kept_output_name(pixels);
  if (!std::filesystem::exists(folder_ / name)) write(name, raster);
  return name;
}

void KeptOutputs::keep_item(const Digest& key, const LoadedItem& item) const {
  const auto keep_picture = [&](const std::string& name, const at::Tensor& picture) {
    if (!std::filesystem::exists(folder_ / name)) write(name, raster_of(picture));
  };
  if (item.input.defined()) keep_picture(kept_input_name(key), item.input);
  if (item.reference) keep_picture(kept_reference_name(key), *item.reference);
}

void KeptOutputs::write(const std::string& name, const Raster& raster) const {
  const std::filesystem::path file = folder_ / name;
  std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, encode_png(raster, {.level = 1, .text = {}}), read_back_check(verify_, raster));
}

std::optional<Image> KeptOutputs::load(const std::string& name, const Digest& pixels) const {
  try {
    const Raster raster = decode_file(folder_ / name, kNoDecodeLimits);
    return pixel_digest(raster) == pixels ? std::optional<Image>(to_image(raster)) : std::nullopt;
  } catch (const std::runtime_error&) {
    return std::nullopt;  // gone or damaged: the caller makes it again
  }
}

}  // namespace upbench
