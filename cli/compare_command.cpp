#include <filesystem>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/output_file.h"
#include "reports/gate/calibrate.h"
#include "reports/gate/causes.h"
#include "reports/gate/ci_text.h"
#include "reports/gate/judge.h"
#include "reports/gate/verdict_text.h"

namespace upbench {
namespace {

struct CompareOptions {
  std::vector<std::filesystem::path> files;
  std::filesystem::path base_outputs, policy, junit, markdown, code_quality, badge;
  std::string base_run, run;
  bool json = false, annotate = false, calibrate = false;
};

// 1: the rate of false alarms is shown to be above what is meant.
int calibrate_gate(const CompareOptions& options, const GatePolicy& policy) {
  std::vector<GateSide> sides;
  for (const auto& file : options.files) sides.push_back(load_side(file, options.run));
  const GateCalibration calibration = calibrate(sides, policy);
  if (!options.markdown.empty()) write_output(options.markdown, calibration_markdown(calibration));
  if (options.json)
    write_output("-", calibration_json(calibration));
  else if (options.markdown != "-")
    write_output("-", calibration_markdown(calibration));
  return calibration.alarm_rate.low > calibration.family_error ? exit_regression : exit_ok;
}

void write_verdict(const CompareOptions& options, const GateResult& result) {
  const auto write = [](const std::filesystem::path& file, const std::string& text) {
    if (!file.empty()) write_output(file, text);
  };
  write(options.junit, verdict_junit(result));
  write(options.markdown, verdict_markdown(result));
  write(options.code_quality, code_quality_json(result, options.files[0].generic_string()));
  write(options.badge, verdict_badge(result));
  if (options.json)
    write_output("-", verdict_json(result));
  else if (options.markdown != "-")
    write_output("-", verdict_markdown(result));
  if (options.annotate) write_output("-", github_annotations(result));
}

int compare(const CompareOptions& options) {
  const GatePolicy policy = options.policy.empty() ? GatePolicy{} : read_policy(options.policy);
  if (options.calibrate) return calibrate_gate(options, policy);
  if (options.files.size() != 2)
    throw std::invalid_argument(
        fmt::format("compare: expected BASE and NEW, got {} files (--calibrate takes any "
                    "number)",
                    options.files.size()));
  GateSide base = load_side(options.files[0], options.base_run);
  const GateSide now = load_side(options.files[1], options.run);
  if (!options.base_outputs.empty()) base.outputs = options.base_outputs;
  GateResult result = judge(base, now, policy);
  name_causes(base, now, result);
  write_verdict(options, result);
  return exit_code_of(result);
}

void add_outputs(CLI::App& command, CompareOptions& options) {
  const auto file = [&](const char* name, std::filesystem::path& target, const char* text) {
    command.add_option(name, target, text)->type_name("FILE");
  };
  file("--junit", options.junit, "JUnit XML; - is standard output");
  file("--markdown", options.markdown, "For a pull request or a step summary; - is standard output");
  file("--code-quality", options.code_quality, "GitLab's code quality report (JSON), shown at BASE");
  file("--badge", options.badge, "SVG badge");
  command.add_flag("--annotate", options.annotate, "GitHub annotations on standard output");
  command.add_flag("--json", options.json, "The verdict as JSON on standard output");
}

}  // namespace

void add_compare_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = program.add_subcommand("compare", "Did the last change make it worse? For CI");
  command
      ->add_option("BASE NEW", options->files,
                   "Stores, or baselines saved by `upbench baseline`: to compare with, and to judge")
      ->required();
  command->add_option("--policy", options->policy, "What counts as worse (YAML); sane defaults without")
      ->type_name("FILE");
  add_outputs(*command, *options);
  command->add_option("--base-run", options->base_run,
                      "Run of BASE (key or its beginning); default: the latest");
  command->add_option("--run", options->run, "Run of NEW; default: the latest");
  command
      ->add_option("--base-outputs", options->base_outputs,
                   "Kept pictures of BASE, to tell causes by, where they are not beside it (FILE.db.outputs)")
      ->type_name("DIR");
  command->add_flag(
      "--calibrate", options->calibrate,
      "The files are repeats of one run on one version: how often would they raise a false alarm, "
      "and what would be found?");
  command->footer(
      "Exit 0: no regression. 1: something got worse, or a trial that was ok is not. 3: something required "
      "cannot be told.\n"
      "Example:\n"
      "  upbench baseline main.db -o baseline.json\n"
      "  upbench compare baseline.json branch.db --junit verdict.xml\n"
      "  upbench compare --calibrate main.db again.db");
  command->callback([options, &chosen] { chosen = [options] { return compare(*options); }; });
}

}  // namespace upbench
