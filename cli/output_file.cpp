#include "cli/output_file.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

#include "datasets/codec/encode.h"

namespace upbench {

void write_output(const std::filesystem::path& target, const std::string& text) {
  if (target == "-") {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      throw std::system_error(errno, std::generic_category(), "standard output");
    return;
  }
  if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path());
  write_file_atomically(target, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  fmt::print(stderr, "upbench: wrote {}\n", target.string());
}

}  // namespace upbench
