#include "cli/signals.h"

#include <csignal>

#include <unistd.h>

namespace upbench {
namespace {

std::atomic<bool> stop{false};
volatile std::sig_atomic_t caught = 0;

void on_signal(int number) {
  if (caught != 0) _exit(128 + number);
  caught = number;
  stop = true;
}

}  // namespace

const std::atomic<bool>& catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  return stop;
}

int stop_exit_code() {
  return caught == 0 ? 0 : 128 + caught;
}

void ignore_broken_pipe() {
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace upbench
