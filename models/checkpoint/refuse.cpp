#include "models/checkpoint/refuse.h"

#include <cstdint>

namespace upbench {
namespace {

constexpr std::size_t kMaxNameBytes = 512;
constexpr std::size_t kMaxShownBytes = 80;

// Length of the well-formed UTF-8 sequence at the start of text; 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 2) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF: told by the second byte.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) >= 0xA0) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) >= 0x90) return 0;
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty() && shown.size() < kMaxShownBytes) {
    const std::size_t length = sequence_length(text);
    const auto lead = static_cast<std::uint8_t>(text[0]);
    if (length == 0 || lead < 0x20 || lead == 0x7F) {
      shown += fmt::format("\\x{:02x}", lead);
      text.remove_prefix(1);
    } else {
      shown += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return text.empty() ? shown : shown + "...";
}

void check_tensor_name(std::string_view name) {
  if (name.empty()) refuse("a tensor's name is empty");
  if (name.size() > kMaxNameBytes) {
    refuse("a tensor's name has {} bytes, expected at most {}: '{}'", name.size(), kMaxNameBytes,
           printable(name));
  }
  if (name.find('\0') != name.npos) refuse("tensor name '{}' holds a NUL", printable(name));
  if (!is_utf8(name)) refuse("tensor name '{}' is no UTF-8", printable(name));
}

}  // namespace upbench
