#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/codec/formats.h"

namespace upbench {
namespace {

// BITMAPFILEHEADER; the size of the header after it; BITMAPCOREHEADER, of OS/2's first version, with sides of
// 16 bits and colours of three bytes; BITMAPINFOHEADER, and what it is followed by or, in later versions,
// holds: the masks of colours.
constexpr std::size_t kFileHeader = 14, kSizeField = 4, kCoreHeader = 12, kInfoHeader = 40,
                      kMasksAt = kFileHeader + kInfoHeader;
constexpr std::uint32_t kPlain = 0, kRunLength8 = 1, kRunLength4 = 2, kMasks = 3, kJpeg = 4, kPng = 5,
                        kMasksWithAlpha = 6;

// Where a colour lies in a pixel of 16 or 32 bits.
struct Field {
  int shift = 0;
  std::uint32_t most = 0;  // full intensity; 0: there is none

  std::uint8_t level(std::uint32_t pixel) const {
    return static_cast<std::uint8_t>(((pixel >> shift & most) * 255 + most / 2) / most);
  }
};

struct Bmp {
  int width = 0, height = 0;
  bool bottom_up = true;
  int bits = 24;
  std::size_t pixels_at = 0;
  std::size_t entry = 4;         // bytes of a colour in the palette
  Bytes palette;                 // blue, green, red and, of four bytes, 0; up to 8 bits
  std::array<Field, 3> colours;  // red, green, blue; 16 and 32 bits
  bool has_alpha = false;

