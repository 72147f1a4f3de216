#include <filesystem>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/left_out.h"
#include "cli/output_file.h"
#include "cli/rate_plan.h"
#include "cli/sweep_options.h"
#include "harness/plan/text.h"
#include "harness/plan/tile_figure.h"

namespace upbench {

void add_plan_command(CLI::App& program, Command& chosen) {
  struct Options {
    SweepCommandOptions sweep;
    RatePlanOptions rates;
    bool json = false;
    std::string tiles;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("plan", "Show what `run` would do, and how long it would take");
  add_sweep_options(*command, options->sweep);
  command->get_option("SPEC")->required(false);
  add_rate_options(*command, options->rates);
  command->add_flag("--json", options->json, "Print it as JSON");
  command
      ->add_option("--tiles", options->tiles,
                   "Folder for drawings of the tiles of refine stages, one SVG a cell and stage")
      ->type_name("DIR");
  command->footer(
      "Examples:\n  upbench plan sweep.yaml --models ~/models\n"
      "  upbench plan --rate 0.02 --detect 0.04 --power 0.8");
  command->callback([options, &chosen] {
    chosen = [options] {
      if (options->rates.rate > 0 || options->rates.detect > 0) {
        if (!options->sweep.spec.empty())
          throw std::invalid_argument("plan: expected a spec, or --rate and --detect, not both");
        fmt::print("{}", describe_rate_plan(options->rates));
        return static_cast<int>(exit_ok);
      }
      if (options->sweep.spec.empty())
        throw std::invalid_argument("plan: expected a spec, or --rate and --detect");
      options->sweep.sweep.measure_rates = true;
      const Sweep sweep = prepare(options->sweep);
      if (options->json) {
        nlohmann::json plan = plan_to_json(sweep.plan, sweep.spec);
        plan["left_out"] = left_out_json(sweep.left_out);
        fmt::print("{}\n", plan.dump(2));
      } else {
        note_left_out(sweep.left_out);
        fmt::print("{}", describe_plan(sweep.plan, sweep.spec));
      }
      if (!options->tiles.empty())
        for (const auto& [name, svg] : tile_figures(sweep.plan))
          write_output(std::filesystem::path(options->tiles) / (name + ".svg"), svg);
      return static_cast<int>(exit_ok);
    };
  });
}

}  // namespace upbench
