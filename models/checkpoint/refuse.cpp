#include "models/checkpoint/refuse.h"

#include <cstdint>

#include "datasets/safe_text.h"

namespace upbench {
namespace {

constexpr std::size_t kMaxNameBytes = 512;
constexpr std::size_t kMaxShownBytes = 80;

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty() && shown.size() < kMaxShownBytes) {
    const std::size_t length = utf8_length(text);
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
