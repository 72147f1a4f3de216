#include "models/training/training_log.h"

#include <cstdio>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace upbench {

TrainingLog::TrainingLog(const std::filesystem::path& file) {
  if (file.empty()) return;
  file_.open(file);
  if (!file_) throw std::system_error(errno, std::generic_category(), file.string() + ": cannot be written");
}

void TrainingLog::line(const std::string& text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
  if (file_.is_open()) file_ << text << std::endl;
}

void require_folder(const std::filesystem::path& out) {
  const std::filesystem::path folder = out.has_parent_path() ? out.parent_path() : ".";
  if (!std::filesystem::is_directory(folder))
    throw std::invalid_argument(fmt::format("{}: no such folder", out.string()));
}

int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& work) {
  const auto failed = [&](const std::exception& error, int code) {
    fmt::print(stderr, "{}: {}\n", app.get_name(), error.what());
    return code;
  };
  try {
    app.parse(argc, argv);
    work();
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::invalid_argument& error) {
    return failed(error, 2);
  } catch (const std::system_error& error) {
    return failed(error, 4);
  } catch (const std::exception& error) {
    return failed(error, 70);
  }
}

}  // namespace upbench
