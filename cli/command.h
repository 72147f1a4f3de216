#pragma once

#include <functional>

#include <CLI/CLI.hpp>

namespace upbench {

// Exit codes of every subcommand (DESIGN section 3). 128 + n: ended by signal n.
enum ExitCode {
  exit_ok = 0,
  exit_regression = 1,
  exit_wrong_request = 2,
  exit_incomplete = 3,
  exit_environment = 4,
  exit_internal = 70
};

// Each adds its subcommand to the program; when the command line chose it, `chosen` becomes what to run.
using Command = std::function<int()>;
void add_run_command(CLI::App& program, Command& chosen);
void add_plan_command(CLI::App& program, Command& chosen);
void add_report_command(CLI::App& program, Command& chosen);
void add_compare_command(CLI::App& program, Command& chosen);
void add_baseline_command(CLI::App& program, Command& chosen);
void add_calibrate_command(CLI::App& program, Command& chosen);
void add_review_command(CLI::App& program, Command& chosen);
void add_history_command(CLI::App& program, Command& chosen);
void add_score_command(CLI::App& program, Command& chosen);
void add_upscale_command(CLI::App& program, Command& chosen);
void add_inspect_command(CLI::App& program, Command& chosen);
void add_list_command(CLI::App& program, Command& chosen);
void add_dataset_command(CLI::App& program, Command& chosen);
void add_doctor_command(CLI::App& program, Command& chosen);
void add_status_command(CLI::App& program, Command& chosen);
void add_trace_command(CLI::App& program, Command& chosen);

}  // namespace upbench
