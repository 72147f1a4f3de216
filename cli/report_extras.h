#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "reports/run_data.h"
#include "reports/watch.h"

namespace upbench {

// `upbench report --sheet`: of one store alone. Throws std::invalid_argument for more, for a name that ends
// in neither .png nor .dzi, and where no output was kept.
void write_sheet(const RunData& data, const std::vector<std::filesystem::path>& stores,
                 const std::filesystem::path& target);

// `upbench report --watch`: throws std::invalid_argument unless something is written, nothing of it to
// standard output and no sheet.
void require_watchable(const std::vector<std::filesystem::path>& targets, const std::filesystem::path& sheet);
int watch_report(const WatchedStores& watched, const std::function<void(bool is_last)>& write);

}  // namespace upbench
