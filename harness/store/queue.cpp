#include "harness/store/queue.h"

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>

namespace upbench {
namespace {

// Tokens must differ between processes that died and their successors, so the clock is not enough.
std::mt19937_64 seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

std::uint64_t& counter(Progress& progress, Status status) {
  if (status == Status::ok) return progress.ok;
  return status == Status::failed ? progress.failed : progress.skipped;
}

Queue::Queue() : random_(seeded()) {}

void Queue::begin(std::shared_ptr<RunState> run) {
  std::lock_guard lock(mutex_);
  std::erase_if(out_, [&](const auto& entry) { return entry.second.run->run == run->run; });
  std::make_heap(run->ready.begin(), run->ready.end(), std::greater<>());
  const Digest key = run->run;
  runs_.insert_or_assign(key, std::move(run));
}

void Queue::clear() {
  std::lock_guard lock(mutex_);
  runs_.clear();
  out_.clear();
}

std::shared_ptr<RunState> Queue::find(const Digest& run) const {
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  return found == runs_.end() ? nullptr : found->second;
}

void Queue::pop_ready(RunState& run) {
  std::pop_heap(run.ready.begin(), run.ready.end(), std::greater<>());
  run.ready.pop_back();
}

void Queue::push_ready(RunState& run, std::uint64_t entry) {
  run.ready.push_back(entry);
  std::push_heap(run.ready.begin(), run.ready.end(), std::greater<>());
}

std::uint64_t Queue::new_token() {
  while (true)
    if (const std::uint64_t token = random_()) return token;  // 0 marks a row that nobody holds
}

std::optional<Lease> Queue::peek(const Digest& trial, std::uint64_t token) const {
  std::lock_guard lock(mutex_);
  const auto found = out_.find(trial);
  if (found == out_.end() || found->second.token != token) return std::nullopt;
  return found->second;
}

std::optional<Lease> Queue::end(const Digest& trial, std::uint64_t token) {
  std::lock_guard lock(mutex_);
  const auto found = out_.find(trial);
  if (found == out_.end() || found->second.token != token) return std::nullopt;
  Lease lease = std::move(found->second);
  out_.erase(found);
  return lease;
}

void Queue::give_back(const Lease& lease) {
  std::lock_guard lock(mutex_);
  push_ready(*lease.run, std::uint64_t{lease.position} << 32 | lease.ordinal);
  --lease.run->progress.leased;
}

void Queue::finished(RunState& run, Status status, std::uint64_t trials) {
  std::lock_guard lock(mutex_);
  --run.progress.leased;
  counter(run.progress, status) += trials;
}

void Queue::lost(RunState& run) {
  std::lock_guard lock(mutex_);
  --run.progress.leased;
}

void Queue::reopened(const Digest& run, Status status, std::uint64_t trials,
                     const std::vector<std::uint64_t>& ready) {
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  counter(found->second->progress, status) -= trials;
  for (const auto entry : ready) push_ready(*found->second, entry);
}

void Queue::skipped(const Digest& run, std::uint64_t trials, const std::vector<std::uint32_t>& ordinals) {
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  RunState& state = *found->second;
  state.progress.skipped += trials;
  const std::unordered_set<std::uint32_t> gone(ordinals.begin(), ordinals.end());
  for (auto* list : {&state.ready, &state.held})
    std::erase_if(*list,
                  [&](std::uint64_t entry) { return gone.contains(static_cast<std::uint32_t>(entry)); });
  std::make_heap(state.ready.begin(), state.ready.end(), std::greater<>());
}

void Queue::select(const Digest& run, const std::vector<bool>& wanted) {
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  RunState& state = *found->second;
  state.ready.insert(state.ready.end(), state.held.begin(), state.held.end());
  const auto held = std::partition(state.ready.begin(), state.ready.end(), [&](std::uint64_t entry) {
    return wanted.at(static_cast<std::uint32_t>(entry));
  });
  state.held.assign(held, state.ready.end());
  state.ready.erase(held, state.ready.end());
  std::make_heap(state.ready.begin(), state.ready.end(), std::greater<>());
}

std::vector<Lease> Queue::leases() const {
  std::lock_guard lock(mutex_);
  std::vector<Lease> all;
  for (const auto& [trial, lease] : out_) all.push_back(lease);
  return all;
}

std::optional<Progress> Queue::progress(const Digest& run) const {
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(run);
  if (found == runs_.end()) return std::nullopt;
  Progress progress = found->second->progress;
  progress.ready = progress.total - progress.done() - progress.leased;
  return progress;
}

}  // namespace upbench
