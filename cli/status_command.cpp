#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "harness/store.h"

namespace upbench {
namespace {

nlohmann::json describe(const Store& store) {
  nlohmann::json runs = nlohmann::json::array();
  for (const RunRow& run : store.runs()) {
    const Progress progress = store.progress(run.key);
    nlohmann::json stages = nlohmann::json::array();
    for (const StageCount& count : store.stage_counts(run.key))
      stages.push_back({{"stage", count.stage}, {"executed", count.executed}, {"reused", count.reused}});
    runs.push_back({{"run", run.key.hex()},
                    {"name", run.name},
                    {"started_at", run.started_at},
                    {"finished_at", run.finished_at},
                    {"trials", progress.total},
                    {"ok", progress.ok},
                    {"failed", progress.failed},
                    {"skipped", progress.skipped},
                    {"left", progress.ready + progress.leased},
                    {"stages", std::move(stages)}});
  }
  return {{"store", store.file().string()}, {"runs", runs}};
}

}  // namespace

void add_status_command(CLI::App& program, Command& chosen) {
  struct Options {
    std::filesystem::path store;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("status", "Say how far the runs of a store are");
  command->add_option("STORE", options->store, "Store file (.db)")->required();
  command->add_flag("--json", options->json, "Print it as JSON");
  command->footer("Example:\n  upbench status quickstart.db");
  command->callback([options, &chosen] {
    chosen = [options] {
      const nlohmann::json status = describe(Store(options->store, Store::Access::read));
      if (options->json) {
        fmt::print("{}\n", status.dump(2));
        return static_cast<int>(exit_ok);
      }
      for (const auto& run : status["runs"]) {
        fmt::print(
            "{}  {}  started {}{}  {} trials: {} ok, {} failed, {} skipped, {} left\n",
            run["run"].get<std::string>().substr(0, 12), run["name"].get<std::string>(),
            run["started_at"].get<std::string>(),
            run["finished_at"] == "" ? std::string() : ", finished " + run["finished_at"].get<std::string>(),
            run["trials"].get<std::uint64_t>(), run["ok"].get<std::uint64_t>(),
            run["failed"].get<std::uint64_t>(), run["skipped"].get<std::uint64_t>(),
            run["left"].get<std::uint64_t>());
        for (const auto& stage : run["stages"])
          fmt::print("  {}: computed {} times, shared {} times\n", stage["stage"].get<std::string>(),
                     stage["executed"].get<std::uint64_t>(), stage["reused"].get<std::uint64_t>());
      }
      if (status["runs"].empty()) fmt::print("no run yet\n");
      return static_cast<int>(exit_ok);
    };
  });
}

}  // namespace upbench
