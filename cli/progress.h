#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "harness/store.h"

namespace upbench {

// Shows how far a sweep is, on stderr: one line redrawn on a terminal, a plain line now and then elsewhere.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();  // ends the redrawn line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // executed: trials run by this process; what was finished before does not count for the rate.
  void show(const Progress& progress, std::uint64_t executed);

 private:
  std::string text(const Progress& progress, std::uint64_t executed) const;

  std::chrono::steady_clock::time_point start_, last_;
  bool terminal_;
  bool drawn_ = false;
};

// "1 h 02 min", "3 min 10 s", "4.2 s"
std::string format_duration(double seconds);

}  // namespace upbench
