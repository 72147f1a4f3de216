#include "cli/report_extras.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/signals.h"
#include "reports/sheet/run_sheet.h"
#include "reports/sheet/write_sheet.h"

namespace upbench {

void write_sheet(const RunData& data, const std::vector<std::filesystem::path>& stores,
                 const std::filesystem::path& target) {
  const std::string form = target.extension().string();
  if (form != ".png" && form != ".dzi")
    throw std::invalid_argument(
        fmt::format("--sheet {}: expected a name that ends in .png or .dzi", target.string()));
  if (stores.size() != 1)
    throw std::invalid_argument(fmt::format("--sheet takes one store, {} are given", stores.size()));
  const Store store(stores.front(), Store::Access::read);
  std::vector<std::filesystem::path> kept;
  for (const std::string& file : kept_files(store, data.plan.run.key))
    kept.push_back(file.empty() ? std::filesystem::path() : store.output_folder() / file);
  Sheet sheet = make_sheet(data, kept);
  if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path());
  std::vector<std::filesystem::path> files{target};
  if (form == ".dzi")
    write_deep_zoom(sheet, target);
  else
    files = write_png_strips(sheet, target);
  for (const std::filesystem::path& file : files) fmt::print(stderr, "upbench: wrote {}\n", file.string());
}

void require_watchable(const std::vector<std::filesystem::path>& targets,
                       const std::filesystem::path& sheet) {
  const bool none = std::ranges::all_of(targets, [](const auto& target) { return target.empty(); });
  if (none) throw std::invalid_argument("--watch needs something to write, for example --html FILE");
  if (std::ranges::find(targets, "-") != targets.end())
    throw std::invalid_argument("--watch writes files again and again: standard output is none");
  if (!sheet.empty())
    throw std::invalid_argument("--watch makes no sheets: use --sheet when the run is done");
}

int watch_report(const WatchedStores& watched, const std::function<void(bool is_last)>& write) {
  const bool is_done = watch_stores(watched, catch_stop_signals(),
                                    {.write = write, .waiting = [](const std::string& store) {
                                       fmt::print(stderr, "upbench: waiting for a run in {}\n", store);
                                     }});
  return is_done ? static_cast<int>(exit_ok) : stop_exit_code();
}

}  // namespace upbench
