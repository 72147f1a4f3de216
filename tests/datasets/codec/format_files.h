#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "datasets/codec/raster.h"
#include "tests/datasets/picture_files.h"

// Files of the formats that only the decoders' own tests need, and files with colour profiles.
namespace upbench::test {

struct WebpFileOptions {
  bool lossless = true;
  FileBytes profile, exif;  // empty: none
};
// 8 bit, three or four channels.
FileBytes webp_file(const Raster& raster, const WebpFileOptions& options = {});
// A RIFF container of these chunks, padded to even sizes.
using WebpChunks = std::vector<std::pair<std::string, FileBytes>>;  // name, data
FileBytes webp_container(const WebpChunks& chunks);
// The extended header of a picture of this size. flags: 0x20 ICC, 0x10 alpha, 0x08 EXIF, 0x02 animation.
FileBytes webp_extended_header(std::uint8_t flags, int width, int height);
// The picture's own chunks: all but the extended header.
WebpChunks webp_picture_chunks(const FileBytes& file);

// Names and numbers as in tiff.h. The samples of a raster are written as they are; where `bits` is not the
// raster's depth, `packed` holds the rows instead.
struct TiffFileOptions {
  std::string mode = "wl";  // wl, wb: byte order; 8: 64-bit offsets
  int compression = 1;
  int photometric = -1;  // -1: by the number of channels
  int tile = 0;          // 0: strips
  int rows_per_strip = 2;
  bool planar = false;
  int predictor = 1;
  int orientation = 1;
  int alpha = 2;  // EXTRASAMPLES: 0 unspecified, 1 premultiplied, 2 straight
  int bits = 0;   // 0: the raster's
  int sample_format = 1;
  FileBytes packed;
  std::vector<std::uint16_t> palette;  // red, green, blue planes
  FileBytes profile;
  int subfile_type = 0;
  int pages = 1;
  int quality = 75;                // of JPEG
  int chroma_x = 2, chroma_y = 2;  // pixels a sample of chroma; JPEG makes YCbCr of the raster's RGB
};
FileBytes tiff_file(const Raster& raster, const TiffFileOptions& options = {});

// An entry of a directory: type 2 text, 3 short, 4 long, ...; what fits into four bytes is the value itself,
// else it says where.
struct TiffEntry {
  int tag = 0, type = 3;
  std::uint32_t count = 1, value = 0;
};
// A little-endian TIFF of one directory behind its data, which begins at byte 8; both as they are given.
FileBytes tiff_of(const FileBytes& data, const std::vector<TiffEntry>& entries);

// The same with a colour profile; empty: none.
FileBytes custom_jpeg(const Raster& raster, const std::function<void(jpeg_compress_struct&)>& set,
                      const FileBytes& profile = {});
// Where scans begin (their SOS markers).
std::vector<std::size_t> scans_of(const FileBytes& jpeg);

// Red and blue slope along x, green along y, slowly: what every encoder keeps well, and no two places are
// alike. At most 64x64.
Raster colour_slopes(int width, int height);

// Of two rasters of one size, between the samples that differ most.
int largest_difference(const Raster& a, const Raster& b);

// A BMP whose parts are written as they are, rows from the bottom and padded; the header is filled up with
// zeros.
struct BmpParts {
  int header = 40;
  int width = 1, height = 1, bits = 24;
  std::uint32_t compression = 0, colours = 0;
  FileBytes masks{}, palette{}, rows{};
};
FileBytes bmp_of(const BmpParts& parts);
// As OS/2's first version has it: a header of 12 bytes, and palettes of three bytes a colour.
FileBytes os2_bmp_of(const BmpParts& parts);

// "P6\n3 2\n255\n" and then the data.
FileBytes pnm_file(const std::string& header, const FileBytes& data = {});

// Colour profiles, made with Little CMS. xy: red, green, blue. All have D65 white.
struct Primaries {
  double red[2], green[2], blue[2];
};
inline constexpr Primaries kSrgbPrimaries{{0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}};
inline constexpr Primaries kDisplayP3Primaries{{0.68, 0.32}, {0.265, 0.69}, {0.15, 0.06}};
inline constexpr Primaries kAdobePrimaries{{0.64, 0.33}, {0.21, 0.71}, {0.15, 0.06}};
// gamma 0: sRGB's curve.
FileBytes rgb_profile(const Primaries& primaries, double gamma = 0);
FileBytes grey_profile(double gamma);
// Black ink alone matters: L* = 100 (1 - K), neutral.
FileBytes cmyk_profile();

}  // namespace upbench::test
