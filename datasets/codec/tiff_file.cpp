#include "datasets/codec/tiff_file.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr int kMostDirectories = 1000;
// Beyond what the file itself can fill: tables of offsets grow to eight bytes an entry.
constexpr tmsize_t kMostBeyondFile = tmsize_t{64} << 20;

struct Compression {
  std::uint16_t value;
  bool has_predictor;  // may differences of neighbours be what is compressed?
};

// What the library decodes wherever it was built.
constexpr Compression kCompressions[] = {
    {COMPRESSION_NONE, false},         {COMPRESSION_CCITTRLE, false}, {COMPRESSION_CCITTFAX3, false},
    {COMPRESSION_CCITTFAX4, false},    {COMPRESSION_LZW, true},       {COMPRESSION_JPEG, false},
    {COMPRESSION_ADOBE_DEFLATE, true}, {COMPRESSION_DEFLATE, true},   {COMPRESSION_PACKBITS, false}};

// libtiff goes on after much that is wrong in a file. Here that is an error, unless what it says begins as
// one of these texts and is about a tag that does not describe samples: then the tag was left out or mended,
// no sample was lost or guessed, and it becomes a note. So whatever codecs and the reading of strips say is
// an error, a tag whose bytes lie beyond the end of the file is one ("IO error during reading of ...": it was
// cut), and so are counts of bytes that contradict the size of the picture. Where another version of libtiff
// says it in other words, that makes this stricter, never laxer.
constexpr std::string_view kTagWarnings[] = {
    "ASCII value for",       "Incorrect count for", "incorrect count for field",
    "Incompatible type for", "Incorrect value for", "Cannot handle different values per sample for"};
constexpr std::string_view kTagErrors[] = {"%s: Bad value", "%s: Null count for"};  // %s: kOpenedAs

// Tags that say how samples are stored and what they mean, as libtiff names them.
constexpr std::string_view kSampleTags[] = {
    // what a picture is
    "SubfileType", "OldSubfileType", "ImageWidth", "ImageLength", "ImageDepth",
    // what samples mean
    "BitsPerSample", "SamplesPerPixel", "SampleFormat", "DataType", "PhotometricInterpretation",
    "ExtraSamples", "Matteing", "ColorMap", "InkSet", "NumberOfInks", "YCbCrCoefficients", "YCbCrSubsampling",
    "YCbCrPositioning", "ReferenceBlackWhite",
    // how they are packed
    "Compression", "Predictor", "FillOrder", "Group3Options", "Group4Options", "JPEGTables",
    // where they are
    "PlanarConfiguration", "StripOffsets", "StripByteCounts", "RowsPerStrip", "TileWidth", "TileLength",
    "TileDepth", "TileOffsets", "TileByteCounts"};

// Warnings after which samples are known for certain all the same, and the notes that they become.
struct Harmless {
  std::string_view beginning, note;
};
constexpr Harmless kHarmless[] = {
    {"Invalid TIFF directory; tags are not sorted", "tags are not in ascending order"},
    {"Sum of Photometric type-related color channels", "ExtraSamples leaves out samples beyond the colours"},
    {"Nonstandard tile", "tiles with sides that are no multiples of 16"},
    {"Auto-corrected former TIFF subsampling", "YCbCrSubsampling is not what the JPEG inside says"}};
constexpr std::string_view kNoByteCounts = "TIFF directory is missing required \"StripByteCounts\"";

constexpr char kOpenedAs[] = "TIFF";
// A file may hold thousands of tags.
constexpr std::size_t kMostNotes = 20;

std::string remark_text(const char* format, va_list arguments) {
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  return text.data();
}

std::string metadata_note(std::string_view what) {
  return fmt::format("metadata: {}", what);
}

// The note that a remark on one tag becomes; empty where it is a fault.
std::string note_on_tag(std::string_view format, std::string_view text,
                        std::span<const std::string_view> noted) {
  const auto begins = [format](std::string_view beginning) { return format.starts_with(beginning); };
  if (std::ranges::none_of(noted, begins)) return "";
  const std::size_t first = text.find('"') + 1, end = text.find('"', first);
  if (first == 0 || end == std::string_view::npos) return "";
  const std::string_view tag = text.substr(first, end - first);
  if (std::ranges::find(kSampleTags, tag) != std::end(kSampleTags)) return "";
  if (format.starts_with("%s: ")) text.remove_prefix(sizeof kOpenedAs - 1 + 2);
  if (tag == "ICC Profile") return fmt::format("icc_ignored: {}", text);
  constexpr std::string_view kBadValue = "Bad value ";
  if (tag != "Orientation" || !text.starts_with(kBadValue)) return metadata_note(text);
  text.remove_prefix(kBadValue.size());
  return fmt::format("orientation {} is not one of 1 to 8: taken as upright", text.substr(0, text.find(' ')));
}

