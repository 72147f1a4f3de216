#pragma once

#include <cstdint>
#include <vector>

#include "datasets/codec/byte_order.h"
#include "datasets/codec/colour.h"
#include "datasets/codec/decode.h"

// One pair of functions a format, for decode.cpp alone. `describe` reads the header without allocating for
// the picture, so that limits can be checked first; `samples` then decodes what was described. All throw
// std::runtime_error with the reason only; decode.cpp puts the file's name before it.
namespace upbench {

struct Described {
  RasterHeader header;  // as stored: before conversion to sRGB, and before orientation
  SampleSpace space = SampleSpace::rgb;
  std::vector<std::uint8_t> profile;  // ICC; empty: none
  int orientation = 1;                // 1..8 as in EXIF
  bool lenient = false;               // as in DecodeLimits
};

// `samples` returns rows of header.width x header.channels samples of header.bit_depth, CMYK as amounts of
// ink, and may add to the notes.
Described describe_png(Bytes file);
std::vector<std::uint8_t> png_samples(Bytes file, Described& described);

Described describe_jpeg(Bytes file);
std::vector<std::uint8_t> jpeg_samples(Bytes file, Described& described);

Described describe_webp(Bytes file);
std::vector<std::uint8_t> webp_samples(Bytes file, Described& described);

Described describe_tiff(Bytes file);
std::vector<std::uint8_t> tiff_samples(Bytes file, Described& described);

Described describe_bmp(Bytes file);
std::vector<std::uint8_t> bmp_samples(Bytes file, Described& described);

Described describe_pnm(Bytes file);
std::vector<std::uint8_t> pnm_samples(Bytes file, Described& described);

}  // namespace upbench
