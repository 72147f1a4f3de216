#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/adaptive_options.h"
#include "cli/command.h"
#include "cli/left_out.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/sweep_options.h"
#include "datasets/codec/encode.h"
#include "harness/timing/measure.h"
#include "harness/worker.h"
#include "reports/report.h"

namespace upbench {
namespace {

struct RunOptions {
  SweepCommandOptions sweep;
  std::filesystem::path store;
  std::string keep_outputs = "auto";
  std::string only;
  AdaptiveCommandOptions adaptive;
  bool time = false;
  double time_budget = MeasureOptions{}.budget_s;
  bool verify = false, json = false;
};

void announce(const Sweep& sweep, const std::filesystem::path& store) {
  const Plan& plan = sweep.plan;
  fmt::print(stderr,
             "upbench: {}: {} cells x {} pictures x {} seeds = {} trials ({} to run), {}, results in {}\n",
             sweep.spec.name, plan.rows.cells.size(), plan.rows.images.size(), sweep.spec.seeds.size(),
             plan.rows.trials.size(), plan.executions, sweep.device.description, store.string());
  if (!sweep.device.notice.empty()) fmt::print(stderr, "upbench: note: {}\n", sweep.device.notice);
  note_left_out(sweep.left_out);
  for (const Excluded& excluded : plan.excluded)
    fmt::print(stderr, "upbench: left out: {}: {} ({} trials)\n", label_text(excluded.label), excluded.reason,
               excluded.trials);
}

nlohmann::json to_json(const WorkerResult& result, const MeasureResult& timing, const Sweep& sweep,
                       const std::filesystem::path& store) {
  const Progress& progress = result.progress;
  return {{"timing",
           {{"measured", timing.measured},
            {"known", timing.known},
            {"failures", timing.failures},
            {"flags", timing.flags}}},
          {"name", sweep.spec.name},
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
          {"left_out", left_out_json(sweep.left_out)},
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

// Model time of what is finished; says what it does and what is wrong.
MeasureResult measure(const Sweep& sweep, Store& store, const RunOptions& options) {
  MeasureOptions measuring{.thorough = options.time,
                           .budget_s = options.time_budget,
                           .stop = &catch_stop_signals(),
                           .on_progress = {}};
  if (!options.json)
    measuring.on_progress = [](const std::string& text) { fmt::print(stderr, "upbench: {}\n", text); };
  MeasureResult timing = measure_model_times(sweep, store, measuring);
  if (options.json) return timing;
  for (const std::string& failure : timing.failures)
    fmt::print(stderr, "upbench: no model time: {}\n", failure);
  if (options.time)
    for (const std::string& flag : timing.flags) fmt::print(stderr, "upbench: doubtful time: {}\n", flag);
  return timing;
}

int run(const RunOptions& options) {
  const Sweep sweep = prepare(options.sweep);
  const std::filesystem::path file =
      options.store.empty() ? std::filesystem::path(sweep.spec.name + ".db") : options.store;
  Store store(file);
  if (!options.json) announce(sweep, file);

  WorkerResult result;
  AdaptiveOptions racing;
  AdaptiveResult race;
  {
    ProgressLine line;
    WorkerOptions worker{.keep_outputs = parse_keep_outputs(options.keep_outputs),
                         .only_failed = options.only == "failed",
                         .stop = &catch_stop_signals(),
                         .on_progress = {}};
    if (options.verify) worker.verify = require_decodes_to;
    if (!options.json) {
      worker.on_progress = [&](const Progress& progress, std::uint64_t executed) {
        line.show(progress, executed);
      };
      worker.on_notice = [&](const std::string& text) { line.note(text); };
    }
    if (options.adaptive.adaptive) {
      racing = adaptive_options(options.adaptive, sweep);
      race = run_adaptive(sweep, store, worker, racing);
      result = race.work;
    } else {
      result = run_sweep(sweep, store, worker);
    }
  }
  MeasureResult timing;
  if (!result.interrupted && (options.time || sweep.spec.timing.images > 0))
    timing = measure(sweep, store, options);
  result.interrupted = result.interrupted || timing.interrupted;
  const bool raced = options.adaptive.adaptive && !result.interrupted;
  if (options.json) {
    nlohmann::json outcome = to_json(result, timing, sweep, file);
    if (raced) outcome["adaptive"] = to_json(sweep, racing, race);
    fmt::print("{}\n", outcome.dump(2));
  } else {
    print_result(result, store, sweep);
    if (raced) fmt::print("{}", adaptive_text(sweep, racing, race));
  }
  const int code = finish(result);
  return code == exit_ok && !timing.failures.empty() ? exit_incomplete : code;
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
  command->add_flag(
      "--verify", options->verify,
      "Read each output picture back as it is kept and compare its pixels: a trial whose picture "
      "differs fails");
  command->add_option("--only", options->only, "failed: run the failed trials again")
      ->check(CLI::IsMember({"failed"}));
  command->add_flag("--time", options->time,
                    "Then measure model time with care: warmed up, at least 9 samples of each cell in turns, "
                    "peaks of the device, memory, self-check");
  command
      ->add_option("--time-budget", options->time_budget,
                   "Seconds for each cell and picture under --time; slow cells get fewer samples")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str()
      ->needs("--time");
  add_adaptive_options(*command, options->adaptive);
  command->add_flag("--json", options->json, "Print the outcome as JSON, no progress");
  command->footer(
      "Examples:\n"
      "  upbench run experiments/quickstart.yaml\n"
      "  upbench run sweep.yaml --models ~/models --store results.db --set images.limit=5\n"
      "Interrupted by Ctrl-C or kill, the same command goes on where it stopped.");
  command->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace upbench
