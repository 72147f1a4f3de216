#include "tests/support/program.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/assets.h"

namespace upbench::test {
namespace {

[[noreturn]] void become_upbench(const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& environment, const std::string& directory) {
  for (const std::string& variable : environment) {
    const auto equals = variable.find('=');
    setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  std::vector<char*> argv{const_cast<char*>(UPBENCH_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  if (chdir(directory.c_str()) == 0) execv(UPBENCH_PROGRAM, argv.data());
  _exit(127);
}

pid_t start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
            const std::string& directory, const std::string& out, const std::string& err) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child > 0) return child;
  setpgid(0, 0);
  const int in_fd = open("/dev/null", O_RDONLY);
  const int out_fd = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err_fd = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (in_fd < 0 || out_fd < 0 || err_fd < 0 || dup2(in_fd, 0) < 0 || dup2(out_fd, 1) < 0 ||
      dup2(err_fd, 2) < 0)
    _exit(127);
  become_upbench(arguments, environment, directory);
}

}  // namespace

ProgramResult run_upbench(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& extra_environment, const std::string& directory) {
  const TemporaryFolder folder;
  const std::string out = (folder / "out").string(), err = (folder / "err").string();
  ProgramResult result;
  result.exit_code = wait_for(start(arguments, extra_environment, directory, out, err));
  result.out = read_text(out);
  result.err = read_text(err);
  return result;
}

pid_t start_upbench(const std::vector<std::string>& arguments, const std::string& directory) {
  return start(arguments, {}, directory, "/dev/null", "/dev/null");
}

int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("waitpid failed");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string read_text(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_text(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace upbench::test
