#include "tests/support/peak_memory.h"

#include <exception>

#include <ATen/Parallel.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace upbench::test {

std::int64_t peak_megabytes(const std::function<void()>& work) {
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // KiB; of a new process: from its fork on
  };
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    at::set_num_threads(1);  // the pool of threads does not survive a fork
    const std::int64_t before = peak();
    std::int64_t grown = -1;
    try {
      work();
      grown = (peak() - before) / 1024;
    } catch (const std::exception&) {
    }
    _exit(write(ends[1], &grown, sizeof grown) == sizeof grown ? 0 : 1);
  }
  close(ends[1]);
  std::int64_t grown = -1;
  if (read(ends[0], &grown, sizeof grown) != sizeof grown) grown = -1;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return grown;
}

}  // namespace upbench::test