bool is_uncompressed(TIFF* tiff) {
  std::uint16_t compression = 0;
  return TIFFGetField(tiff, TIFFTAG_COMPRESSION, &compression) && compression == COMPRESSION_NONE;
}

// A directory that libtiff has read, as it lies in the file: the number of entries, the entries, the offset
// of the next directory.
class StoredDirectory {
 public:
  StoredDirectory(TIFF* tiff, Bytes file, std::size_t at)
      : file_(file), big_endian_(TIFFIsBigEndian(tiff) != 0), wide_(TIFFIsBigTIFF(tiff) != 0) {
    entries_ = short_at(at + (wide_ && big_endian_ ? 6 : 0));  // of eight bytes if wide; at most 4096
    first_ = at + (wide_ ? 8 : 2);
  }

  std::size_t end() const { return first_ + entries_ * entry_bytes() + (wide_ ? 8 : 4); }

  // The value of a tag of one short number.
  std::uint16_t value(std::uint32_t tag, std::uint16_t none) const {
    for (std::size_t i = 0; i < entries_; ++i) {
      if (tag_of(i) == tag && short_at(entry(i) + 2) == TIFF_SHORT)
        return static_cast<std::uint16_t>(short_at(entry(i) + (wide_ ? 12 : 8)));
    }
    return none;
  }

  void require_no_tag_twice() const {
    std::vector<std::uint32_t> tags(entries_);
    for (std::size_t i = 0; i < entries_; ++i) tags[i] = tag_of(i);
    std::ranges::sort(tags);
    if (const auto twice = std::ranges::adjacent_find(tags); twice != tags.end())
      throw std::runtime_error(
          fmt::format("TIFF is corrupt: tag {} comes more than once in a directory, expected once", *twice));
  }

 private:
  std::size_t entry_bytes() const { return wide_ ? 20 : 12; }
  std::size_t entry(std::size_t i) const { return first_ + i * entry_bytes(); }
  std::uint32_t tag_of(std::size_t i) const { return short_at(entry(i)); }
  std::uint32_t short_at(std::size_t at) const {
    return big_endian_ ? big_endian_16(file_, at) : little_endian_16(file_, at);
  }

  Bytes file_;
  bool big_endian_, wide_;  // wide: 64-bit offsets
  std::size_t first_ = 0, entries_ = 0;
};

std::runtime_error unsupported(std::string_view what, std::string_view expected) {
  return std::runtime_error(fmt::format("TIFF with {} is not supported; expected {}", what, expected));
}

void require_known_compression(const TiffFile& file) {
  const auto compression = file.tag<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  const auto* const known = std::ranges::find(kCompressions, compression, &Compression::value);
  if (known == std::end(kCompressions))
    throw unsupported(fmt::format("compression {}", compression),
                      "none, LZW, deflate, PackBits, JPEG or CCITT");
  // Where it has none, some readers undo the differences and others, as libtiff, do not.
  const auto predictor = file.stored_tag(TIFFTAG_PREDICTOR, PREDICTOR_NONE);
  if (predictor != PREDICTOR_NONE && !known->has_predictor)
    throw unsupported(fmt::format("predictor {} before compression {}", predictor, compression),
                      "one before LZW or deflate only: readers differ in what else it means");
}

int side(std::uint32_t value) {
  if (value == 0 || value > std::numeric_limits<std::int32_t>::max())
    throw std::runtime_error(
        fmt::format("TIFF header says a side of {} pixels: expected 1 to 2^31-1", value));
  return static_cast<int>(value);
}

// Samples of colour, without alpha.
int read_photometric(const TiffFile& file, TiffLayout& layout) {
  std::uint16_t photometric = 0;
  if (!TIFFGetField(file.handle(), TIFFTAG_PHOTOMETRIC, &photometric))
    throw std::runtime_error("TIFF does not say what its samples mean: expected a PhotometricInterpretation");
  // Without a palette, libtiff takes what would be its indices for grey.
  if (file.stored_tag(TIFFTAG_PHOTOMETRIC, photometric) != photometric)
    throw std::runtime_error(
        "TIFF is corrupt: its samples name colours of a palette that is missing: expected a ColorMap");
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
        throw unsupported("inks other than CMYK", "InkSet 1");
      layout.cmyk = true;
      return 4;
    case PHOTOMETRIC_YCBCR:
      if (file.tag<std::uint16_t>(TIFFTAG_COMPRESSION) != COMPRESSION_JPEG)
        throw unsupported("YCbCr samples outside JPEG", "JPEG compression, or RGB");
      TIFFSetField(file.handle(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      return 3;
    default:
      throw unsupported(fmt::format("photometric interpretation {}", photometric),
                        "grey (0, 1), RGB (2), palette (3), CMYK (5) or YCbCr (6)");
  }
}

void read_alpha(const TiffFile& file, int colours, TiffLayout& layout) {
  const int extra = layout.samples - colours;
  if (extra == 0) return;
  if (extra != 1 || layout.palette || layout.cmyk)
    throw unsupported(fmt::format("{} samples a pixel where {} are colour", layout.samples, colours),
                      "these, and at most one of alpha beside grey or RGB");
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
      fmt::format("TIFF with {} {} samples of {} bit{} is not supported; expected unsigned of 8 or 16 bit, "
                  "grey or palette of 1 to 8 bit, or floating point of 32 bit",
                  layout.samples, format < kNames.size() ? kNames[format] : "complex", layout.bits,
                  layout.palette ? " that name colours of a palette" : ""));
}

}  // namespace

