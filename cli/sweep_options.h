#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "harness/sweep.h"
#include "harness/worker.h"

namespace upbench {

// Options that `run` and `plan` share, because a plan has to see what the run will see.
struct SweepCommandOptions {
  std::filesystem::path spec;
  std::vector<std::string> overrides;
  bool lenient = false;  // as images.lenient
  SweepOptions sweep;
};

void add_sweep_options(CLI::App& command, SweepCommandOptions& options);

// Reads the spec with its overrides and prepares it.
Sweep prepare(const SweepCommandOptions& options);

// Exit code of a command that ran a sweep and has printed its outcome. Does not return while an abandoned
// trial still computes: its thread must not see the store die.
int finish(const WorkerResult& result);

// How this program was called, for the record.
std::vector<std::string> command_line();

}  // namespace upbench
