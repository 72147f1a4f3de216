#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/codec/formats.h"
#include "datasets/codec/tiff_file.h"

namespace upbench {
namespace {

// Tiles may overhang the picture. By less than this, or the file lies about its size.
constexpr std::uint64_t kMostOverhang = 64 << 20;

// What floating point samples may not be, counted over the whole picture.
struct Unfit {
  std::uint64_t nan = 0, infinite = 0, outside = 0;

  std::uint16_t to_16_bit(float value) {
    nan += std::isnan(value);
    infinite += std::isinf(value);
    const bool within = value >= 0 && value <= 1;
    outside += !within && std::isfinite(value);
    return within ? static_cast<std::uint16_t>(std::lround(value * 65535)) : std::uint16_t{0};
  }

  void require_none(std::size_t samples) const {
    if (nan + infinite + outside == 0) return;
    throw std::runtime_error(
        fmt::format("TIFF holds {} NaN, {} infinite samples and {} outside 0..1, of {}; expected finite "
                    "samples within 0..1",
                    nan, infinite, outside, samples));
  }
};

// One strip or tile, and where it lies.
struct Chunk {
  std::uint32_t index = 0;
  int x = 0, y = 0;
  int width = 0, height = 0;  // within the picture
  std::size_t row_bytes = 0;  // stored
  int first_sample = 0;       // its samples of each pixel: one where planar
};

struct Palette {
  std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
  // Entries have 16 bits. Writers that have 8 multiply them by 257 or 256, or by nothing.
  bool above_255 = false, multiples_of_256 = true;

  std::uint8_t narrow(std::uint16_t value) const {
    if (!above_255) return static_cast<std::uint8_t>(value);
    return static_cast<std::uint8_t>(multiples_of_256 ? value >> 8 : (value * 255U + 32767) / 65535);
  }
};

class TiffReader {
 public:
  TiffReader(const TiffFile& file, const TiffLayout& layout, const RasterHeader& header)
      : file_(file), layout_(layout), channels_(static_cast<std::size_t>(header.channels)) {
    sample_bytes_ = header.bit_depth == 16 ? 2 : 1;
    samples_.resize(static_cast<std::size_t>(layout.width) * static_cast<std::size_t>(layout.height) *
                    channels_ * sample_bytes_);
    if (layout.palette) read_palette();
  }

  std::vector<std::uint8_t> read() {
    layout_.tiled ? read_tiles() : read_strips();
    unfit_.require_none(samples_.size() / sample_bytes_);
    return std::move(samples_);
  }

 private:
  void read_palette();
  void read_strips();
  void read_tiles();
  void read_chunk(const Chunk& chunk, std::uint64_t stored_bytes);
  void unpack_row(const std::uint8_t* row, const Chunk& chunk, std::uint8_t* out);
  void unpack_bits(const std::uint8_t* row, int width, std::uint8_t* out) const;

  int planes() const { return layout_.planar ? layout_.samples : 1; }
  std::size_t samples_in_chunk() const {
    return layout_.planar ? 1 : static_cast<std::size_t>(layout_.samples);
  }
  bool as_stored() const { return layout_.bits >= 8 && !layout_.palette && !layout_.is_float(); }

