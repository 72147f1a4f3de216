#include "datasets/codec/png_text.h"

#include <stdexcept>

#include <fmt/format.h>
#include <zlib.h>

#include "datasets/codec/png_structure.h"
#include "datasets/safe_text.h"

namespace upbench {
namespace {

constexpr std::size_t kTypeBytes = 4, kChecksumBytes = 4;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The fields of one text chunk, taken off one by one.
class TextChunk {
 public:
  explicit TextChunk(Bytes chunk)
      : type_(text_of(chunk).substr(0, kTypeBytes)),
        rest_(text_of(chunk).substr(kTypeBytes, chunk.size() - kTypeBytes - kChecksumBytes)) {}

  std::string_view type() const { return type_; }
  std::string_view rest() const { return rest_; }

  // Up to the next NUL, which is taken too.
  std::string_view field() {
    const std::size_t end = rest_.find('\0');
    if (end == rest_.npos) throw broken("a field does not end");
    const std::string_view made = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return made;
  }
  int byte() {
    if (rest_.empty()) throw broken("it ends early");
    const int made = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return made;
  }

  std::runtime_error broken(std::string_view why) const {
    return std::runtime_error(fmt::format("PNG has a broken {} chunk: {}", type_, why));
  }

 private:
  std::string_view type_, rest_;
};

void require_checksum(Bytes chunk) {
  const std::size_t covered = chunk.size() - kChecksumBytes;
  const uLong found = crc32(crc32(0, nullptr, 0), chunk.data(), static_cast<uInt>(covered));
  if (found != big_endian_32(chunk, covered))
    throw std::runtime_error(
        fmt::format("PNG has a {} chunk with a wrong checksum", text_of(chunk).substr(0, kTypeBytes)));
}

void require_length(const TextChunk& chunk, std::size_t length) {
  if (length > kMostTextBytes)
    throw chunk.broken(fmt::format("its text has {} bytes, expected at most {}", length, kMostTextBytes));
}

std::string inflated(const TextChunk& chunk) {
  std::string text(kMostTextBytes, '\0');
  uLongf length = text.size();
  if (uncompress(reinterpret_cast<Bytef*>(text.data()), &length,
                 reinterpret_cast<const Bytef*>(chunk.rest().data()), chunk.rest().size()) != Z_OK)
    throw chunk.broken(fmt::format("its text does not inflate to at most {} bytes", kMostTextBytes));
  text.resize(length);
  return text;
}

std::string utf8_of_latin1(std::string_view text) {
  std::string made;
  for (const char character : text) {
    const auto code = static_cast<unsigned char>(character);
    if (code < 0x80) {
      made += character;
    } else {
      made += static_cast<char>(0xC0 | code >> 6);
      made += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return made;
}

// What follows the keyword.
std::string text_after_keyword(TextChunk chunk) {
  if (chunk.type() == "tEXt") {
    require_length(chunk, chunk.rest().size());
    return utf8_of_latin1(chunk.rest());
  }
  const bool international = chunk.type() == "iTXt";
  const bool compressed = !international || chunk.byte() != 0;
  if (chunk.byte() != 0 && compressed) throw chunk.broken("its compression is unknown, expected method 0");
  if (!international) return utf8_of_latin1(inflated(chunk));
  chunk.field();  // language
  chunk.field();  // the keyword in that language
  if (!compressed) require_length(chunk, chunk.rest().size());
  std::string text = compressed ? inflated(chunk) : std::string(chunk.rest());
  if (!is_utf8(text)) throw chunk.broken("its text is not UTF-8");
  return text;
}

}  // namespace

std::optional<std::string> png_text(Bytes file, std::string_view keyword) {
  for (const Bytes whole : read_png_structure(file).texts) {
    TextChunk chunk(whole);
    if (chunk.field() != keyword) continue;
    require_checksum(whole);
    return text_after_keyword(chunk);
  }
  return std::nullopt;
}

}  // namespace upbench
