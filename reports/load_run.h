#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "reports/run_data.h"

namespace upbench {

// The given run of a store; the latest where none is given. Throws std::invalid_argument where the store has
// no such run.
RunData load_run(const Store& store, const std::optional<Digest>& run = {});

// The one run whose key begins with `beginning`; the latest where that is empty. Throws std::invalid_argument
// where there is none, or more than one.
Digest find_run(const Store& store, const std::string& beginning);

// Opens each store for reading and combines what they hold: the run whose key begins with `run`, the latest
// of each where `run` is empty. Throws std::invalid_argument unless exactly one run of a store fits.
RunData load_runs(const std::vector<std::filesystem::path>& stores, const std::string& run = {});

// Several runs as one report. Parts of one run (equal key, for example shards): a trial finished in any part
// is finished. Different runs: all cells, told apart by a first axis "run"; pictures with equal name, input
// and reference are one picture. Needs at least one.
RunData combine(std::vector<RunData> parts);

}  // namespace upbench
