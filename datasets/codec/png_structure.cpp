#include "datasets/codec/png_structure.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr std::size_t kChunkFrame = 12;  // length, type and checksum around the data
constexpr std::size_t kHeaderData = 13;

std::runtime_error truncated(Bytes file, std::string_view missing) {
  return std::runtime_error(fmt::format("PNG truncated at byte {}: {}", file.size(), missing));
}

bool depth_fits(int colour_type, int depth) {
  switch (colour_type) {
    case 0:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case 3:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case 2:
    case 4:
    case 6:
      return depth == 8 || depth == 16;
    default:
      return false;
  }
}

void read_header_chunk(Bytes data, PngStructure& png) {
  const std::uint32_t width = big_endian_32(data, 0), height = big_endian_32(data, 4);
  constexpr std::uint32_t kLargest = std::numeric_limits<std::int32_t>::max();
  if (width == 0 || height == 0 || width > kLargest || height > kLargest) {
    throw std::runtime_error(
        fmt::format("PNG header says {}x{} pixels: expected 1 to 2^31-1 a side", width, height));
  }
  png.width = static_cast<int>(width);
  png.height = static_cast<int>(height);
  png.bit_depth = data[8];
  png.colour_type = data[9];
  if (!depth_fits(png.colour_type, png.bit_depth)) {
    throw std::runtime_error(
        fmt::format("PNG header has colour type {} with {} bits: expected grey (0) of 1, 2, 4, 8 or 16, "
                    "palette (3) of 1, 2, 4 or 8, RGB (2) or alpha (4, 6) of 8 or 16",
                    png.colour_type, png.bit_depth));
  }
}

// In units of 1e-5: white point, then red, green and blue, x before y.
constexpr std::uint32_t kChromaticitiesOfSrgb[] = {31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000};
// Writers round the last digits in their own ways.
constexpr std::uint32_t kSameChromaticity = 100;

bool has_chromaticities_of_srgb(Bytes data) {
  for (std::size_t i = 0; i < std::size(kChromaticitiesOfSrgb); ++i) {
    const std::uint32_t wanted = kChromaticitiesOfSrgb[i], found = big_endian_32(data, 4 * i);
    if (std::max(wanted, found) - std::min(wanted, found) > kSameChromaticity) return false;
  }
  return true;
}

// BT.709 primaries, sRGB's curve, RGB, full range (ITU-T H.273).
constexpr std::uint8_t kCodePointsOfSrgb[] = {1, 13, 0, 1};

// Colours are managed by ICC profile alone: say so where the file asks otherwise for anything but sRGB.
void note_ancillary(std::string_view type, Bytes data, PngStructure& png) {
  constexpr std::uint32_t kGammaOfSrgb = 45455;  // 1/2.2 in units of 1e-5
  if (type == "tRNS") png.has_transparency = true;
  if (type == "eXIf") png.exif = data;
  if (type == "iCCP") png.has_profile = true;
  if (type == "gAMA" && data.size() == 4 && big_endian_32(data, 0) != kGammaOfSrgb) {
    png.notes.push_back(fmt::format("gAMA {} ignored", big_endian_32(data, 0) / 100000.0));
  }
  if (type == "cHRM" && data.size() == 32 && !has_chromaticities_of_srgb(data))
    png.notes.push_back("cHRM ignored");
  if (type == "cICP" &&
      !std::equal(data.begin(), data.end(), std::begin(kCodePointsOfSrgb), std::end(kCodePointsOfSrgb)))
    png.notes.push_back("cICP ignored");
  if (type == "acTL") png.notes.push_back("animation: default picture only");
}

}  // namespace

PngStructure read_png_structure(Bytes file) {
  if (file.size() < std::size(kPngSignature)) throw truncated(file, "the signature ends early");
  PngStructure png;
  bool has_data = false;
  for (std::size_t at = std::size(kPngSignature);;) {
    const std::size_t left = file.size() - at;
    if (left < kChunkFrame) throw truncated(file, at == file.size() ? "no IEND chunk" : "a chunk ends early");
    const std::size_t length = big_endian_32(file, at);
    const std::string_view type(reinterpret_cast<const char*>(file.data()) + at + 4, 4);
    const bool first = at == std::size(kPngSignature);
    if (first && (type != "IHDR" || length != kHeaderData))
      throw std::runtime_error(
          "PNG does not begin with its IHDR chunk: expected that, of 13 bytes, at byte 8");
    if (length > left - kChunkFrame) {
      throw truncated(file, fmt::format("the chunk at byte {} says it holds {} bytes", at, length));
    }
    const Bytes data = file.subspan(at + 8, length);
    if (first) read_header_chunk(data, png);
    note_ancillary(type, data, png);
    if (type == "tEXt" || type == "zTXt" || type == "iTXt")
      png.texts.push_back(file.subspan(at + 4, length + 8));
    has_data |= type == "IDAT";
    at += kChunkFrame + length;
    if (type != "IEND") continue;
    if (!has_data) throw std::runtime_error("PNG holds no IDAT chunk");
    if (at < file.size())
      png.notes.push_back(fmt::format("{} bytes after the end of the PNG ignored", file.size() - at));
    return png;
  }
}

}  // namespace upbench
