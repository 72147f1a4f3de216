#include "cli/progress.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace upbench {
namespace {

constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::seconds kPlainLine{10};
constexpr int kBarWidth = 24;

}  // namespace

std::string format_duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

ProgressLine::ProgressLine()
    : start_(std::chrono::steady_clock::now()), last_(start_), terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (drawn_) fmt::print(stderr, "\n");
}

void ProgressLine::show(const Progress& progress, std::uint64_t executed) {
  const auto now = std::chrono::steady_clock::now();
  const bool finished = progress.done() == progress.total;
  if (now - last_ < (terminal_ ? std::chrono::steady_clock::duration(kRedraw)
                               : std::chrono::steady_clock::duration(kPlainLine)) &&
      !(finished && terminal_))
    return;
  last_ = now;
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", text(progress, executed));
    std::fflush(stderr);
    drawn_ = true;
  } else {
    fmt::print(stderr, "upbench: {}\n", text(progress, executed));
  }
}

std::string ProgressLine::text(const Progress& progress, std::uint64_t executed) const {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double share =
      progress.total == 0 ? 1 : static_cast<double>(progress.done()) / static_cast<double>(progress.total);
  std::string line;
  if (terminal_) {
    const int filled = static_cast<int>(share * kBarWidth);
    line = fmt::format("[{}{}] ", std::string(filled, '#'), std::string(kBarWidth - filled, '.'));
  }
  line += fmt::format("{}/{} trials", progress.done(), progress.total);
  if (progress.failed > 0) line += fmt::format(", {} failed", progress.failed);
  line += fmt::format(", {}", format_duration(elapsed));
  if (executed > 0 && progress.ready + progress.leased > 0)
    line += fmt::format(", about {} left",
                        format_duration(elapsed / static_cast<double>(executed) *
                                        static_cast<double>(progress.ready + progress.leased)));
  return line;
}

}  // namespace upbench
