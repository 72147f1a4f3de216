#include <cstdlib>
#include <cstring>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/codec/formats.h"

namespace upbench {
namespace {

constexpr std::size_t kFileHeader = 14,
                      kInfoHeader = 40;  // BITMAPFILEHEADER, BITMAPINFOHEADER; later versions are longer

struct Bmp {
  int width = 0, height = 0;
  bool bottom_up = true;
  int bits = 24;
  std::size_t pixels_at = 0;
  Bytes palette;  // blue, green, red, 0

  // Rows are padded to four bytes.
  std::size_t stored_row() const {
    return (static_cast<std::size_t>(width) * static_cast<std::size_t>(bits) + 31) / 32 * 4;
  }
};

Bytes read_palette(Bytes file, std::size_t info_size) {
  const std::size_t used = little_endian_32(file, kFileHeader + 32), entries = used == 0 ? 256 : used;
  const std::size_t at = kFileHeader + info_size;
  if (entries > 256 || at > file.size() || entries * 4 > file.size() - at) {
    throw std::runtime_error(fmt::format("BMP palette of {} colours does not fit into the file", entries));
  }
  return file.subspan(at, entries * 4);
}

// Everything is checked here: sizes, and that all rows lie inside the file.
Bmp read_structure(Bytes file) {
  if (file.size() < kFileHeader + kInfoHeader) {
    throw std::runtime_error(fmt::format("BMP truncated at byte {}: the headers end early", file.size()));
  }
  const std::size_t info_size = little_endian_32(file, kFileHeader);
  if (info_size < kInfoHeader)
    throw std::runtime_error(fmt::format("BMP with a header of {} bytes is not supported", info_size));
  Bmp bmp;
  const auto width = static_cast<std::int32_t>(little_endian_32(file, kFileHeader + 4));
  const auto height = static_cast<std::int32_t>(little_endian_32(file, kFileHeader + 8));
  if (width <= 0 || height == 0 || height == std::numeric_limits<std::int32_t>::min()) {
    throw std::runtime_error(fmt::format("BMP header says {}x{} pixels", width, height));
  }
  bmp.width = width;
  bmp.height = std::abs(height);
  bmp.bottom_up = height > 0;
  bmp.bits = static_cast<int>(little_endian_16(file, kFileHeader + 14));
  bmp.pixels_at = little_endian_32(file, 10);
  const std::uint32_t compression = little_endian_32(file, kFileHeader + 16);
  if (compression != 0 || (bmp.bits != 8 && bmp.bits != 24 && bmp.bits != 32)) {
    throw std::runtime_error(
        fmt::format("BMP with {} bits a pixel and compression {} is not supported; expected 8, 24 or 32 "
                    "bits, uncompressed",
                    bmp.bits, compression));
  }
  if (bmp.bits == 8) bmp.palette = read_palette(file, info_size);
  return bmp;
}

void require_all_rows(Bytes file, const Bmp& bmp) {
  const std::size_t needed =
      bmp.stored_row() * static_cast<std::size_t>(bmp.height);  // below 2^33 * 2^31: no overflow
  if (bmp.pixels_at <= file.size() && needed <= file.size() - bmp.pixels_at) return;
  throw std::runtime_error(fmt::format("BMP truncated at byte {}: {} bytes of pixels expected from byte {}",
                                       file.size(), needed, bmp.pixels_at));
}

void copy_row(const std::uint8_t* stored, const Bmp& bmp, std::uint8_t* out) {
  const int step = bmp.bits / 8;
  for (int x = 0; x < bmp.width; ++x, stored += step, out += 3) {
    const std::uint8_t* blue = stored;
    if (bmp.bits == 8) {
      if (std::size_t{4} * *stored >= bmp.palette.size()) {
        throw std::runtime_error(
            fmt::format("BMP pixel names colour {}, its palette has {}", *stored, bmp.palette.size() / 4));
      }
      blue = bmp.palette.data() + std::size_t{4} * *stored;
    }
    out[0] = blue[2];
    out[1] = blue[1];
    out[2] = blue[0];
  }
}

}  // namespace

Described describe_bmp(Bytes file) {
  const Bmp bmp = read_structure(file);
  Described described{.header = {.width = bmp.width, .height = bmp.height, .channels = 3, .bit_depth = 8}};
  if (bmp.bits == 8) described.header.notes.push_back("palette expanded");
  return described;
}

std::vector<std::uint8_t> bmp_samples(Bytes file, Described&) {
  const Bmp bmp = read_structure(file);
  require_all_rows(file, bmp);
  const std::size_t row = static_cast<std::size_t>(bmp.width) * 3;
  std::vector<std::uint8_t> samples(row * static_cast<std::size_t>(bmp.height));
  for (int y = 0; y < bmp.height; ++y) {
    const auto stored = static_cast<std::size_t>(bmp.bottom_up ? bmp.height - 1 - y : y);
    copy_row(file.data() + bmp.pixels_at + stored * bmp.stored_row(), bmp,
             samples.data() + static_cast<std::size_t>(y) * row);
  }
  return samples;
}

}  // namespace upbench
