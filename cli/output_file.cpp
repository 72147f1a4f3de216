#include "cli/output_file.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

#include "datasets/codec/atomic_file.h"

namespace upbench {

namespace {

constexpr std::size_t kPiece = 1 << 20;  // bytes that are gathered before they are written

void print_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    throw std::system_error(errno, std::generic_category(), "standard output");
}

}  // namespace

void write_output(const std::filesystem::path& target, const TextProducer& produce) {
  if (target == "-") {
    produce(print_out);
    if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "standard output");
    return;
  }
  if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path());
  AtomicFile file(target);
  std::string gathered;
  produce([&](std::string_view text) {
    gathered += text;
    if (gathered.size() < kPiece) return;
    file.write(gathered);
    gathered.clear();
  });
  file.write(gathered);
  file.commit();
  fmt::print(stderr, "upbench: wrote {}\n", target.string());
}

void write_output(const std::filesystem::path& target, const std::string& text) {
  write_output(target, [&](const auto& write) { write(text); });
}

}  // namespace upbench
