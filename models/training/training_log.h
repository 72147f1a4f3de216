#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace upbench {

// Every line goes to standard output and to the log file, and is on disk at once.
class TrainingLog {
 public:
  // An empty name: standard output alone. Throws std::system_error where the file cannot be written.
  explicit TrainingLog(const std::filesystem::path& file);
  void line(const std::string& text);

 private:
  std::ofstream file_;
};

// Throws std::invalid_argument where the folder of `out` is not there: found out now, not after minutes of
// training.
void require_folder(const std::filesystem::path& out);

// Parses the command line, then runs `work`; messages and exit codes are those of upbench.
int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& work);

}  // namespace upbench
