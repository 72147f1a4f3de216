#pragma once

#include <atomic>

namespace upbench {

// After this, the first SIGINT or SIGTERM sets the returned flag (and the program is expected to end within
// seconds); a second one ends the process at once. Call once.
const std::atomic<bool>& catch_stop_signals();

// 128 + the signal that was caught; 0: none.
int stop_exit_code();

// Writing to a closed pipe becomes an error of that write instead of the end of the program.
void ignore_broken_pipe();

}  // namespace upbench
