#include <filesystem>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/sweep_options.h"
#include "harness/plan/text.h"
#include "harness/plan/tile_figure.h"

namespace upbench {

void add_plan_command(CLI::App& program, Command& chosen) {
  struct Options {
    SweepCommandOptions sweep;
    bool json = false;
    std::string tiles;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("plan", "Show what `run` would do, and how long it would take");
  add_sweep_options(*command, options->sweep);
  command->add_flag("--json", options->json, "Print it as JSON");
  command
      ->add_option("--tiles", options->tiles,
                   "Folder for drawings of the tiles of refine stages, one SVG a cell and stage")
      ->type_name("DIR");
  command->footer("Example:\n  upbench plan sweep.yaml --models ~/models");
  command->callback([options, &chosen] {
    chosen = [options] {
      options->sweep.sweep.measure_rates = true;
      const Sweep sweep = prepare(options->sweep);
      if (options->json)
        fmt::print("{}\n", plan_to_json(sweep.plan, sweep.spec).dump(2));
      else
        fmt::print("{}", describe_plan(sweep.plan, sweep.spec));
      if (!options->tiles.empty())
        for (const auto& [name, svg] : tile_figures(sweep.plan))
          write_output(std::filesystem::path(options->tiles) / (name + ".svg"), svg);
      return static_cast<int>(exit_ok);
    };
  });
}

}  // namespace upbench
