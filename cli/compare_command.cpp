#include <filesystem>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/output_file.h"
#include "reports/gate/judge.h"
#include "reports/gate/verdict_text.h"

namespace upbench {
namespace {

struct CompareOptions {
  std::filesystem::path base, now, policy, junit, markdown;
  std::string base_run, run;
  bool json = false;
};

int compare(const CompareOptions& options) {
  const GatePolicy policy = options.policy.empty() ? GatePolicy{} : read_policy(options.policy);
  const GateResult result =
      judge(load_side(options.base, options.base_run), load_side(options.now, options.run), policy);
  if (!options.junit.empty()) write_output(options.junit, verdict_junit(result));
  if (!options.markdown.empty()) write_output(options.markdown, verdict_markdown(result));
  if (options.json)
    write_output("-", verdict_json(result));
  else if (options.markdown != "-")
    write_output("-", verdict_markdown(result));
  return exit_code_of(result);
}

}  // namespace

void add_compare_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = program.add_subcommand("compare", "Did the last change make it worse? For CI");
  command->add_option("BASE", options->base, "Store, or baseline saved by `upbench baseline`")->required();
  command->add_option("NEW", options->now, "Store or baseline to judge")->required();
  command->add_option("--policy", options->policy, "What counts as worse (YAML); sane defaults without")
      ->type_name("FILE");
  command->add_option("--junit", options->junit, "JUnit XML; - is standard output")->type_name("FILE");
  command->add_option("--markdown", options->markdown, "For a pull request; - is standard output")
      ->type_name("FILE");
  command->add_option("--base-run", options->base_run,
                      "Run of BASE (key or its beginning); default: the latest");
  command->add_option("--run", options->run, "Run of NEW; default: the latest");
  command->add_flag("--json", options->json, "The verdict as JSON on standard output");
  command->footer(
      "Exit 0: no regression. 1: something got worse, or a trial that was ok is not. 3: something required "
      "cannot be told.\n"
      "Example:\n"
      "  upbench baseline main.db -o baseline.json\n"
      "  upbench compare baseline.json branch.db --junit verdict.xml");
  command->callback([options, &chosen] { chosen = [options] { return compare(*options); }; });
}

}  // namespace upbench
