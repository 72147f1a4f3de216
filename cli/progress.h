#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "harness/store.h"

namespace upbench {

// Text on stderr that says how far a command is: one line redrawn on a terminal, a plain line now and then
// elsewhere.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine();  // ends the redrawn line
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  bool on_terminal() const { return terminal_; }
  double seconds() const;      // since the beginning
  bool is_due(bool finished);  // whether enough time has passed; then the caller draws
  void draw(std::string_view text);
  void note(std::string_view text);  // on a line of its own

 private:
  std::chrono::steady_clock::time_point start_, last_;
  bool terminal_;
  bool drawn_ = false;
};

// How far a command is that takes one picture after the other.
void show_pictures(StatusLine& line, std::size_t done, std::size_t total);

// Shows how far a sweep is.
class ProgressLine {
 public:
  // executed: trials run by this process; what was finished before does not count for the rate.
  void show(const Progress& progress, std::uint64_t executed);
  void note(const std::string& text);  // the first time it is said

 private:
  std::string text(const Progress& progress, std::uint64_t executed) const;

  StatusLine line_;
  std::set<std::string> noted_;
};

// "1 h 02 min", "3 min 10 s", "4.2 s"
std::string format_duration(double seconds);

}  // namespace upbench
