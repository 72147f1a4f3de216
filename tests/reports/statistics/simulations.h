#pragma once

#include <string>
#include <vector>

namespace upbench::test {

// What a routine is measured to do on data whose truth is known.
struct Simulated {
  std::string routine;         // "BCa interval of the mean"
  std::string truth;           // what the data are
  std::string measured;        // "coverage", "false rejections"
  double rate = 0;             // of `repeats`
  double width = 0;            // mean width of the interval; NaN: there is none
  double least = 0, most = 1;  // what the rate must lie between
};

// Seeded; the time is proportional to `repeats`.
std::vector<Simulated> simulate_statistics(int repeats);
void simulate_races(std::vector<Simulated>& all, int repeats);  // appends

}  // namespace upbench::test
