#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/sweep_options.h"
#include "harness/worker.h"
#include "reports/report.h"

namespace upbench {
namespace {

struct RunOptions {
  SweepCommandOptions sweep;
  std::filesystem::path store;
  std::string keep_outputs = "auto";
  std::string only;
  bool json = false;
};

std::string label_text(const std::vector<std::pair<std::string, std::string>>& label) {
  std::string text;
  for (const auto& [path, value] : label)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", path, value);
  return text;
}

void announce(const Sweep& sweep, const std::filesystem::path& store) {
  const Plan& plan = sweep.plan;
  fmt::print(stderr,
             "upbench: {}: {} cells x {} pictures x {} seeds = {} trials ({} to run), {}, results in {}\n",
             sweep.spec.name, plan.rows.cells.size(), plan.rows.images.size(), sweep.spec.seeds.size(),
             plan.rows.trials.size(), plan.executions, sweep.device.description, store.string());
  for (const Excluded& excluded : plan.excluded)
    fmt::print(stderr, "upbench: left out: {}: {} ({} trials)\n", label_text(excluded.label), excluded.reason,
               excluded.trials);
}

nlohmann::json to_json(const WorkerResult& result, const Sweep& sweep, const std::filesystem::path& store) {
  const Progress& progress = result.progress;
  return {{"name", sweep.spec.name},
          {"store", store.string()},
          {"run", sweep.plan.rows.run.key.hex()},
          {"trials", progress.total},
          {"ok", progress.ok},
          {"failed", progress.failed},
          {"skipped", progress.skipped},
          {"executed", result.executed},
          {"reused", result.reused},
          {"stages", result.stages},
          {"model_loads", result.model_loads},
          {"seconds", result.seconds},
          {"interrupted", result.interrupted}};
}

void print_result(const WorkerResult& result, const Store& store, const Sweep& sweep) {
  const Progress& progress = result.progress;
  if (result.interrupted) {
    fmt::print(stderr, "upbench: stopped after {} of {} trials; start it again to go on\n", progress.done(),
               progress.total);
    return;
  }
  fmt::print("{}\n", report_ranking_text(load_run(store, sweep.plan.rows.run.key)));
  const std::string reused =
      result.reused > 0 ? fmt::format(" ({} of them from outputs in the store)", result.reused) : "";
  fmt::print(
      "{} trials: {} ok, {} failed, {} skipped; {} run now{} in {}. Report: upbench report {} --html "
      "report.html\n",
      progress.total, progress.ok, progress.failed, progress.skipped, result.executed, reused,
      format_duration(result.seconds), store.file().string());
}

int run(const RunOptions& options) {
  const Sweep sweep = prepare(options.sweep);
  const std::filesystem::path file =
      options.store.empty() ? std::filesystem::path(sweep.spec.name + ".db") : options.store;
  Store store(file);
  if (!options.json) announce(sweep, file);

  WorkerResult result;
  {
    ProgressLine line;
    WorkerOptions worker{.keep_outputs = parse_keep_outputs(options.keep_outputs),
                         .only_failed = options.only == "failed",
                         .stop = &catch_stop_signals(),
                         .on_progress = {}};
    if (!options.json)
      worker.on_progress = [&](const Progress& progress, std::uint64_t executed) {
        line.show(progress, executed);
      };
    result = run_sweep(sweep, store, worker);
  }
  if (options.json)
    fmt::print("{}\n", to_json(result, sweep, file).dump(2));
  else
    print_result(result, store, sweep);
  return finish(result);
}

}  // namespace

void add_run_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = program.add_subcommand("run", "Run a sweep, or resume it");
  add_sweep_options(*command, options->sweep);
  command->add_option("--store", options->store, "Where results go and are resumed from (default ./NAME.db)")
      ->type_name("FILE");
  command
      ->add_option("--keep-outputs", options->keep_outputs,
                   "Output pictures beside the store: auto (when at most 2 GB), all, none")
      ->check(CLI::IsMember({"auto", "all", "none"}))
      ->capture_default_str();
  command->add_option("--only", options->only, "failed: run the failed trials again")
      ->check(CLI::IsMember({"failed"}));
  command->add_flag("--json", options->json, "Print the outcome as JSON, no progress");
  command->footer(
      "Examples:\n"
      "  upbench run experiments/quickstart.yaml\n"
      "  upbench run sweep.yaml --models ~/models --store results.db --set images.limit=5\n"
      "Interrupted by Ctrl-C or kill, the same command goes on where it stopped.");
  command->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace upbench
