#include <clocale>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/signals.h"
#include "datasets/allocator.h"
#include "datasets/safe_text.h"
#include "harness/device.h"
#include "harness/environment.h"
#include "harness/spec.h"
#include "harness/store.h"

namespace upbench {
namespace {

int complain(const std::string& text, int code) {
  fmt::print(stderr, "upbench: {}\n", safe_text(text));
  return code;
}

int run_guarded(const Command& command) {
  try {
    return command();
  } catch (const StoreError& error) {
    return complain(error.what(), error.exit_code);
  } catch (const DeviceError& error) {
    return complain(error.what(), exit_environment);
  } catch (const std::invalid_argument& error) {
    return complain(error.what(), exit_wrong_request);
  } catch (const std::filesystem::filesystem_error& error) {
    return complain(fmt::format("{}: {}", error.path1().string(), error.code().message()), exit_environment);
  } catch (const std::system_error& error) {
    return complain(error.what(), exit_environment);
  } catch (const c10::Error& error) {
    return complain(fmt::format("internal error: {}", error.what_without_backtrace()), exit_internal);
  } catch (const std::runtime_error& error) {
    return complain(error.what(), exit_wrong_request);
  } catch (const std::exception& error) {
    return complain(fmt::format("internal error: {}", error.what()), exit_internal);
  }
}

}  // namespace

int run_program(int argc, char** argv) {
  keep_freed_memory();
  ignore_broken_pipe();
  CLI::App program(
      "upbench: which upscaler, with which settings, is best for these pictures, and at what cost.",
      "upbench");
  program.set_version_flag("--version", [] { return "upbench " + program_version(); });
  program.require_subcommand(1);
  program.footer(
      "Exit codes: 0 ok, 1 regression found, 2 wrong request or refused file, 3 incomplete, 4 environment, "
      "70 internal error, "
      "128+n signal.\nupbench COMMAND --help shows a command's options and examples.");
  Command chosen;
  for (const auto add : {add_run_command, add_plan_command, add_report_command, add_compare_command,
                         add_baseline_command, add_history_command, add_score_command, add_upscale_command,
                         add_inspect_command, add_dataset_command, add_list_command, add_trace_command,
                         add_status_command, add_doctor_command, add_calibrate_command, add_review_command})
    add(program, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);  // --help, --version
    return complain(fmt::format("{} (upbench --help shows how)", error.what()), exit_wrong_request);
  }
  return run_guarded(chosen);
}

}  // namespace upbench

int main(int argc, char** argv) {
  return upbench::run_program(argc, argv);
}
