#include <algorithm>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <spng.h>

#include "datasets/codec/formats.h"
#include "datasets/codec/orientation.h"
#include "datasets/codec/png_structure.h"

namespace upbench {
namespace {

using Decoder = std::unique_ptr<spng_ctx, void (*)(spng_ctx*)>;

// What one chunk may grow to when it is inflated (zTXt, iCCP), and all kept chunks together.
constexpr std::size_t kChunkLimit = std::size_t{64} << 20;

void check(int error, Bytes file) {
  if (error == SPNG_OK) return;
  throw std::runtime_error(fmt::format("PNG of {} bytes is corrupt: {}", file.size(), spng_strerror(error)));
}

// Before orientation.
RasterHeader described(const PngStructure& png) {
  const bool grey = png.colour_type == 0 || png.colour_type == 4;
  const bool alpha = png.colour_type == 4 || png.colour_type == 6 || png.has_transparency;
  RasterHeader header{.format = "png",
                      .width = png.width,
                      .height = png.height,
                      .channels = (grey ? 1 : 3) + (alpha ? 1 : 0),
                      .bit_depth = png.bit_depth == 16 ? 16 : 8,
                      .notes = png.notes};
  if (png.colour_type == 3) header.notes.push_back("palette expanded");
  if (grey && png.bit_depth < 8)
    header.notes.push_back(fmt::format("{}-bit grey scaled to 8 bit", png.bit_depth));
  if (png.has_transparency) header.notes.push_back("tRNS transparency expanded to alpha");
  if (grey) header.notes.push_back("grey");
  if (alpha) header.notes.push_back("alpha ignored");
  return header;
}

// The library's name of the layout that `described` promises; 16 bit comes in the machine's byte order.
spng_format layout(const RasterHeader& header) {
  if (header.channels == 4) return header.bit_depth == 16 ? SPNG_FMT_RGBA16 : SPNG_FMT_RGBA8;
  if (header.channels == 2) return header.bit_depth == 16 ? SPNG_FMT_GA16 : SPNG_FMT_GA8;
  if (header.bit_depth == 16) return SPNG_FMT_PNG;
  return header.channels == 3 ? SPNG_FMT_RGB8 : SPNG_FMT_G8;
}

}  // namespace

RasterHeader read_png_header(Bytes file) {
  const PngStructure png = read_png_structure(file);
  RasterHeader header = described(png);
  if (!png.exif.empty()) apply_orientation(header, read_orientation(png.exif, header.notes));
  return header;
}

Raster decode_png(Bytes file) {
  const PngStructure png = read_png_structure(file);
  const RasterHeader header = described(png);
  Raster raster{.width = png.width,
                .height = png.height,
                .channels = header.channels,
                .bit_depth = header.bit_depth,
                .notes = header.notes};

  const Decoder decoder(spng_ctx_new(0), spng_ctx_free);
  if (!decoder) throw std::bad_alloc();
  check(spng_set_crc_action(decoder.get(), SPNG_CRC_ERROR, SPNG_CRC_ERROR), file);
  check(spng_set_chunk_limits(decoder.get(), std::max(kChunkLimit, file.size()), kChunkLimit), file);
  check(spng_set_png_buffer(decoder.get(), file.data(), file.size()), file);

  const spng_format format = layout(header);
  const int flags = png.has_transparency ? SPNG_DECODE_TRNS : 0;
  std::size_t size = 0;
  check(spng_decoded_image_size(decoder.get(), format, &size), file);
  if (size != raster.row_bytes() * static_cast<std::size_t>(raster.height)) {
    throw std::runtime_error("PNG cannot be decoded to the layout its header describes");
  }
  raster.samples.resize(size);
  check(spng_decode_image(decoder.get(), raster.samples.data(), size, format, flags), file);
  check(spng_decode_chunks(decoder.get()), file);  // what follows the picture, up to IEND

  if (!png.exif.empty()) apply_orientation(raster, read_orientation(png.exif, raster.notes));
  return raster;
}

}  // namespace upbench
