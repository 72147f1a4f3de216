#include <fmt/format.h>

#include "cli/command.h"
#include "cli/sweep_options.h"
#include "harness/plan/text.h"

namespace upbench {

void add_plan_command(CLI::App& program, Command& chosen) {
  struct Options {
    SweepCommandOptions sweep;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("plan", "Show what `run` would do, and how long it would take");
  add_sweep_options(*command, options->sweep);
  command->add_flag("--json", options->json, "Print it as JSON");
  command->footer("Example:\n  upbench plan sweep.yaml --models ~/models");
  command->callback([options, &chosen] {
    chosen = [options] {
      options->sweep.sweep.measure_rates = true;
      const Sweep sweep = prepare(options->sweep);
      if (options->json)
        fmt::print("{}\n", plan_to_json(sweep.plan, sweep.spec).dump(2));
      else
        fmt::print("{}", describe_plan(sweep.plan, sweep.spec));
      return static_cast<int>(exit_ok);
    };
  });
}

}  // namespace upbench