  const TiffFile& file_;
  const TiffLayout& layout_;
  std::size_t channels_, sample_bytes_ = 1;
  std::vector<std::uint8_t> samples_, buffer_;
  Palette palette_;
  Unfit unfit_;
};

void TiffReader::read_palette() {
  if (!TIFFGetField(file_.handle(), TIFFTAG_COLORMAP, &palette_.red, &palette_.green, &palette_.blue))
    throw std::runtime_error("TIFF is corrupt: its palette is missing");
  const std::size_t colours = std::size_t{1} << layout_.bits;
  for (const std::uint16_t* entries : {palette_.red, palette_.green, palette_.blue}) {
    for (const std::uint16_t value : std::span(entries, colours)) {
      palette_.above_255 |= value > 255;
      palette_.multiples_of_256 &= value % 256 == 0;
    }
  }
}

void TiffReader::read_strips() {
  TIFF* const tiff = file_.handle();
  const auto rows = std::min<std::uint32_t>(file_.tag<std::uint32_t>(TIFFTAG_ROWSPERSTRIP, ~0U),
                                            static_cast<std::uint32_t>(layout_.height));
  if (rows == 0) throw std::runtime_error("TIFF is corrupt: its strips have no rows");
  const auto row_bytes = TIFFScanlineSize64(tiff);
  for (int plane = 0; plane < planes(); ++plane) {
    for (int y = 0; y < layout_.height; y += static_cast<int>(rows)) {
      const int height = std::min(static_cast<int>(rows), layout_.height - y);
      read_chunk(
          {.index = TIFFComputeStrip(tiff, static_cast<std::uint32_t>(y), static_cast<std::uint16_t>(plane)),
           .y = y,
           .width = layout_.width,
           .height = height,
           .row_bytes = row_bytes,
           .first_sample = plane},
          row_bytes * static_cast<std::uint64_t>(height));
    }
  }
}

void TiffReader::read_tiles() {
  TIFF* const tiff = file_.handle();
  const auto width = file_.tag<std::uint32_t>(TIFFTAG_TILEWIDTH),
             height = file_.tag<std::uint32_t>(TIFFTAG_TILELENGTH);
  const auto row_bytes = TIFFTileRowSize64(tiff), bytes = TIFFTileSize64(tiff);
  if (width == 0 || height == 0 || bytes == 0 || bytes > samples_.size() + kMostOverhang)
    throw std::runtime_error(fmt::format(
        "TIFF with tiles of {}x{} in a picture of {}x{}: expected them to overhang it by at most {} bytes",
        width, height, layout_.width, layout_.height, kMostOverhang));
  const auto columns = static_cast<std::uint32_t>(layout_.width),
             rows = static_cast<std::uint32_t>(layout_.height);
  for (int plane = 0; plane < planes(); ++plane) {
    for (std::uint32_t y = 0; y < rows; y += std::min(height, rows - y)) {
      for (std::uint32_t x = 0; x < columns; x += std::min(width, columns - x)) {
        read_chunk({.index = TIFFComputeTile(tiff, x, y, 0, static_cast<std::uint16_t>(plane)),
                    .x = static_cast<int>(x),
                    .y = static_cast<int>(y),
                    .width = static_cast<int>(std::min(width, columns - x)),
                    .height = static_cast<int>(std::min(height, rows - y)),
                    .row_bytes = row_bytes,
                    .first_sample = plane},
                   bytes);
      }
    }
  }
}

void TiffReader::read_chunk(const Chunk& chunk, std::uint64_t stored_bytes) {
  const std::size_t pixel = channels_ * sample_bytes_, row = static_cast<std::size_t>(layout_.width) * pixel;
  std::uint8_t* out =
      samples_.data() + static_cast<std::size_t>(chunk.y) * row + static_cast<std::size_t>(chunk.x) * pixel;
  // Whole rows of samples that stay as they are: straight to their place.
  const bool in_place = as_stored() && !layout_.tiled && !layout_.planar && chunk.row_bytes == row;
  if (!in_place && buffer_.size() < stored_bytes) buffer_.resize(stored_bytes);
  std::uint8_t* const stored = in_place ? out : buffer_.data();
  const auto size = static_cast<tmsize_t>(stored_bytes);
  const tmsize_t got = layout_.tiled ? TIFFReadEncodedTile(file_.handle(), chunk.index, stored, size)
                                     : TIFFReadEncodedStrip(file_.handle(), chunk.index, stored, size);
  file_.require_no_complaint();
  if (got != size)
    throw std::runtime_error(
        fmt::format("TIFF is corrupt or truncated: a strip or tile holds {} bytes of {}", got, size));
  for (int y = 0; y < chunk.height && !in_place; ++y)
    unpack_row(stored + static_cast<std::size_t>(y) * chunk.row_bytes, chunk,
               out + static_cast<std::size_t>(y) * row);
}

// Fewer than eight bits, or palette: one sample a pixel.
void TiffReader::unpack_bits(const std::uint8_t* row, int width, std::uint8_t* out) const {
  const auto bits = static_cast<unsigned>(layout_.bits), largest = (1U << bits) - 1;
  for (unsigned x = 0; x < static_cast<unsigned>(width); ++x) {
    const unsigned value = row[x * bits / 8] >> (8 - bits - x * bits % 8) & largest;
    if (!layout_.palette) {
      *out++ = static_cast<std::uint8_t>(value * 255 / largest);
      continue;
    }
    for (const std::uint16_t* entries : {palette_.red, palette_.green, palette_.blue})
      *out++ = palette_.narrow(entries[value]);
  }
}

void TiffReader::unpack_row(const std::uint8_t* row, const Chunk& chunk, std::uint8_t* out) {
  if (layout_.bits < 8 || layout_.palette) return unpack_bits(row, chunk.width, out);
  const std::size_t count = samples_in_chunk(), stored = layout_.is_float() ? 4 : sample_bytes_;
  if (!layout_.planar && as_stored()) {
    std::memcpy(out, row, static_cast<std::size_t>(chunk.width) * count * stored);
    return;
  }
  out += static_cast<std::size_t>(chunk.first_sample) * sample_bytes_;
  for (int x = 0; x < chunk.width; ++x, out += channels_ * sample_bytes_) {
    for (std::size_t c = 0; c < count; ++c, row += stored) {
      std::uint8_t* const sample = out + c * sample_bytes_;
      if (!layout_.is_float()) {
        std::memcpy(sample, row, sample_bytes_);
        continue;
      }
      float value;
      std::memcpy(&value, row, sizeof value);
      const std::uint16_t rounded = unfit_.to_16_bit(value);
      std::memcpy(sample, &rounded, sizeof rounded);
    }
  }
}

template <typename Sample, typename Change>
void change_samples(std::vector<std::uint8_t>& samples, std::size_t channels, Change change) {
  Sample pixel[4];
  for (std::size_t at = 0; at < samples.size(); at += channels * sizeof(Sample)) {
    std::memcpy(pixel, samples.data() + at, channels * sizeof(Sample));
    change(pixel);
    std::memcpy(samples.data() + at, pixel, channels * sizeof(Sample));
  }
}

// To black as zero, and colours to what they were before they were multiplied by alpha.
template <typename Sample>
void straighten(const TiffLayout& layout, std::size_t channels, std::vector<std::uint8_t>& samples) {
  constexpr std::uint32_t kLargest = std::numeric_limits<Sample>::max();
  if (layout.white_is_zero)
    change_samples<Sample>(samples, channels,
                           [](Sample* pixel) { *pixel = static_cast<Sample>(kLargest - *pixel); });
  if (!layout.premultiplied) return;
  change_samples<Sample>(samples, channels, [channels](Sample* pixel) {
    const std::uint32_t alpha = pixel[channels - 1];
    for (std::size_t c = 0; c + 1 < channels; ++c) {
      const std::uint32_t colour = std::min<std::uint32_t>(pixel[c], alpha);
      pixel[c] = static_cast<Sample>(alpha == 0 ? 0 : (colour * kLargest + alpha / 2) / alpha);
    }
  });
}

RasterHeader header_of(const TiffLayout& layout) {
  const bool grey = !layout.palette && layout.samples - layout.alpha == 1;
  return {.width = layout.width,
          .height = layout.height,
          .channels = layout.palette ? 3 : layout.samples,
          .bit_depth = layout.bits >= 16 ? 16 : 8,
          .notes = grey ? std::vector<std::string>{"grey"} : std::vector<std::string>{}};
}

void note_conversions(const TiffLayout& layout, int reduced_copies, std::vector<std::string>& notes) {
  if (layout.palette) notes.push_back("palette expanded");
  if (!layout.palette && layout.bits < 8)
    notes.push_back(fmt::format("{}-bit grey scaled to 8 bit", layout.bits));
  if (layout.is_float()) notes.push_back("32-bit float rounded to 16 bit");
  if (layout.white_is_zero) notes.push_back("white as zero turned to black as zero");
  if (layout.premultiplied) notes.push_back("premultiplied alpha divided out");
  if (layout.alpha) notes.push_back("alpha ignored");
  if (reduced_copies > 0) notes.push_back(fmt::format("{} reduced copies ignored", reduced_copies));
}

}  // namespace

Described describe_tiff(Bytes bytes) {
  const TiffFile file(bytes);
  const TiffLayout layout = read_tiff_layout(file);
  Described described{.header = header_of(layout)};
  note_conversions(layout, file.reduced_copies(), described.header.notes);
  described.space = layout.cmyk                                               ? SampleSpace::cmyk
                    : described.header.channels - (layout.alpha ? 1 : 0) == 1 ? SampleSpace::grey
                                                                              : SampleSpace::rgb;
  std::uint32_t size = 0;
  const std::uint8_t* profile = nullptr;
  if (TIFFGetField(file.handle(), TIFFTAG_ICCPROFILE, &size, &profile))
    described.profile.assign(profile, profile + size);
  // Values but 1 to 8 are left out, with a note.
  described.orientation = file.tag<std::uint16_t>(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  std::vector<std::string>& notes = described.header.notes;
  notes.insert(notes.end(), file.notes().begin(), file.notes().end());
  return described;
}

std::vector<std::uint8_t> tiff_samples(Bytes bytes, Described& described) {
  const TiffFile file(bytes);
  const TiffLayout layout = read_tiff_layout(file);
  std::vector<std::uint8_t> samples = TiffReader(file, layout, described.header).read();
  const auto channels = static_cast<std::size_t>(described.header.channels);
  described.header.bit_depth == 16 ? straighten<std::uint16_t>(layout, channels, samples)
                                   : straighten<std::uint8_t>(layout, channels, samples);
  return samples;
}

}  // namespace upbench
