#include "datasets/codec/decode.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/codec/formats.h"

namespace upbench {
namespace {

struct Format {
  std::string_view magic;  // the file's first bytes
  RasterHeader (*read_header)(Bytes);
  Raster (*decode)(Bytes);
};

constexpr Format kFormats[] = {
    {"\x89PNG\r\n\x1a\n", read_png_header, decode_png},
    {"\xff\xd8\xff", read_jpeg_header, decode_jpeg},
    {"BM", read_bmp_header, decode_bmp},
};

// Formats that users have and that are told apart from rubbish, to be named in the refusal.
struct KnownFormat {
  std::size_t at;
  std::string_view magic;
  std::string_view name;
};

constexpr KnownFormat kUnsupported[] = {
    {8, "WEBP", "WebP"},
    {0, {"II*\0", 4}, "TIFF"},
    {0, {"MM\0*", 4}, "TIFF"},
    {0, "GIF8", "GIF"},
    {0, "P6", "PPM"},
    {0, "P5", "PGM"},
    {0, "PF", "PFM"},
    {4, "ftypavif", "AVIF"},
    {4, "ftyphei", "HEIC"},
    {4, "ftypmif1", "HEIC"},
    {0, {"\0\0\0\x0cJXL ", 8}, "JPEG XL"},
    {0, "\xff\x0a", "JPEG XL"},
    {4, "jP  ", "JPEG 2000"},
    {0, "v/1\x01", "OpenEXR"},
};

bool has(Bytes file, std::size_t at, std::string_view magic) {
  return file.size() >= at + magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

const Format& recognise(Bytes file) {
  if (file.empty()) throw std::runtime_error("empty file; expected PNG, JPEG or BMP");
  for (const Format& format : kFormats) {
    if (has(file, 0, format.magic)) return format;
  }
  for (const KnownFormat& format : kUnsupported) {
    if (has(file, format.at, format.magic)) {
      throw std::runtime_error(
          fmt::format("{} is not supported yet; expected PNG, JPEG or BMP", format.name));
    }
  }
  throw std::runtime_error(fmt::format("not a supported image (it begins {:02x}); expected PNG, JPEG or BMP",
                                       fmt::join(file.first(std::min<std::size_t>(file.size(), 8)), " ")));
}

void check_limits(const RasterHeader& header, std::size_t file_bytes, const DecodeLimits& limits) {
  constexpr double kMega = 1e6;
  const std::uint64_t pixels =
      static_cast<std::uint64_t>(header.width) * static_cast<std::uint64_t>(header.height);
  if (pixels > limits.max_pixels) {
    throw std::runtime_error(fmt::format("{}x{} is {:.1f} megapixels, more than the limit of {:.1f}",
                                         header.width, header.height, static_cast<double>(pixels) / kMega,
                                         static_cast<double>(limits.max_pixels) / kMega));
  }
  const std::uint64_t bytes = pixels * static_cast<std::uint64_t>(header.channels * header.bit_depth / 8);
  constexpr std::uint64_t kAlwaysFine = 64'000'000;
  if (bytes > kAlwaysFine && bytes / limits.max_expansion > file_bytes) {
    throw std::runtime_error(
        fmt::format("{} bytes would decode to {:.0f} MB, more than {} times the file: refused as a "
                    "decompression bomb",
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

}  // namespace

Raster decode(std::span<const std::uint8_t> file, std::string_view name, const DecodeLimits& limits) {
  return naming(name, [&] {
    const Format& format = recognise(file);
    check_limits(format.read_header(file), file.size(), limits);
    return format.decode(file);
  });
}

Raster decode_file(const std::filesystem::path& file, const DecodeLimits& limits) {
  return decode(read_bytes(file), file.string(), limits);
}

RasterHeader read_header(std::span<const std::uint8_t> file, std::string_view name,
                         const DecodeLimits& limits) {
  return naming(name, [&] {
    const RasterHeader header = recognise(file).read_header(file);
    check_limits(header, file.size(), limits);
    return header;
  });
}

}  // namespace upbench
