#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/record.h"
#include "harness/store.h"

// The part of the queue that lives in memory while this process holds the writer lock: what is ready, what is
// out, and how far each run is. The trials table stays the truth; this is read from it by begin_run and
// follows its commits.
namespace upbench {

std::uint64_t& counter(Progress& progress, Status status);

struct RunState {
  Digest run;
  std::vector<Digest> cells, images, references;  // by ordinal of the run
  std::vector<MetricRow> metrics;
  std::vector<std::uint64_t> ready;  // min-heap of position << 32 | ordinal
  std::vector<std::uint64_t> held;   // the same, not to be claimed now
  Progress progress;                 // ready is derived from the others
};

// A trial somebody works on.
struct Lease {
  std::shared_ptr<RunState> run;
  std::uint32_t ordinal = 0;
  std::uint32_t position = 0;
  std::uint32_t image = 0;
  std::uint64_t token = 0;
  std::string owner;
  Digest output;
};

class Queue {
 public:
  Queue();

  void begin(std::shared_ptr<RunState> run);  // claims of an earlier begin are void
  void clear();
  std::shared_ptr<RunState> find(const Digest& run) const;  // null: not begun here

  // Up to `most` trials by position; `describe` fills a claim (all but its token) and its lease from the row
  // of that ordinal.
  template <class Describe>
  std::pair<std::vector<Claim>, std::vector<Lease>> take(const std::shared_ptr<RunState>& run,
                                                         std::size_t most, Describe describe) {
    std::lock_guard lock(mutex_);
    std::pair<std::vector<Claim>, std::vector<Lease>> taken;
    while (taken.first.size() < most && !run->ready.empty()) {
      const auto next = static_cast<std::uint32_t>(run->ready.front());
      auto [claim, lease] = describe(next);
      pop_ready(*run);
      claim.token = lease.token = new_token();
      lease.run = run;
      ++run->progress.leased;
      out_.insert_or_assign(claim.trial, lease);
      taken.first.push_back(std::move(claim));
      taken.second.push_back(std::move(lease));
    }
    return taken;
  }

  // The lease of a record or claim, which ends it; empty where the token is stale.
  std::optional<Lease> end(const Digest& trial, std::uint64_t token);
  std::optional<Lease> peek(const Digest& trial, std::uint64_t token) const;
  void give_back(const Lease& lease);

  // After the commit: `trials` rows of the run are finished with this status, one leased trial among them.
  void finished(RunState& run, Status status, std::uint64_t trials);
  void lost(RunState& run);  // a leased trial that turned out not to be ours
  // After the commit: `trials` of the run's rows with this status are open again, of which these can be
  // claimed.
  void reopened(const Digest& run, Status status, std::uint64_t trials,
                const std::vector<std::uint64_t>& ready);
  // After the commit: `trials` rows are skipped, these ordinals among them.
  void skipped(const Digest& run, std::uint64_t trials, const std::vector<std::uint32_t>& ordinals);
  // Only ready trials with these ordinals are taken from now on.
  void select(const Digest& run, const std::vector<bool>& wanted);

  std::vector<Lease> leases() const;
  std::optional<Progress> progress(const Digest& run) const;

 private:
  static void pop_ready(RunState& run);
  static void push_ready(RunState& run, std::uint64_t entry);
  std::uint64_t new_token();

  mutable std::mutex mutex_;
  std::unordered_map<Digest, std::shared_ptr<RunState>> runs_;
  std::unordered_map<Digest, Lease> out_;  // by trial
  std::mt19937_64 random_;
};

}  // namespace upbench
