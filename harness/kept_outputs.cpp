#include "harness/kept_outputs.h"

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "datasets/image.h"

namespace upbench {

Digest pixel_digest(const Raster& raster) {
  return Hasher().add(raster.samples.data(), raster.samples.size()).finish();
}

std::string KeptOutputs::keep(const Raster& raster, const Digest& pixels) const {
  const std::string hex = pixels.hex();
  const std::string name = hex.substr(0, 2) + "/" + hex + ".png";
  const std::filesystem::path file = folder_ / name;
  if (!std::filesystem::exists(file)) {
    std::filesystem::create_directories(file.parent_path());
    write_file_atomically(file, encode_png(raster, {.level = 1, .text = {}}));
  }
  return name;
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
