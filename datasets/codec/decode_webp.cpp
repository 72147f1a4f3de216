#include <array>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <webp/decode.h>

#include "datasets/codec/formats.h"
#include "datasets/codec/orientation.h"

namespace upbench {
namespace {

constexpr std::size_t kFileHeader = 12;  // "RIFF", length, "WEBP"
constexpr std::size_t kChunkHeader = 8;  // name, length
constexpr std::string_view kExif{"Exif\0\0", 6};

// The chunks of the file (RFC 9649, section 2), told apart without decoding.
struct Structure {
  Bytes profile, exif;  // empty: none
  bool animated = false;
  Bytes whole;  // without what follows the end
};

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::runtime_error truncated(Bytes file, std::string_view missing) {
  return std::runtime_error(fmt::format("WebP truncated at byte {}: {}", file.size(), missing));
}

void take_chunk(std::string_view name, Bytes data, Structure& webp) {
  if (name == "ICCP") webp.profile = data;
  if (name == "EXIF") webp.exif = data;
  if (name == "ANIM" || name == "ANMF") webp.animated = true;
}

Structure read_structure(Bytes file) {
  if (text_of(file.first(4)) != "RIFF") throw std::runtime_error("WebP does not begin with RIFF");
  const std::size_t length = little_endian_32(file, 4), end = kChunkHeader + length;
  if (end > file.size()) throw truncated(file, fmt::format("{} bytes expected", end));
  Structure webp{.whole = file.first(end)};
  std::size_t at = kFileHeader;
  while (at < end) {
    if (end - at < kChunkHeader) throw std::runtime_error("WebP is corrupt: a chunk ends early");
    const std::size_t size = little_endian_32(file, at + 4), padded = size + size % 2;
    if (padded > end - at - kChunkHeader) {
      throw std::runtime_error(
          fmt::format("WebP is corrupt or truncated: the chunk at byte {} says it holds {} bytes", at, size));
    }
    take_chunk(text_of(file.subspan(at, 4)), file.subspan(at + kChunkHeader, size), webp);
    at += kChunkHeader + padded;
  }
  return webp;
}

void check(VP8StatusCode status) {
  constexpr std::array kReasons = {"",
                                   "out of memory",
                                   "a parameter is invalid",
                                   "the bitstream is corrupt",
                                   "a feature is not supported",
                                   "the bitstream ends early",
                                   "decoding was aborted",
                                   "the bitstream ends early"};
  if (status == VP8_STATUS_OK) return;
  if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
  throw std::runtime_error(fmt::format("WebP is corrupt or truncated: {}", kReasons.at(status)));
}

}  // namespace

Described describe_webp(Bytes file) {
  const Structure webp = read_structure(file);
  WebPBitstreamFeatures features{};
  check(WebPGetFeatures(webp.whole.data(), webp.whole.size(), &features));
  if (features.has_animation || webp.animated)
    throw std::runtime_error("animated WebP is not supported; expected a still picture");
  Described described{.header = {.width = features.width,
                                 .height = features.height,
                                 .channels = features.has_alpha ? 4 : 3,
                                 .bit_depth = 8},
                      .profile = {webp.profile.begin(), webp.profile.end()}};
  std::vector<std::string>& notes = described.header.notes;
  if (features.has_alpha) notes.push_back("alpha ignored");
  if (const std::size_t left = file.size() - webp.whole.size(); left > 0)
    notes.push_back(fmt::format("{} bytes after the end of the WebP ignored", left));
  // Some writers keep the prefix that JPEG needs.
  const bool prefixed = text_of(webp.exif).starts_with(kExif);
  const Bytes exif = prefixed ? webp.exif.subspan(kExif.size()) : webp.exif;
  if (!exif.empty()) described.orientation = read_orientation(exif, notes);
  return described;
}

std::vector<std::uint8_t> webp_samples(Bytes file, Described& described) {
  const Structure webp = read_structure(file);
  const RasterHeader& header = described.header;
  const std::size_t row = static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.channels);
  std::vector<std::uint8_t> samples(row * static_cast<std::size_t>(header.height));
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) throw std::runtime_error("libwebp is not the one this was built with");
  config.output.colorspace = header.channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {.rgba = samples.data(), .stride = static_cast<int>(row), .size = samples.size()};
  check(WebPDecode(webp.whole.data(), webp.whole.size(), &config));
  return samples;
}

}  // namespace upbench
