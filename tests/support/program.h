#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace upbench::test {

struct ProgramResult {
  int exit_code = 0;  // 128 + n: ended by signal n
  std::string out, err;
};

// Runs the built upbench with these arguments and waits for it. extra_environment: "NAME=VALUE".
ProgramResult run_upbench(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& extra_environment = {},
                          const std::string& directory = ".");

// Starts it in a process group of its own with all output thrown away; the caller ends or waits for it.
pid_t start_upbench(const std::vector<std::string>& arguments, const std::string& directory = ".");
int wait_for(pid_t process);  // exit code as above

std::string read_text(const std::string& file);
void write_text(const std::string& file, const std::string& text);

}  // namespace upbench::test
