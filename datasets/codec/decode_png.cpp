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
  if (error == SPNG_ECHUNK_LIMITS) {
    throw std::runtime_error(fmt::format(
        "PNG of {} bytes has a chunk that inflates beyond the limit of {} bytes", file.size(), kChunkLimit));
  }
  throw std::runtime_error(fmt::format("PNG of {} bytes is corrupt: {}", file.size(), spng_strerror(error)));
}

RasterHeader header_of(const PngStructure& png) {
  const bool grey = png.colour_type == 0 || png.colour_type == 4;
  const bool alpha = png.colour_type == 4 || png.colour_type == 6 || png.has_transparency;
  RasterHeader header{.width = png.width,
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

// The library's name of the layout that `header_of` promises. 16 bit comes in the machine's byte order.
spng_format layout(const PngStructure& png) {
  const bool grey = png.colour_type == 0, deep = png.bit_depth == 16;
  if (png.has_transparency && grey) return deep ? SPNG_FMT_GA16 : SPNG_FMT_GA8;
  if (png.has_transparency) return deep ? SPNG_FMT_RGBA16 : SPNG_FMT_RGBA8;
  return png.bit_depth < 8 ? SPNG_FMT_G8 : SPNG_FMT_PNG;
}

std::vector<std::uint8_t> decoded(const Decoder& decoder, Bytes file, spng_format format, int flags) {
  std::size_t size = 0;
  check(spng_decoded_image_size(decoder.get(), format, &size), file);
  std::vector<std::uint8_t> samples(size);
  check(spng_decode_image(decoder.get(), samples.data(), size, format, flags), file);
  return samples;
}

// The library takes an index beyond the palette for black; here the file is corrupt.
std::vector<std::uint8_t> expanded(const Decoder& decoder, Bytes file, const PngStructure& png,
                                   int channels) {
  spng_plte palette{};
  check(spng_get_plte(decoder.get(), &palette), file);
  spng_trns transparency{};
  if (png.has_transparency && spng_get_trns(decoder.get(), &transparency) != SPNG_OK)
    throw std::runtime_error(
        "PNG is corrupt: its tRNS chunk has more entries than its palette, or stands before it");
  const auto width = static_cast<std::size_t>(png.width), height = static_cast<std::size_t>(png.height);
  const auto depth = static_cast<std::size_t>(png.bit_depth);
  const auto packed =
      decoded(decoder, file, SPNG_FMT_PNG, 0);  // rows of whole bytes, the first pixel in the high bits
  const std::size_t row_bytes = (width * depth + 7) / 8;

  std::vector<std::uint8_t> samples(width * height * static_cast<std::size_t>(channels));
  std::uint8_t* out = samples.data();
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x, out += channels) {
      const std::uint8_t byte = packed[y * row_bytes + x * depth / 8];
      const std::uint32_t index = byte >> (8 - depth - x * depth % 8) & ((1U << depth) - 1);
      if (index >= palette.n_entries) {
        throw std::runtime_error(fmt::format("PNG is corrupt: a pixel names colour {}, its palette has {}",
                                             index, palette.n_entries));
      }
      const spng_plte_entry& colour = palette.entries[index];
      out[0] = colour.red;
      out[1] = colour.green;
      out[2] = colour.blue;
      if (channels == 4)
        out[3] = index < transparency.n_type3_entries ? transparency.type3_alpha[index] : 255;
    }
  }
  return samples;
}

Decoder opened(Bytes file) {
  Decoder decoder(spng_ctx_new(0), spng_ctx_free);
  if (!decoder) throw std::bad_alloc();
  check(spng_set_crc_action(decoder.get(), SPNG_CRC_ERROR, SPNG_CRC_ERROR), file);
  check(spng_set_chunk_limits(decoder.get(), std::max(kChunkLimit, file.size()), kChunkLimit), file);
  check(spng_set_png_buffer(decoder.get(), file.data(), file.size()), file);
  return decoder;
}

// Empty where the library leaves the chunk out: its checksum holds, but what it compresses cannot be read.
std::vector<std::uint8_t> profile_of(Bytes file, std::vector<std::string>& notes) {
  const Decoder decoder = opened(file);
  spng_iccp profile{};  // belongs to the decoder
  if (const int error = spng_get_iccp(decoder.get(), &profile); error == SPNG_ECHUNKAVAIL) {
    notes.push_back("icc_ignored: the iCCP chunk is broken or comes after the picture");
    return {};
  } else {
    check(error, file);
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(profile.profile);
  return {bytes, bytes + profile.profile_len};
}

}  // namespace

Described describe_png(Bytes file) {
  const PngStructure png = read_png_structure(file);
  Described described{.header = header_of(png)};
  if (png.colour_type == 0 || png.colour_type == 4) described.space = SampleSpace::grey;
  if (png.has_profile) described.profile = profile_of(file, described.header.notes);
  if (!png.exif.empty()) described.orientation = read_orientation(png.exif, described.header.notes);
  return described;
}

std::vector<std::uint8_t> png_samples(Bytes file, Described& described) {
  const PngStructure png = read_png_structure(file);
  const Decoder decoder = opened(file);
  const int channels = described.header.channels;
  std::vector<std::uint8_t> samples =
      png.colour_type == 3 ? expanded(decoder, file, png, channels)
                           : decoded(decoder, file, layout(png), png.has_transparency ? SPNG_DECODE_TRNS : 0);
  const std::size_t pixels = static_cast<std::size_t>(png.width) * static_cast<std::size_t>(png.height);
  if (samples.size() != pixels * static_cast<std::size_t>(channels * described.header.bit_depth / 8)) {
    throw std::runtime_error("PNG cannot be decoded to the layout that its header describes");
  }
  check(spng_decode_chunks(decoder.get()), file);  // what follows the picture, up to IEND
  return samples;
}

}  // namespace upbench
