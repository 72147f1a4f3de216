#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace upbench {

struct WatchedStores {
  std::vector<std::filesystem::path> stores;
  std::string run;                              // beginning of its key; empty: the latest run of each store
  std::chrono::duration<double> interval{5.0};  // between two calls, at least
};

struct Watcher {
  // Writes the report; is_last: no trial is left to do.
  std::function<void(bool is_last)> write;
  std::function<void(const std::string& store)> waiting;  // once: this store is not there, or holds no run
};

// Calls `write` when every store's run has a finished trial, then whenever more have, and a last time when no
// trial is left to do. Takes at most about a tenth of the time of one processor core. Returns true after the
// last call, false where `stop` was set before. Throws what opening a store and `write` throw.
bool watch_stores(const WatchedStores& watched, const std::atomic<bool>& stop, const Watcher& watcher);

// A page that a browser loads anew every so many seconds.
std::string refreshing(std::string page, std::chrono::duration<double> interval);

}  // namespace upbench