void TiffFile::Source::take(const char* module, const std::string& text, std::string note) {
  if (note.empty()) {
    if (complaint.empty()) complaint = fmt::format("{}: {}", module ? module : "libtiff", text);
    return;
  }
  // Directories are read more than once.
  if (notes.size() > kMostNotes || std::ranges::find(notes, note) != notes.end()) return;
  notes.push_back(notes.size() < kMostNotes ? std::move(note) : metadata_note("further faults left out"));
}

int TiffFile::hear_error(TIFF*, void* user, const char* module, const char* format, va_list arguments) {
  const std::string text = remark_text(format, arguments);
  static_cast<Source*>(user)->take(module, text, note_on_tag(format, text, kTagErrors));
  return 1;  // handled: nothing is printed
}

int TiffFile::hear_warning(TIFF* tiff, void* user, const char* module, const char* format,
                           va_list arguments) {
  const std::string_view said = format;
  if (said.starts_with("Unknown field with tag")) return 1;
  const std::string text = remark_text(format, arguments);
  std::string note = note_on_tag(said, text, kTagWarnings);
  for (const Harmless& harmless : kHarmless) {
    if (said.starts_with(harmless.beginning)) note = metadata_note(harmless.note);
  }
  // libtiff says so of a single strip or tile. Uncompressed, it is as long as its rows are, and has to lie
  // within the file; of a compressed one the length would be a guess.
  if (said.starts_with(kNoByteCounts) && is_uncompressed(tiff))
    note = metadata_note("StripByteCounts is missing: computed from the size");
  static_cast<Source*>(user)->take(module, text, std::move(note));
  return 1;
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
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), hear_error, &source_);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), hear_warning, &source_);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(),
                                      8 * static_cast<tmsize_t>(file.size()) + kMostBeyondFile);
  const auto write = [](thandle_t, void*, tmsize_t) { return tmsize_t{-1}; };
  const auto close = [](thandle_t) { return 0; };
  const auto size = [](thandle_t handle) { return toff_t{static_cast<Source*>(handle)->bytes.size()}; };
  // m: no memory mapping, so that every access goes through `read`.
  tiff_.reset(TIFFClientOpenExt(kOpenedAs, "rm", &source_, read, write, seek, close, size, nullptr, nullptr,
                                options.get()));
  require_no_complaint();
  if (!tiff_) throw std::runtime_error("TIFF is corrupt or truncated: it cannot be opened");
  count_pictures();
}

void TiffFile::require_no_complaint() const {
  if (!source_.complaint.empty())
    throw std::runtime_error(fmt::format("TIFF is corrupt or truncated: {}", source_.complaint));
}

// libtiff takes a directory that is cut before the offset of the next for the last one, and of a tag that
// comes twice what comes first.
void TiffFile::require_sound_directory() const {
  const StoredDirectory directory(handle(), source_.bytes, TIFFCurrentDirOffset(handle()));
  if (directory.end() > source_.bytes.size())
    throw std::runtime_error(
        fmt::format("TIFF is corrupt or truncated: a directory ends at byte {}, the file at byte {}",
                    directory.end(), source_.bytes.size()));
  directory.require_no_tag_twice();
}

void TiffFile::count_pictures() {
  int directories = 0, pictures = 0;
  bool first_is_whole = false;
  do {
    require_sound_directory();
    const bool whole = !(tag<std::uint32_t>(TIFFTAG_SUBFILETYPE) & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK));
    if (directories == 0) {
      first_is_whole = whole;
      first_directory_ = TIFFCurrentDirOffset(handle());
    }
    pictures += whole;
    if (++directories > kMostDirectories)
      throw std::runtime_error(fmt::format(
          "TIFF with more than {} directories; expected one, and reduced copies after it", kMostDirectories));
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

std::uint16_t TiffFile::stored_tag(std::uint32_t name, std::uint16_t none) const {
  return StoredDirectory(handle(), source_.bytes, first_directory_).value(name, none);
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
  if (const auto depth = file.tag<std::uint32_t>(TIFFTAG_IMAGEDEPTH, 1); depth != 1)
    throw unsupported(fmt::format("{} layers of pixels (ImageDepth)", depth), "one");
  read_alpha(file, read_photometric(file, layout), layout);
  require_sample_format(file, layout);
  file.require_no_complaint();
  return layout;
}

}  // namespace upbench
