#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/codec/raster.h"

namespace upbench {

// Part of every input hash: rises whenever the pixels decoded from any file may change.
// 2: ICC profiles are applied; CMYK JPEG is read; WebP, TIFF and PNM are read.
inline constexpr int kDecoderVersion = 2;

struct DecodeLimits {
  std::uint64_t max_pixels = 100'000'000;  // refused before anything is allocated
  // Also refused: output larger than 64 MB and more than this many times the file.
  std::uint64_t max_expansion = 1000;
  // A JPEG with damage in its scans is decoded as far as that goes, with a note that begins with
  // kCorruptNote. One without its end marker is refused all the same.
  bool lenient = false;
};
inline constexpr std::string_view kCorruptNote = "corrupt: ";
// For files that this program wrote: they may be read, however large or flat.
inline constexpr DecodeLimits kNoDecodeLimits{.max_pixels = ~std::uint64_t{0},
                                              .max_expansion = ~std::uint64_t{0}};
// As images.max_megapixels and --max-megapixels say it, in millions of pixels; 0: as by default.
DecodeLimits limited_to(int max_megapixels);

struct RasterHeader {
  std::string format;  // "png", "jpeg", "webp", "tiff", "bmp", "pnm"
  int width = 0;       // after orientation
  int height = 0;
  int channels = 3;
  int bit_depth = 8;
  std::vector<std::string> notes;  // as Raster::notes
};

// Strict: a truncated or corrupt file is an error, never a picture (but see DecodeLimits::lenient). The
// format is told from the first bytes, not from the name; a name that says otherwise is noted. What is not
// kept as it is stored:
//   palettes are expanded; grey of 1, 2 and 4 bits becomes 8-bit; 16 bits stay 16; TIFF's float becomes
//   16-bit; ICC profiles are converted to sRGB, relative colorimetric with black point compensation, colours
//   outside clipped; a profile that means sRGB leaves every sample as it is, one that cannot be used is noted
//   as "icc_ignored: why"; PNG's gAMA, cHRM and cICP are noted and ignored; CMYK becomes RGB, by its profile
//   or, without one, as (1 - C)(1 - K); alpha stays a channel, for to_image() to leave out; premultiplied
//   alpha is divided out; orientation (EXIF, and TIFF's tag) is applied; tags of a TIFF that are wrong but do
//   not describe its samples are noted as "metadata: what is wrong".
// Throws std::runtime_error "NAME: what is wrong, what was expected".
Raster decode(std::span<const std::uint8_t> file, std::string_view name, const DecodeLimits& limits = {});
Raster decode_file(const std::filesystem::path& file, const DecodeLimits& limits = {});
// Without decoding: size and layout, within the limits. A corrupt picture behind a sound header is found, and
// noted, by decode() only; of a sound one, both give the same notes.
RasterHeader read_header(std::span<const std::uint8_t> file, std::string_view name,
                         const DecodeLimits& limits = {});

// The file's bytes. Throws std::runtime_error "FILE: why" for what is not a regular file of at most 1 GiB
// (never waiting on a pipe or a device), and for a file that changes while it is read.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& file);

}  // namespace upbench
