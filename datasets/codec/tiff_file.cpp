#include "datasets/codec/tiff_file.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr int kMostDirectories = 1000;
// Beyond what the file itself can fill: tables of offsets grow to eight bytes an entry.
constexpr tmsize_t kMostBeyondFile = tmsize_t{64} << 20;

struct Named {
  std::uint16_t value;
  std::string_view name;
};

// What the library decodes wherever it was built.
constexpr Named kCompressions[] = {{COMPRESSION_NONE, "none"},
                                   {COMPRESSION_CCITTRLE, "CCITT RLE"},
                                   {COMPRESSION_CCITTFAX3, "CCITT group 3"},
                                   {COMPRESSION_CCITTFAX4, "CCITT group 4"},
                                   {COMPRESSION_LZW, "LZW"},
                                   {COMPRESSION_JPEG, "JPEG"},
                                   {COMPRESSION_ADOBE_DEFLATE, "deflate"},
                                   {COMPRESSION_DEFLATE, "deflate"},
                                   {COMPRESSION_PACKBITS, "PackBits"}};

std::runtime_error unsupported(std::string_view what) {
  return std::runtime_error(fmt::format("TIFF with {} is not supported", what));
}

void require_known_compression(const TiffFile& file) {
  const auto compression = file.tag<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  for (const Named& known : kCompressions) {
    if (known.value == compression) return;
  }
  throw std::runtime_error(fmt::format(
      "TIFF with compression {} is not supported; expected none, LZW, deflate, PackBits, JPEG or CCITT",
      compression));
}

int side(std::uint32_t value) {
  if (value == 0 || value > std::numeric_limits<std::int32_t>::max())
    throw std::runtime_error(fmt::format("TIFF header says a side of {} pixels", value));
  return static_cast<int>(value);
}

// Samples of colour, without alpha.
int read_photometric(const TiffFile& file, TiffLayout& layout) {
  std::uint16_t photometric = 0;
  if (!TIFFGetField(file.handle(), TIFFTAG_PHOTOMETRIC, &photometric))
    throw std::runtime_error("TIFF does not say what its samples mean (no PhotometricInterpretation)");
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
      layout.white_is_zero = true;
      return 1;
    case PHOTOMETRIC_MINISBLACK:
      return 1;
    case PHOTOMETRIC_PALETTE:
      layout.palette = true;
      return 1;
    case PHOTOMETRIC_RGB:
      return 3;
    case PHOTOMETRIC_SEPARATED:
      if (file.tag<std::uint16_t>(TIFFTAG_INKSET, INKSET_CMYK) != INKSET_CMYK)
        throw unsupported("inks other than CMYK");
      layout.cmyk = true;
      return 4;
    case PHOTOMETRIC_YCBCR:
      if (file.tag<std::uint16_t>(TIFFTAG_COMPRESSION) != COMPRESSION_JPEG)
        throw unsupported("YCbCr samples outside JPEG");
      TIFFSetField(file.handle(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      return 3;
    default:
      throw unsupported(fmt::format("photometric interpretation {}", photometric));
  }
}

void read_alpha(const TiffFile& file, int colours, TiffLayout& layout) {
  const int extra = layout.samples - colours;
  if (extra == 0) return;
  if (extra != 1 || layout.palette || layout.cmyk)
    throw unsupported(fmt::format("{} samples a pixel where {} are colour", layout.samples, colours));
  std::uint16_t count = 0, *kinds = nullptr;
  TIFFGetFieldDefaulted(file.handle(), TIFFTAG_EXTRASAMPLES, &count, &kinds);
  layout.alpha = true;
  layout.premultiplied = count > 0 && kinds[0] == EXTRASAMPLE_ASSOCALPHA;
}

void require_sample_format(const TiffFile& file, const TiffLayout& layout) {
  const auto format = file.tag<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  constexpr std::array kWhole = {1, 2, 4, 8, 16};
  const bool whole =
      format == SAMPLEFORMAT_UINT && std::find(kWhole.begin(), kWhole.end(), layout.bits) != kWhole.end();
  const bool real = format == SAMPLEFORMAT_IEEEFP && layout.bits == 32;
  // Fewer than eight bits: one sample a pixel only, which is what their users have.
  const bool fits = layout.palette ? whole && layout.bits <= 8
                    : layout.cmyk  ? whole && layout.bits >= 8
                                   : (whole && (layout.bits >= 8 || layout.samples == 1)) || real;
  if (fits) return;
  constexpr std::array kNames = {"", "unsigned", "signed", "floating point", "untyped"};
  throw std::runtime_error(
      fmt::format("TIFF with {} {} samples of {} bit is not supported; expected unsigned of 8 or 16 bit, "
                  "grey or palette of 1 to "
                  "8 bit, or floating point of 32 bit",
                  layout.samples, format < kNames.size() ? kNames[format] : "complex", layout.bits));
}

}  // namespace

