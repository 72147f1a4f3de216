#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/dataset_command.h"
#include "cli/left_out.h"
#include "cli/picture_limit.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "datasets/picture_source.h"
#include "datasets/safe_text.h"
#include "datasets/set_check.h"
#include "harness/device.h"

namespace upbench {
namespace {

struct CheckOptions {
  std::filesystem::path set, lr;
  std::string match;
  std::vector<std::string> tags;
  int scale = 0, threads = 0, max_megapixels = 0;
  bool json = false;
};

ImageSetSpec asked_set(const CheckOptions& options) {
  if (options.lr.empty()) {
    if (!options.match.empty()) throw std::invalid_argument("--match: expected with two sets, HR and LR");
    return set_argument(options.set, options.tags, options.scale, ImageSetSpec::LowResolution().kernel);
  }
  if (options.scale > 0 || !options.tags.empty())
    throw std::invalid_argument("--scale and --tags: expected with one set, not with HR and LR");
  return {.hr = options.set, .lr = options.lr, .match = options.match};
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string left_out_text(const SetCheck& check) {
  std::size_t files = 0;
  for (const auto& [suffix, count] : check.left_out) files += count;
  return files == 0 ? ""
                    : fmt::format("; left out {} ({})", counted(files, "other file"),
                                  describe_left_out(check.left_out));
}

std::string line_of(const SetFinding& finding) {
  std::string text = fmt::format("{:<8} ", to_string(finding.severity));
  if (!finding.file.empty()) text += finding.file.string() + ": ";
  return safe_text(text + finding.kind + ": " + finding.text);
}

void print_text(const SetCheck& check) {
  for (const SetFinding& finding : check.findings) fmt::print("{}\n", line_of(finding));
  fmt::print(
      "{}, {} usable, {}, {}, {}; {:.1f} MB, {:.1f} megapixels{}\n", counted(check.pictures, "picture"),
      check.usable, counted(check.count(Severity::problem), "problem"),
      counted(check.count(Severity::warning), "warning"), counted(check.count(Severity::note), "note"),
      static_cast<double>(check.bytes) / 1e6, static_cast<double>(check.pixels) / 1e6, left_out_text(check));
}

nlohmann::json to_json(const SetCheck& check) {
  nlohmann::json findings = nlohmann::json::array();
  for (const SetFinding& finding : check.findings)
    findings.push_back({{"severity", to_string(finding.severity)},
                        {"kind", finding.kind},
                        {"picture", safe_text(finding.picture)},
                        {"file", safe_text(finding.file.string())},
                        {"text", safe_text(finding.text)}});
  return {{"pictures", check.pictures},
          {"usable", check.usable},
          {"problems", check.count(Severity::problem)},
          {"warnings", check.count(Severity::warning)},
          {"notes", check.count(Severity::note)},
          {"bytes", check.bytes},
          {"pixels", check.pixels},
          {"left_out", left_out_json(check.left_out)},
          {"complete", !check.stopped},
          {"findings", findings}};
}

int check(const CheckOptions& options) {
  ImageSetSpec spec = asked_set(options);
  if (options.max_megapixels > 0) spec.max_megapixels = options.max_megapixels;
  SetCheck check;
  {
    StatusLine line;
    SetCheckOptions how{.threads = options.threads > 0 ? options.threads : available_threads(),
                        .on_progress = {},
                        .stop = &catch_stop_signals()};
    if (!options.json)
      how.on_progress = [&](std::size_t done, std::size_t total) { show_pictures(line, done, total); };
    check = check_set(spec, how);
  }
  if (options.json)
    fmt::print("{}\n", to_json(check).dump(2));
  else
    print_text(check);
  if (check.stopped) return stop_exit_code();
  return check.count(Severity::problem) > 0 ? exit_wrong_request : exit_ok;
}

}  // namespace

void add_dataset_check(CLI::App& dataset, Command& chosen) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = dataset.add_subcommand(
      "check", "Decode every picture of a set, and say everything that is wrong with it");
  command
      ->add_option("SET", options->set,
                   "Folder, picture, pattern ('photos/**/*.png'), list (.txt), manifest or spec (.yaml)")
      ->required();
  command->add_option("LR", options->lr,
                      "The low-resolution pictures of SET, which then holds the references");
  command->add_option("--match", options->match, "LR name for an HR name, e.g. '{name}_small'")
      ->type_name("PATTERN");
  command
      ->add_option("--scale", options->scale, "SET holds references; inputs this much smaller will be made")
      ->check(CLI::Range(1, 16));
  command
      ->add_option("--tags", options->tags,
                   "Comma-separated: of a manifest, the items that have one of these")
      ->delimiter(',');
  command->add_option("--threads", options->threads, "Processors to use; 0: every one available")
      ->check(CLI::Range(0, 4096));
  add_max_megapixels(*command, options->max_megapixels);
  command->add_flag("--json", options->json, "Print the findings as JSON");
  command->footer(
      "Problems would fail in a run, warnings and notes would not. Exit code 0: no problem, 2: some.\n"
      "Examples:\n"
      "  upbench dataset check photos/\n"
      "  upbench dataset check Set14/HR Set14/LR_bicubic/X4\n"
      "  upbench dataset check sweep.yaml --json");
  command->callback([options, &chosen] { chosen = [options] { return check(*options); }; });
}

}  // namespace upbench
