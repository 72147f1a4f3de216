#pragma once

#include <chrono>
#include <ctime>

namespace upbench::test {

// Processor time spent so far, in seconds: CLOCK_PROCESS_CPUTIME_ID of all threads, CLOCK_THREAD_CPUTIME_ID
// of the calling one.
inline double processor_seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Seconds since some moment. One thread is timed by the processor time it got, which other programs on the
// machine change little; several by the time that passed.
inline double clock_of(int threads) {
  if (threads == 1) return processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace upbench::test