int TiffFile::complain(TIFF*, void* user, const char* module, const char* format, va_list arguments) {
  auto& source = *static_cast<Source*>(user);
  if (!source.complaint.empty() || std::string_view(format).starts_with("Unknown field with tag")) return 1;
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  source.complaint = fmt::format("{}: {}", module ? module : "libtiff", text.data());
  return 1;  // handled: nothing is printed
}

tmsize_t TiffFile::read(thandle_t handle, void* out, tmsize_t wanted) {
  auto& source = *static_cast<Source*>(handle);
  if (wanted <= 0 || source.at >= source.bytes.size()) return 0;
  const auto count =
      std::min<std::uint64_t>(static_cast<std::uint64_t>(wanted), source.bytes.size() - source.at);
  std::memcpy(out, source.bytes.data() + source.at, count);
  source.at += count;
  return static_cast<tmsize_t>(count);
}

toff_t TiffFile::seek(thandle_t handle, toff_t offset, int whence) {
  auto& source = *static_cast<Source*>(handle);
  source.at = offset + (whence == SEEK_CUR ? source.at : whence == SEEK_END ? source.bytes.size() : 0);
  return source.at;
}

TiffFile::TiffFile(Bytes file) : source_{.bytes = file} {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  if (!options) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), complain, &source_);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), complain, &source_);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(),
                                      8 * static_cast<tmsize_t>(file.size()) + kMostBeyondFile);
  const auto write = [](thandle_t, void*, tmsize_t) { return tmsize_t{-1}; };
  const auto close = [](thandle_t) { return 0; };
  const auto size = [](thandle_t handle) { return toff_t{static_cast<Source*>(handle)->bytes.size()}; };
  // m: no memory mapping, so that every access goes through `read`.
  tiff_.reset(TIFFClientOpenExt("TIFF", "rm", &source_, read, write, seek, close, size, nullptr, nullptr,
                                options.get()));
  require_no_complaint();
  if (!tiff_) throw std::runtime_error("TIFF is corrupt or truncated: it cannot be opened");
  count_pictures();
}

void TiffFile::require_no_complaint() const {
  if (!source_.complaint.empty())
    throw std::runtime_error(fmt::format("TIFF is corrupt or truncated: {}", source_.complaint));
}

void TiffFile::count_pictures() {
  int directories = 0, pictures = 0;
  bool first_is_whole = false;
  do {
    const bool whole = !(tag<std::uint32_t>(TIFFTAG_SUBFILETYPE) & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK));
    if (directories == 0) first_is_whole = whole;
    pictures += whole;
    if (++directories > kMostDirectories)
      throw std::runtime_error(fmt::format("TIFF with more than {} directories", kMostDirectories));
  } while (TIFFReadDirectory(handle()));
  require_no_complaint();
  if (pictures != 1 || !first_is_whole) {
    throw std::runtime_error(fmt::format(
        "TIFF with {} pictures{} is not supported; expected one, and only reduced copies of it after it",
        pictures, first_is_whole ? "" : ", the first of which is a reduced copy or a mask,"));
  }
  reduced_copies_ = directories - 1;
  if (directories > 1) TIFFSetDirectory(handle(), 0);
  require_no_complaint();
}

TiffLayout read_tiff_layout(const TiffFile& file) {
  require_known_compression(file);
  TiffLayout layout{.width = side(file.tag<std::uint32_t>(TIFFTAG_IMAGEWIDTH)),
                    .height = side(file.tag<std::uint32_t>(TIFFTAG_IMAGELENGTH)),
                    .bits = file.tag<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1),
                    .samples = file.tag<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1)};
  layout.planar = layout.samples > 1 &&
                  file.tag<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  layout.tiled = TIFFIsTiled(file.handle()) != 0;
  read_alpha(file, read_photometric(file, layout), layout);
  require_sample_format(file, layout);
  file.require_no_complaint();
  return layout;
}

}  // namespace upbench
