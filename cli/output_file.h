#pragma once

#include <filesystem>
#include <string>

namespace upbench {

// Writes the text at once and atomically, making folders on the way, and says so on stderr; "-" is standard
// output. Throws std::system_error.
void write_output(const std::filesystem::path& target, const std::string& text);

}  // namespace upbench