  // Rows are padded to four bytes.
  std::size_t stored_row() const {
    return (static_cast<std::size_t>(width) * static_cast<std::size_t>(bits) + 31) / 32 * 4;
  }
  // Below 2^33 * 2^31: no overflow.
  std::size_t stored_bytes() const { return stored_row() * static_cast<std::size_t>(height); }
};

Field field_of(std::uint32_t mask, int bits) {
  const int shift = std::countr_zero(mask);
  const std::uint32_t most = mask == 0 ? 0 : mask >> shift;
  const bool one_run = (most & (most + 1)) == 0;
  if (mask == 0 || !one_run || most > 255 || (bits == 16 && mask > 0xFFFF))
    throw std::runtime_error(
        fmt::format("BMP with the mask {:08x} for a colour of {}-bit pixels is not supported; expected 1 to "
                    "8 adjacent bits",
                    mask, bits));
  return {shift, most};
}

void read_palette(Bytes file, std::size_t at, Bmp& bmp) {
  const std::size_t most = std::size_t{1} << bmp.bits;
  std::size_t entries = most;
  if (bmp.entry == 3) {  // nothing says how many there are: all, or as many as fit before the pixels
    entries = std::min(most, (std::max(bmp.pixels_at, at) - at) / bmp.entry);
  } else if (const std::size_t used = little_endian_32(file, kFileHeader + 32); used != 0) {
    entries = used;
  }
  if (entries > most || at > file.size() || entries * bmp.entry > file.size() - at)
    throw std::runtime_error(
        fmt::format("BMP palette of {} colours does not fit into the file: expected at most {}, in {} bytes",
                    entries, most, file.size()));
  bmp.palette = file.subspan(at, entries * bmp.entry);
}

// The masks of the file, or those of 5 (16 bit) or 8 bits a colour that plain pixels have. Gives where what
// follows them begins.
std::size_t read_colours(Bytes file, std::uint32_t compression, std::size_t info_size, Bmp& bmp) {
  const std::size_t end = kFileHeader + info_size;
  if (compression == kPlain) {
    const int deep = bmp.bits == 16 ? 5 : 8;
    const std::uint32_t most = (1u << deep) - 1;
    bmp.colours = {Field{2 * deep, most}, Field{deep, most}, Field{0, most}};
    return end;
  }
  const bool inside = info_size > kInfoHeader;
  const std::size_t count = inside ? (info_size >= kInfoHeader + 16 ? 4 : 3) : compression == kMasks ? 3 : 4;
  const std::size_t masks_end = kMasksAt + 4 * count;
  if (file.size() < std::max(end, masks_end))
    throw std::runtime_error(fmt::format("BMP truncated at byte {}: the headers end early", file.size()));
  for (std::size_t i = 0; i < 3; ++i)
    bmp.colours[i] = field_of(little_endian_32(file, kMasksAt + 4 * i), bmp.bits);
  bmp.has_alpha = count == 4 && little_endian_32(file, kMasksAt + 12) != 0;
  return inside ? end : masks_end;
}

// Throws unless pixels of so many bits can be stored so.
void require_supported(std::uint32_t compression, int bits) {
  const bool plain = compression == kPlain &&
                     (bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32);
  const bool masks = (compression == kMasks || compression == kMasksWithAlpha) && (bits == 16 || bits == 32);
  if (plain || masks) return;
  const char* name = compression == kRunLength8 || compression == kRunLength4 ? " (run lengths)"
                     : compression == kJpeg                                   ? " (a JPEG inside)"
                     : compression == kPng                                    ? " (a PNG inside)"
                                                                              : "";
  throw std::runtime_error(fmt::format(
      "BMP with {} bits a pixel and compression {}{} is not supported; expected 1, 4, 8, 16, 24 or "
      "32 bits, uncompressed",
      bits, compression, name));
}

std::size_t read_info_size(Bytes file) {
  if (file.size() < kFileHeader + kSizeField)
    throw std::runtime_error(fmt::format("BMP truncated at byte {}: the headers end early", file.size()));
  const std::size_t size = little_endian_32(file, kFileHeader);
  // OS/2's first version, versions 1 to 5 as Windows has them, and OS/2's second.
  constexpr std::array<std::size_t, 7> kSizes{kCoreHeader, kInfoHeader, 52, 56, 64, 108, 124};
  if (std::ranges::find(kSizes, size) == kSizes.end())
    throw std::runtime_error(fmt::format("BMP with a header of {} bytes is not supported; expected {}", size,
                                         fmt::join(kSizes, ", ")));
  if (file.size() < kFileHeader + size)
    throw std::runtime_error(fmt::format("BMP truncated at byte {}: the headers end early", file.size()));
  return size;
}

void read_sides(Bytes file, bool core, Bmp& bmp) {
  const std::size_t at = kFileHeader + kSizeField;
  const auto width =
      static_cast<std::int32_t>(core ? little_endian_16(file, at) : little_endian_32(file, at));
  const auto height =
      static_cast<std::int32_t>(core ? little_endian_16(file, at + 2) : little_endian_32(file, at + 4));
  if (width <= 0 || height == 0 || height == std::numeric_limits<std::int32_t>::min())
    throw std::runtime_error(
        fmt::format("BMP header says {}x{} pixels: expected 1 to 2^31-1 a side", width, height));
  bmp.width = width;
  bmp.height = std::abs(height);
  bmp.bottom_up = height > 0;
}

// How pixels are stored. Gives the compression.
std::uint32_t read_depth(Bytes file, bool core, Bmp& bmp) {
  bmp.bits = static_cast<int>(little_endian_16(file, kFileHeader + (core ? 10 : 14)));
  bmp.entry = core ? 3 : 4;
  if (core && bmp.bits > 8 && bmp.bits != 24)
    throw std::runtime_error(fmt::format(
        "BMP with {} bits a pixel and a header of {} bytes is not supported; expected 1, 4, 8 or 24 bits",
        bmp.bits, kCoreHeader));
  const std::uint32_t compression = core ? kPlain : little_endian_32(file, kFileHeader + 16);
  require_supported(compression, bmp.bits);
  return compression;
}

// Everything is checked here but that all rows lie inside the file.
Bmp read_structure(Bytes file) {
  const std::size_t info_size = read_info_size(file);
  const bool core = info_size == kCoreHeader;
  Bmp bmp;
  read_sides(file, core, bmp);
  bmp.pixels_at = little_endian_32(file, 10);
  const std::uint32_t compression = read_depth(file, core, bmp);
  std::size_t end = kFileHeader + info_size;
  if (bmp.bits == 16 || bmp.bits == 32) end = read_colours(file, compression, info_size, bmp);
  if (bmp.bits <= 8) {
    read_palette(file, end, bmp);
    end += bmp.palette.size();
  }
  if (bmp.pixels_at < end)
    throw std::runtime_error(fmt::format(
        "BMP is corrupt: its pixels would begin at byte {}, its headers end at byte {}", bmp.pixels_at, end));
  return bmp;
}

void require_all_rows(Bytes file, const Bmp& bmp) {
  const std::size_t needed = bmp.stored_bytes();
  if (bmp.pixels_at <= file.size() && needed <= file.size() - bmp.pixels_at) return;
  throw std::runtime_error(fmt::format("BMP truncated at byte {}: {} bytes of pixels expected from byte {}",
                                       file.size(), needed, bmp.pixels_at));
}

void copy_palette_row(const std::uint8_t* stored, const Bmp& bmp, std::uint8_t* out) {
  const int in_a_byte = 8 / bmp.bits;
  for (int x = 0; x < bmp.width; ++x, out += 3) {
    // The first pixel has the highest bits.
    const int shift = 8 - bmp.bits * (x % in_a_byte + 1);
    const std::size_t colour =
        static_cast<std::size_t>(stored[x / in_a_byte]) >> shift & ((1u << bmp.bits) - 1);
    const std::size_t at = bmp.entry * colour;
    if (at >= bmp.palette.size())
      throw std::runtime_error(fmt::format("BMP pixel names colour {}, its palette has {}", colour,
                                           bmp.palette.size() / bmp.entry));
    std::reverse_copy(bmp.palette.data() + at, bmp.palette.data() + at + 3, out);
  }
}

void copy_row(Bytes stored, const Bmp& bmp, std::uint8_t* out) {
  if (bmp.bits <= 8) return copy_palette_row(stored.data(), bmp, out);
  const auto step = static_cast<std::size_t>(bmp.bits / 8);
  for (std::size_t x = 0; x < static_cast<std::size_t>(bmp.width); ++x, out += 3) {
    if (bmp.bits == 24) {
      std::reverse_copy(stored.data() + 3 * x, stored.data() + 3 * x + 3, out);
      continue;
    }
    const std::uint32_t pixel =
        bmp.bits == 16 ? little_endian_16(stored, step * x) : little_endian_32(stored, step * x);
    std::ranges::transform(bmp.colours, out, [&](const Field& colour) { return colour.level(pixel); });
  }
}

}  // namespace

Described describe_bmp(Bytes file) {
  const Bmp bmp = read_structure(file);
  Described described{.header = {.width = bmp.width, .height = bmp.height, .channels = 3, .bit_depth = 8}};
  std::vector<std::string>& notes = described.header.notes;
  if (bmp.bits <= 8) notes.push_back("palette expanded");
  if (bmp.bits == 16) notes.push_back("16 bits a pixel scaled to 8 bits a sample");
  if (bmp.has_alpha) notes.push_back("alpha ignored");
  if (const std::size_t end = bmp.pixels_at + bmp.stored_bytes(); end < file.size())
    notes.push_back(fmt::format("{} bytes after the end of the BMP ignored", file.size() - end));
  return described;
}

std::vector<std::uint8_t> bmp_samples(Bytes file, Described&) {
  const Bmp bmp = read_structure(file);
  require_all_rows(file, bmp);
  const std::size_t row = static_cast<std::size_t>(bmp.width) * 3;
  std::vector<std::uint8_t> samples(row * static_cast<std::size_t>(bmp.height));
  for (int y = 0; y < bmp.height; ++y) {
    const auto stored = static_cast<std::size_t>(bmp.bottom_up ? bmp.height - 1 - y : y);
    copy_row(file.subspan(bmp.pixels_at + stored * bmp.stored_row(), bmp.stored_row()), bmp,
             samples.data() + static_cast<std::size_t>(y) * row);
  }
  return samples;
}

}  // namespace upbench
