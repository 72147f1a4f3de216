#pragma once

#include <cstdint>
#include <string_view>

namespace upbench {

// Refuses a file that is no checkpoint, saying what it is where its first bytes (up to 512) tell.
[[noreturn]] void refuse_foreign(std::string_view head, std::uint64_t file_bytes);

}  // namespace upbench
