#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace upbench {

// Readers of one format say what is wrong; read_checkpoint puts the file's name in front.
template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  throw std::invalid_argument(fmt::format(text, std::forward<Args>(args)...));
}

// Text from a file, fit for a message: control characters and broken UTF-8 as \xNN, cut after 80 bytes.
std::string printable(std::string_view text);

// Refuses a tensor's name that is empty, longer than 512 bytes, no UTF-8 or holds a NUL.
void check_tensor_name(std::string_view name);

}  // namespace upbench
