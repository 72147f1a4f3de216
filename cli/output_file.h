#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace upbench {

// Writes the text at once and atomically, making folders on the way, and says so on stderr; "-" is standard
// output. Throws std::system_error.
void write_output(const std::filesystem::path& target, const std::string& text);

// The same of a text that `produce` hands over piece by piece.
using TextProducer = std::function<void(const std::function<void(std::string_view)>& write)>;
void write_output(const std::filesystem::path& target, const TextProducer& produce);

}  // namespace upbench
