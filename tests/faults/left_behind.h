#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace upbench::test {

// Every file below the folder, relative to it; whatever is no folder counts, nothing is followed.
std::set<std::string> files_below(const std::filesystem::path& folder);

// Nothing was removed since `before` was looked up, and nothing added but what a run is for: its store, the
// store's lock, and whole pictures in the folder of outputs. No temporary file, no log of an open store.
void expect_only_results_added(const std::filesystem::path& folder, const std::set<std::string>& before);

}  // namespace upbench::test
