#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <spng.h>

#include "datasets/codec/encode.h"

namespace upbench {
namespace {

constexpr int kFastLevel = 3;

void check(int error) {
  if (error != SPNG_OK)
    throw std::runtime_error(fmt::format("PNG encoding failed: {}", spng_strerror(error)));
}

void require_encodable(const Raster& raster, const PngOptions& options) {
  const bool fits = raster.width > 0 && raster.height > 0 && raster.channels >= 1 && raster.channels <= 4 &&
                    (raster.bit_depth == 8 || raster.bit_depth == 16) &&
                    raster.samples.size() == raster.row_bytes() * static_cast<std::size_t>(raster.height);
  if (!fits) {
    throw std::invalid_argument(fmt::format("PNG of {}x{}, {} channels of {} bit, {} bytes: no such picture",
                                            raster.width, raster.height, raster.channels, raster.bit_depth,
                                            raster.samples.size()));
  }
  if (options.level < 0 || options.level > 9) {
    throw std::invalid_argument(fmt::format("PNG compression level {}: expected 0 to 9", options.level));
  }
}

// PNG specification, third edition, 11.3.3.1: 1 to 79 printable Latin-1 characters, no space at the ends or
// doubled.
bool is_keyword(const std::string& text) {
  const auto printable = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 32 && byte <= 126) || byte >= 161;
  };
  return !text.empty() && text.size() <= 79 && text.front() != ' ' && text.back() != ' ' &&
         text.find("  ") == text.npos && std::all_of(text.begin(), text.end(), printable);
}

// tEXt holds Latin-1, iTXt UTF-8: ASCII goes to the former, which more programs read.
spng_text text_chunk(const std::pair<std::string, std::string>& entry) {
  const auto& [keyword, text] = entry;
  if (!is_keyword(keyword)) {
    throw std::invalid_argument(
        fmt::format("'{}' is no PNG keyword: expected 1 to 79 printable Latin-1 characters, single "
                    "spaces inside only",
                    keyword));
  }
  if (text.find('\0') != text.npos)
    throw std::invalid_argument(fmt::format("PNG text '{}' holds a NUL byte", keyword));
  const bool ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
  static char nothing[] = "";
  spng_text chunk{};
  std::memcpy(chunk.keyword, keyword.c_str(), keyword.size() + 1);
  chunk.type = ascii ? SPNG_TEXT : SPNG_ITXT;
  chunk.length = text.size();
  chunk.text = const_cast<char*>(text.c_str());
  chunk.language_tag = nothing;
  chunk.translated_keyword = nothing;
  return chunk;
}

std::uint8_t colour_type(int channels) {
  constexpr std::uint8_t kTypes[] = {SPNG_COLOR_TYPE_GRAYSCALE, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA,
                                     SPNG_COLOR_TYPE_TRUECOLOR, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
  return kTypes[channels - 1];
}

}  // namespace

std::vector<std::uint8_t> encode_png(const Raster& raster, const PngOptions& options) {
  require_encodable(raster, options);
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> encoder(spng_ctx_new(SPNG_CTX_ENCODER), spng_ctx_free);
  if (!encoder) throw std::bad_alloc();
  check(spng_set_option(encoder.get(), SPNG_ENCODE_TO_BUFFER, 1));
  check(spng_set_option(encoder.get(), SPNG_IMG_COMPRESSION_LEVEL, options.level));
  // Trying every filter on every row costs more than the compression at low levels.
  if (options.level <= kFastLevel)
    check(spng_set_option(encoder.get(), SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_SUB | SPNG_FILTER_CHOICE_UP));
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(raster.width);
  header.height = static_cast<std::uint32_t>(raster.height);
  header.bit_depth = static_cast<std::uint8_t>(raster.bit_depth);
  header.color_type = colour_type(raster.channels);
  check(spng_set_ihdr(encoder.get(), &header));

  std::vector<spng_text> chunks;
  for (const auto& entry : options.text) {
    if (!entry.second.empty()) chunks.push_back(text_chunk(entry));
  }
  if (!chunks.empty())
    check(spng_set_text(encoder.get(), chunks.data(), static_cast<std::uint32_t>(chunks.size())));

  check(spng_encode_image(encoder.get(), raster.samples.data(), raster.samples.size(), SPNG_FMT_PNG,
                          SPNG_ENCODE_FINALIZE));
  std::size_t size = 0;
  int error = 0;
  const std::unique_ptr<void, void (*)(void*)> buffer(spng_get_png_buffer(encoder.get(), &size, &error),
                                                      std::free);
  check(error);
  const auto* bytes = static_cast<const std::uint8_t*>(buffer.get());
  return {bytes, bytes + size};
}

}  // namespace upbench
