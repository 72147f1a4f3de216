#include "datasets/codec/decode.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/codec/formats.h"
#include "datasets/codec/orientation.h"

namespace upbench {
namespace {

struct Format {
  std::size_t at;
  std::string_view magic;  // the bytes from there
  std::string_view name;   // as in RasterHeader::format
  Described (*describe)(Bytes);
  std::vector<std::uint8_t> (*samples)(Bytes, Described&);
};

constexpr Format kFormats[] = {
    {0, "\x89PNG\r\n\x1a\n", "png", describe_png, png_samples},
    {0, "\xff\xd8\xff", "jpeg", describe_jpeg, jpeg_samples},
    {8, "WEBP", "webp", describe_webp, webp_samples},
    {0, {"II*\0", 4}, "tiff", describe_tiff, tiff_samples},
    {0, {"MM\0*", 4}, "tiff", describe_tiff, tiff_samples},
    {0, {"II+\0", 4}, "tiff", describe_tiff, tiff_samples},  // 64-bit offsets
    {0, {"MM\0+", 4}, "tiff", describe_tiff, tiff_samples},
    {0, "BM", "bmp", describe_bmp, bmp_samples},
    {0, "P1", "pnm", describe_pnm, pnm_samples},
    {0, "P2", "pnm", describe_pnm, pnm_samples},
    {0, "P3", "pnm", describe_pnm, pnm_samples},
    {0, "P4", "pnm", describe_pnm, pnm_samples},
    {0, "P5", "pnm", describe_pnm, pnm_samples},
    {0, "P6", "pnm", describe_pnm, pnm_samples},
};

constexpr std::string_view kExpected = "expected PNG, JPEG, WebP, TIFF, BMP or PNM";

// Formats that users have and that are told apart from rubbish, to be named in the refusal.
struct KnownFormat {
  std::size_t at;
  std::string_view magic;
  std::string_view name;
};

constexpr KnownFormat kUnsupported[] = {
    {0, "GIF8", "GIF"},         {0, "PF", "PFM"},
    {0, "Pf", "PFM"},           {0, "P7", "PAM"},
    {4, "ftypavif", "AVIF"},    {4, "ftyphei", "HEIC"},
    {4, "ftypmif1", "HEIC"},    {0, {"\0\0\0\x0cJXL ", 8}, "JPEG XL"},
    {0, "\xff\x0a", "JPEG XL"}, {4, "jP  ", "JPEG 2000"},
    {0, "v/1\x01", "OpenEXR"},  {0, "#?RADIANCE", "Radiance HDR"},
    {0, "8BPS", "Photoshop"},   {0, "qoif", "QOI"},
    {0, "%PDF", "PDF"},         {0, "<svg", "SVG"},
};

// What a name ends with, where that promises a format.
constexpr std::pair<std::string_view, std::string_view> kExtensions[] = {
    {".png", "png"},  {".apng", "png"},  {".jpg", "jpeg"},  {".jpeg", "jpeg"},
    {".jpe", "jpeg"}, {".jif", "jpeg"},  {".jfif", "jpeg"}, {".webp", "webp"},
    {".tif", "tiff"}, {".tiff", "tiff"}, {".bmp", "bmp"},   {".dib", "bmp"},
    {".ppm", "pnm"},  {".pgm", "pnm"},   {".pbm", "pnm"},   {".pnm", "pnm"},
};

bool has(Bytes file, std::size_t at, std::string_view magic) {
  return file.size() >= at + magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

const Format& recognise(Bytes file) {
  if (file.empty()) throw std::runtime_error(fmt::format("empty file; {}", kExpected));
  for (const Format& format : kFormats) {
    if (has(file, format.at, format.magic)) return format;
  }
  for (const KnownFormat& format : kUnsupported) {
    if (has(file, format.at, format.magic)) {
      throw std::runtime_error(fmt::format("{} is not supported; {}", format.name, kExpected));
    }
  }
  throw std::runtime_error(fmt::format("not a supported image (it begins {:02x}); {}",
                                       fmt::join(file.first(std::min<std::size_t>(file.size(), 8)), " "),
                                       kExpected));
}

void check_limits(const RasterHeader& header, std::size_t file_bytes, const DecodeLimits& limits) {
  constexpr double kMega = 1e6;
  const std::uint64_t pixels =
      static_cast<std::uint64_t>(header.width) * static_cast<std::uint64_t>(header.height);
  if (pixels > limits.max_pixels) {
    throw std::runtime_error(fmt::format(
        "{}x{} is {:.1f} megapixels, more than the limit of {:.1f}: cut it into smaller pictures, "
        "or raise the limit (images.max_megapixels in a spec, --max-megapixels on the command line)",
        header.width, header.height, static_cast<double>(pixels) / kMega,
        static_cast<double>(limits.max_pixels) / kMega));
  }
  const std::uint64_t bytes = pixels * static_cast<std::uint64_t>(header.channels * header.bit_depth / 8);
  constexpr std::uint64_t kAlwaysFine = 64'000'000;
  if (bytes > kAlwaysFine && bytes / limits.max_expansion > file_bytes) {
    throw std::runtime_error(
        fmt::format("{} bytes would decode to {:.0f} MB, more than {} times the file: refused as a "
                    "decompression bomb; save it with less compression if it is meant",
                    file_bytes, static_cast<double>(bytes) / kMega, limits.max_expansion));
  }
}

template <typename Work>
auto naming(std::string_view name, Work work) {
  try {
    return work();
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", name, error.what()));
  }
}

void note_wrong_name(std::string_view name, std::string_view format, std::vector<std::string>& notes) {
  std::string extension = std::filesystem::path(name).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const auto& [suffix, promised] : kExtensions) {
    if (suffix == extension && promised != format)
      notes.push_back(fmt::format("named {} but holds {}", suffix, format));
  }
}

// Everything about the file but its samples, checked.
Described describe(const Format& format, Bytes file, std::string_view name, const DecodeLimits& limits) {
  Described described = format.describe(file);
  described.header.format = format.name;
  described.lenient = limits.lenient;
  check_limits(described.header, file.size(), limits);
  note_wrong_name(name, format.name, described.header.notes);
  return described;
}

}  // namespace

DecodeLimits limited_to(int max_megapixels) {
  DecodeLimits limits;
  if (max_megapixels > 0) limits.max_pixels = static_cast<std::uint64_t>(max_megapixels) * 1'000'000;
  return limits;
}

Raster decode(std::span<const std::uint8_t> file, std::string_view name, const DecodeLimits& limits) {
  return naming(name, [&] {
    const Format& format = recognise(file);
    Described described = describe(format, file, name, limits);
    RasterHeader& header = described.header;
    const ToSrgb to_srgb(described.profile, described.space, header.notes);
    std::vector<std::uint8_t> samples = format.samples(file, described);
    Raster raster{.width = header.width,
                  .height = header.height,
                  .channels = header.channels,
                  .bit_depth = header.bit_depth,
                  .samples = std::move(samples),
                  .notes = std::move(header.notes)};
    to_srgb.apply(raster);
    apply_orientation(raster, described.orientation);
    return raster;
  });
}

Raster decode_file(const std::filesystem::path& file, const DecodeLimits& limits) {
  return decode(read_bytes(file), file.string(), limits);
}

RasterHeader read_header(std::span<const std::uint8_t> file, std::string_view name,
                         const DecodeLimits& limits) {
  return naming(name, [&] {
    Described described = describe(recognise(file), file, name, limits);
    RasterHeader& header = described.header;
    const ToSrgb to_srgb(described.profile, described.space, header.notes);
    to_srgb.apply(header);
    apply_orientation(header, described.orientation);
    return header;
  });
}

}  // namespace upbench
