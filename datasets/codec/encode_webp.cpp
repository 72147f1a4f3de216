#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <webp/encode.h>

#include "datasets/codec/encode.h"

namespace upbench {
namespace {

void require_encodable(const Raster& raster, const WebpOptions& options) {
  const bool fits = raster.width > 0 && raster.height > 0 && raster.width <= WEBP_MAX_DIMENSION &&
                    raster.height <= WEBP_MAX_DIMENSION && (raster.channels == 3 || raster.channels == 4) &&
                    raster.bit_depth == 8 &&
                    raster.samples.size() == raster.row_bytes() * static_cast<std::size_t>(raster.height);
  if (!fits) {
    throw std::invalid_argument(
        fmt::format("WebP of {}x{}, {} channels of {} bit, {} bytes: expected RGB or RGBA of 8 bit, at most "
                    "{} pixels a side",
                    raster.width, raster.height, raster.channels, raster.bit_depth, raster.samples.size(),
                    WEBP_MAX_DIMENSION));
  }
  if (options.effort < 0 || options.effort > 9)
    throw std::invalid_argument(fmt::format("WebP effort {}: expected 0 to 9", options.effort));
}

struct Picture {
  WebPPicture value{};
  Picture() {
    if (!WebPPictureInit(&value)) throw std::runtime_error("libwebp is not the one this was built with");
  }
  ~Picture() { WebPPictureFree(&value); }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;
};

int append(const std::uint8_t* data, std::size_t size, const WebPPicture* picture) {
  auto& bytes = *static_cast<std::vector<std::uint8_t>*>(picture->custom_ptr);
  bytes.insert(bytes.end(), data, data + size);
  return 1;
}

}  // namespace

std::vector<std::uint8_t> encode_webp(const Raster& raster, const WebpOptions& options) {
  require_encodable(raster, options);
  WebPConfig config;
  Picture picture;
  if (!WebPConfigInit(&config) || !WebPConfigLosslessPreset(&config, options.effort))
    throw std::runtime_error("libwebp is not the one this was built with");
  config.exact = 1;
  std::vector<std::uint8_t> bytes;
  picture.value.use_argb = 1;
  picture.value.width = raster.width;
  picture.value.height = raster.height;
  picture.value.writer = append;
  picture.value.custom_ptr = &bytes;
  const auto import = raster.channels == 4 ? WebPPictureImportRGBA : WebPPictureImportRGB;
  if (!import(&picture.value, raster.samples.data(), static_cast<int>(raster.row_bytes())) ||
      !WebPEncode(&config, &picture.value)) {
    throw std::runtime_error(
        fmt::format("WebP encoding failed: error {} of libwebp", static_cast<int>(picture.value.error_code)));
  }
  return bytes;
}

}  // namespace upbench
