#include "datasets/degradation/compress.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
// jpeglib.h needs size_t and FILE before it
#include <jpeglib.h>
#include <webp/encode.h>

#include "datasets/codec/decode.h"

namespace upbench {
namespace {

void require(const Raster& raster, const char* format, int largest_side) {
  if (raster.channels != 3 || raster.bit_depth != 8)
    throw std::invalid_argument(fmt::format("{}: expected an 8-bit RGB raster", format));
  if (std::max(raster.width, raster.height) > largest_side) {
    throw std::runtime_error(fmt::format("{} of {}x{}: the format holds sides of up to {} pixels", format,
                                         raster.width, raster.height, largest_side));
  }
}

// libjpeg reports errors by a callback that must not return; it is C, so the way out is longjmp, not an
// exception.
struct Writer {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf way_out{};
  char message[JMSG_LENGTH_MAX]{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;

  Writer() {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr common) {
      auto& writer = *static_cast<Writer*>(common->client_data);
      common->err->format_message(common, writer.message);
      std::longjmp(writer.way_out, 1);
    };
  }
  ~Writer() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

// Whatever was encoded here may be decoded here.
Raster decoded(const std::vector<std::uint8_t>& bytes, const char* format) {
  return decode(bytes, format, kNoDecodeLimits);
}

}  // namespace

std::vector<std::uint8_t> encode_lossy_jpeg(const Raster& raster, int quality) {
  require(raster, "JPEG", JPEG_MAX_DIMENSION);
  Writer writer;
  // Nothing with a destructor may live below: a longjmp would skip it.
  if (setjmp(writer.way_out) != 0) throw std::runtime_error(fmt::format("JPEG: {}", writer.message));
  jpeg_create_compress(&writer.info);
  jpeg_mem_dest(&writer.info, &writer.bytes, &writer.size);
  writer.info.image_width = static_cast<JDIMENSION>(raster.width);
  writer.info.image_height = static_cast<JDIMENSION>(raster.height);
  writer.info.input_components = 3;
  writer.info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&writer.info);
  jpeg_set_quality(&writer.info, quality, TRUE);
  jpeg_start_compress(&writer.info, TRUE);
  while (writer.info.next_scanline < writer.info.image_height) {
    JSAMPROW row =
        const_cast<std::uint8_t*>(raster.samples.data()) + writer.info.next_scanline * raster.row_bytes();
    jpeg_write_scanlines(&writer.info, &row, 1);
  }
  jpeg_finish_compress(&writer.info);
  return {writer.bytes, writer.bytes + writer.size};
}

std::vector<std::uint8_t> encode_lossy_webp(const Raster& raster, int quality) {
  require(raster, "WebP", WEBP_MAX_DIMENSION);
  std::uint8_t* bytes = nullptr;
  const std::size_t size =
      WebPEncodeRGB(raster.samples.data(), raster.width, raster.height, static_cast<int>(raster.row_bytes()),
                    static_cast<float>(quality), &bytes);
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owner(bytes, WebPFree);
  if (size == 0) throw std::runtime_error("WebP: the library could not encode the picture");
  return {bytes, bytes + size};
}

Raster through_jpeg(const Raster& raster, int quality) {
  return decoded(encode_lossy_jpeg(raster, quality), "JPEG");
}

Raster through_webp(const Raster& raster, int quality) {
  return decoded(encode_lossy_webp(raster, quality), "WebP");
}

}  // namespace upbench
