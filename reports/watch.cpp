#include "reports/watch.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "harness/store.h"
#include "reports/load_run.h"

namespace upbench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kLeastPause{0.25}, kNap{0.05};
// A run is stamped as finished just after its last trial; one that was killed there never is.
constexpr Seconds kPatience{2};
constexpr double kPausePerWork = 9;  // so that a tenth of the time is work

struct Finished {
  std::uint64_t done = 0, open = 0;
  bool everywhere = true;  // every store has a finished trial
  bool stamped = true;     // every run says when it finished
};

// Nothing where a store is not there yet or holds no run.
std::optional<Finished> look_at(const WatchedStores& watched, std::string& missing) {
  Finished finished;
  for (const std::filesystem::path& file : watched.stores) {
    missing = file.string();
    if (!std::filesystem::exists(file)) return std::nullopt;
    const Store store(file, Store::Access::read);
    const std::vector<RunRow> runs = store.runs();
    if (runs.empty()) return std::nullopt;
    const Digest key = find_run(store, watched.run);
    const auto run = std::ranges::find(runs, key, &RunRow::key);
    if (run == runs.end() || run->finished_at.empty()) finished.stamped = false;
    const Progress progress = store.progress(key);
    finished.done += progress.done();
    finished.open += progress.total - progress.done();
    if (progress.done() == 0 && progress.total > 0) finished.everywhere = false;
  }
  return finished;
}

// False where it was stopped.
bool waited(Seconds length, const std::atomic<bool>& stop) {
  for (const auto end = SteadyClock::now() + length; SteadyClock::now() < end && !stop;)
    std::this_thread::sleep_for(kNap);
  return !stop;
}

}  // namespace

bool watch_stores(const WatchedStores& watched, const std::atomic<bool>& stop, const Watcher& watcher) {
  std::uint64_t shown = 0;
  bool has_told = false;
  std::optional<SteadyClock::time_point> all_done;
  for (;;) {
    const auto begin = SteadyClock::now();
    std::string missing;
    const std::optional<Finished> now = look_at(watched, missing);
    if (!now && !std::exchange(has_told, true)) watcher.waiting(missing);
    if (now && now->open == 0 && !all_done) all_done = begin;
    const bool is_last = now && now->open == 0 && (now->stamped || begin - *all_done > kPatience);
    const bool is_more = now && now->everywhere && now->done > shown;
    if (is_last || is_more) {
      watcher.write(is_last);
      shown = now->done;
    }
    if (is_last) return true;
    const Seconds work = SteadyClock::now() - begin;
    const Seconds least = is_more ? std::max(watched.interval, kLeastPause) : kLeastPause;
    if (!waited(std::max(least, kPausePerWork * work), stop)) return false;
  }
}

std::string refreshing(std::string page, std::chrono::duration<double> interval) {
  static constexpr std::string_view kBefore = "<meta charset=\"utf-8\">\n";
  const std::size_t at = page.find(kBefore);
  if (at == page.npos) throw std::logic_error("the page has no place for its refresh");
  const double seconds = std::max(1.0, std::ceil(interval.count()));
  return page.insert(at + kBefore.size(),
                     fmt::format("<meta http-equiv=\"refresh\" content=\"{:.0f}\">\n", seconds));
}

}  // namespace upbench
