#include "cli/progress.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "datasets/safe_text.h"

namespace upbench {
namespace {

constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::seconds kPlainLine{10};
constexpr int kBarWidth = 24;

// "[####....] " on a terminal; empty elsewhere.
std::string progress_bar(const StatusLine& line, double share) {
  if (!line.on_terminal()) return "";
  const int filled = static_cast<int>(share * kBarWidth);
  return fmt::format("[{}{}] ", std::string(filled, '#'), std::string(kBarWidth - filled, '.'));
}

}  // namespace

std::string format_duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

StatusLine::StatusLine()
    : start_(std::chrono::steady_clock::now()), last_(start_), terminal_(isatty(STDERR_FILENO) == 1) {}

StatusLine::~StatusLine() {
  if (drawn_) fmt::print(stderr, "\n");
}

double StatusLine::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool StatusLine::is_due(bool finished) {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::steady_clock::duration pause =
      terminal_ ? kRedraw : std::chrono::milliseconds(kPlainLine);
  if (now - last_ < pause && !(finished && terminal_)) return false;
  last_ = now;
  return true;
}

void StatusLine::draw(std::string_view text) {
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
    drawn_ = true;
  } else {
    fmt::print(stderr, "upbench: {}\n", text);
  }
}

void StatusLine::note(std::string_view text) {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  drawn_ = false;
  fmt::print(stderr, "upbench: {}\n", safe_text(text));
}

void show_pictures(StatusLine& line, std::size_t done, std::size_t total) {
  if (!line.is_due(done == total)) return;
  const double share = static_cast<double>(done) / static_cast<double>(total);
  line.draw(fmt::format("{}{}/{} pictures, {}", progress_bar(line, share), done, total,
                        format_duration(line.seconds())));
}

void ProgressLine::show(const Progress& progress, std::uint64_t executed) {
  if (line_.is_due(progress.done() == progress.total)) line_.draw(text(progress, executed));
}

void ProgressLine::note(const std::string& text) {
  if (noted_.insert(text).second) line_.note("note: " + text);
}

std::string ProgressLine::text(const Progress& progress, std::uint64_t executed) const {
  const double elapsed = line_.seconds();
  const double share =
      progress.total == 0 ? 1 : static_cast<double>(progress.done()) / static_cast<double>(progress.total);
  std::string line = progress_bar(line_, share);
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
