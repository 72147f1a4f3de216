#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/output_file.h"
#include "reports/history.h"

namespace upbench {
namespace {

struct AddOptions {
  std::filesystem::path history, store;
  std::string revision, run;
};

struct ShowOptions {
  std::filesystem::path history, policy, markdown;
  bool json = false;
};

std::string first_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

// The commit that is checked out in the folder the program runs in, as git's own files say it; empty: none.
std::string checked_out_commit() {
  std::filesystem::path folder = std::filesystem::current_path();
  while (!std::filesystem::exists(folder / ".git/HEAD")) {
    if (folder == folder.root_path()) return {};
    folder = folder.parent_path();
  }
  std::string head = first_line(folder / ".git/HEAD");
  constexpr std::string_view kReference = "ref: ";
  if (!head.starts_with(kReference)) return head;
  const std::string name = head.substr(kReference.size());
  if (std::string commit = first_line(folder / ".git" / name); !commit.empty()) return commit;
  std::ifstream packed(folder / ".git/packed-refs");
  for (std::string line; std::getline(packed, line);)
    if (line.ends_with(" " + name)) return line.substr(0, line.find(' '));
  return {};
}

// What CI services call the commit; else what git says.
std::string current_revision() {
  for (const char* name : {"GITHUB_SHA", "CI_COMMIT_SHA", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "GIT_COMMIT",
                           "BUILD_SOURCEVERSION"})
    if (const char* value = std::getenv(name); value && *value) return value;
  return checked_out_commit();
}

int add(const AddOptions& options) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const HistoryEntry entry{options.revision.empty() ? current_revision() : options.revision,
                           fmt::format("{:%FT%TZ}", fmt::gmtime(now)), load_side(options.store, options.run)};
  add_to_history(options.history, entry);
  fmt::print(stderr, "upbench: added {} of {} to {}\n", entry.side.run,
             entry.revision.empty() ? "no known revision" : entry.revision, options.history.string());
  return exit_ok;
}

int show(const ShowOptions& options) {
  const GatePolicy policy = options.policy.empty() ? GatePolicy{} : read_policy(options.policy);
  const HistoryReport report = report_history(read_history(options.history), policy);
  if (!options.markdown.empty()) write_output(options.markdown, history_markdown(report));
  if (options.json)
    write_output("-", history_json(report));
  else if (options.markdown != "-")
    write_output("-", history_text(report));
  return exit_ok;
}

void add_add(CLI::App& history, Command& chosen) {
  auto options = std::make_shared<AddOptions>();
  CLI::App* command = history.add_subcommand("add", "Append a run to a history");
  command->add_option("HISTORY", options->history, "Text file, one run a line; made where there is none")
      ->required();
  command->add_option("STORE", options->store, "Store, or baseline saved by `upbench baseline`")->required();
  command->add_option("--revision", options->revision,
                      "What was measured; default: the commit that CI or git names, else none");
  command->add_option("--run", options->run, "Run of STORE (key or its beginning); default: the latest");
  command->callback([options, &chosen] { chosen = [options] { return add(*options); }; });
}

void add_show(CLI::App& history, Command& chosen) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command = history.add_subcommand("show", "When did results change, and between which revisions?");
  command->add_option("HISTORY", options->history, "File that `upbench history add` wrote")->required();
  command->add_option("--policy", options->policy, "Its tolerances decide which changes are shown (YAML)")
      ->type_name("FILE");
  command->add_option("--markdown", options->markdown, "The same as markdown; - is standard output")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Series and changes as JSON on standard output");
  command->callback([options, &chosen] { chosen = [options] { return show(*options); }; });
}

}  // namespace

void add_history_command(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand("history", "Results over many versions, and when they changed");
  command->require_subcommand(1);
  add_add(*command, chosen);
  add_show(*command, chosen);
  command->footer(
      "Example:\n"
      "  upbench run sweep.yaml --store new.db\n"
      "  upbench history add history.jsonl new.db\n"
      "  upbench history show history.jsonl");
}

}  // namespace upbench
