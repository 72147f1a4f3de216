#include <filesystem>

#include "cli/command.h"
#include "cli/output_file.h"
#include "reports/gate/side.h"

namespace upbench {
namespace {

struct BaselineOptions {
  std::filesystem::path store, output = "-";
  std::string run;
  bool portable = false;
};

int save(const BaselineOptions& options) {
  GateSide side = load_side(options.store, options.run);
  if (options.portable) leave_out_machine(side);
  write_output(options.output, baseline_text(side));
  return exit_ok;
}

}  // namespace

void add_baseline_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<BaselineOptions>();
  CLI::App* command =
      program.add_subcommand("baseline", "Save a run's scores as a small file to compare with later");
  command->add_option("STORE", options->store, "Store file (.db)")->required();
  command->add_option("-o,--output", options->output, "JSON, one trial a line; - is standard output")
      ->type_name("FILE");
  command->add_option("--run", options->run, "Run key or its beginning; default: the latest");
  command->add_flag("--portable", options->portable,
                    "Leave out the machine and its times: for a baseline that any machine compares with");
  command->footer("Example:\n  upbench baseline sweep.db -o baseline.json");
  command->callback([options, &chosen] { chosen = [options] { return save(*options); }; });
}

}  // namespace upbench
