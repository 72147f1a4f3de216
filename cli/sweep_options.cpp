#include "cli/sweep_options.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

#include <unistd.h>

#include "cli/command.h"
#include "cli/signals.h"

namespace upbench {

void add_sweep_options(CLI::App& command, SweepCommandOptions& options) {
  command.add_option("SPEC", options.spec, "Spec file (YAML): pictures, pipeline with axes, metrics")
      ->required();
  command
      .add_option("--set", options.overrides,
                  "Override a value of the spec, e.g. --set images.limit=2 or --set upscale.tile=[none,64]")
      ->type_name("PATH=VALUE");
  command.add_flag("--lenient", options.lenient,
                   "Decode a JPEG with damaged data as far as that goes, and flag its trials input_corrupt; "
                   "otherwise they fail");
  command.add_option("--device", options.sweep.device, "auto, cpu, cuda:N, or several: cuda:0,cuda:1")
      ->capture_default_str();
  command.add_option("--threads", options.sweep.threads, "Processors to use in all; 0: every one available")
      ->check(CLI::Range(0, 4096));
  command
      .add_option(
          "--parallel-trials", options.sweep.parallel_trials,
          "Trials to compute side by side on a CPU, which share --threads; 0: as many as memory holds")
      ->check(CLI::Range(0, 4096));
  command.add_flag("--fast", options.sweep.fast,
                   "Let cuDNN try algorithms and take the fastest: last digits may differ from run to run "
                   "(recorded; nothing changes on the CPU)");
  command
      .add_option("--models", options.sweep.model_dirs,
                  "Folder to look for model files by name (may be repeated)")
      ->type_name("DIR");
}

Sweep prepare(const SweepCommandOptions& options) {
  SweepOptions sweep = options.sweep;
  sweep.command = command_line();
  Spec spec = read_spec(options.spec, options.overrides);
  spec.images.lenient = spec.images.lenient || options.lenient;
  return prepare_sweep(std::move(spec), sweep);
}

int finish(const WorkerResult& result) {
  std::fflush(stdout);
  if (result.abandoned) _exit(stop_exit_code());
  if (result.interrupted) return stop_exit_code();
  return result.progress.failed > 0 ? exit_incomplete : exit_ok;
}

std::vector<std::string> command_line() {
  // /proc/self/cmdline: arguments separated by NUL, so that no global has to carry argv.
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

}  // namespace upbench
