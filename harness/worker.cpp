#include "harness/worker.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "harness/trial_runner.h"

namespace upbench {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Claims are taken from the store this many at a time, so that tiny trials do not pay a transaction each.
constexpr std::size_t kClaimBatch = 64;
constexpr std::uint64_t kAutomaticallyKeptBytes = 2'000'000'000;
constexpr std::chrono::milliseconds kProgressInterval{100};

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// Trials claimed but not begun, shared by the threads.
class ClaimQueue {
 public:
  ClaimQueue(Store& store, const Digest& run)
      : store_(store), run_(run), worker_(fmt::format("pid {}", getpid())) {}

  // Nothing when the run's queue is empty or close() was called.
  std::optional<Claim> next() {
    const std::lock_guard lock(mutex_);
    if (closed_) return std::nullopt;
    if (claims_.empty()) {
      const auto batch = store_.claim(run_, worker_, kClaimBatch);
      claims_.assign(batch.begin(), batch.end());
    }
    if (claims_.empty()) return std::nullopt;
    Claim claim = claims_.front();
    claims_.pop_front();
    return claim;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

  std::vector<Claim> left() {
    const std::lock_guard lock(mutex_);
    return {claims_.begin(), claims_.end()};
  }

 private:
  Store& store_;
  Digest run_;
  std::string worker_;
  std::mutex mutex_;
  std::deque<Claim> claims_;
  bool closed_ = false;
};

// What the threads of one run share. Lives on the heap: an abandoned thread may outlast run_sweep.
struct Shared {
  Shared(const Sweep& sweep, Store& results, const TrialRunnerOptions& options)
      : store(results),
        runner(sweep, results, options),
        queue(results, sweep.plan.rows.run.key),
        operators(options.operator_threads) {}

  Store& store;
  TrialRunner runner;
  ClaimQueue queue;
  int operators;
  std::atomic<std::uint64_t> executed = 0;
  std::mutex mutex;
  std::condition_variable ended;
  int running = 0;
  std::exception_ptr error;  // a StoreError: nothing more can be recorded
};

void work(const std::shared_ptr<Shared>& shared) {
  set_operator_threads(shared->operators);
  try {
    while (const auto claim = shared->queue.next()) {
      shared->store.append(shared->runner.run(*claim));
      ++shared->executed;
    }
  } catch (...) {
    shared->queue.close();
    const std::lock_guard lock(shared->mutex);
    if (!shared->error) shared->error = std::current_exception();
  }
  const std::lock_guard lock(shared->mutex);
  --shared->running;
  shared->ended.notify_all();
}

// Waits for the threads, reports progress, reacts to `stop`. Returns whether every thread ended.
bool supervise(Shared& shared, Store& store, const Digest& run, const WorkerOptions& options,
               WorkerResult& result) {
  std::optional<SteadyClock::time_point> stopped_at;
  std::unique_lock lock(shared.mutex);
  while (shared.running > 0) {
    shared.ended.wait_for(lock, kProgressInterval);
    lock.unlock();
    if (options.on_progress) options.on_progress(store.progress(run), shared.executed);
    if (options.stop && *options.stop && !stopped_at) {
      stopped_at = SteadyClock::now();
      shared.queue.close();
      result.interrupted = true;
    }
    if (stopped_at && seconds_since(*stopped_at) > options.seconds_to_finish) {
      lock.lock();
      return shared.running == 0;
    }
    lock.lock();
  }
  return true;
}

bool keeps_outputs(const Sweep& sweep, KeepOutputs choice) {
  return choice == KeepOutputs::all ||
         (choice == KeepOutputs::automatic && sweep.plan.estimate.output_bytes <= kAutomaticallyKeptBytes);
}

}  // namespace

KeepOutputs parse_keep_outputs(const std::string& name) {
  if (name == "auto") return KeepOutputs::automatic;
  if (name == "all") return KeepOutputs::all;
  if (name == "none") return KeepOutputs::none;
  throw std::invalid_argument(fmt::format("--keep-outputs {}: expected auto, all or none", name));
}

Parallelism choose_parallelism(const Sweep& sweep) {
  // Side by side scales better than threads inside one operator, as long as all fit into half of the memory.
  const std::uint64_t each = std::max<std::uint64_t>(sweep.plan.estimate.device_bytes, 1);
  const std::uint64_t fitting = std::max<std::uint64_t>(1, sweep.device.memory_bytes / 2 / each);
  const auto waiting = std::max<std::uint64_t>(1, sweep.plan.executions);
  if (sweep.device.name != "cpu") return {1, sweep.threads};
  const int side_by_side =
      static_cast<int>(std::min({fitting, waiting, static_cast<std::uint64_t>(sweep.threads)}));
  return {side_by_side, sweep.threads / side_by_side};
}

WorkerResult run_sweep(const Sweep& sweep, Store& store, const WorkerOptions& options) {
  const auto start = SteadyClock::now();
  const Digest run = sweep.plan.rows.run.key;
  store.begin_run(sweep.plan.rows);
  if (options.only_failed) store.requeue_failed(run);

  const Parallelism parallelism = choose_parallelism(sweep);
  auto shared =
      std::make_shared<Shared>(sweep, store,
                               TrialRunnerOptions{.keep_outputs = keeps_outputs(sweep, options.keep_outputs),
                                                  .operator_threads = parallelism.operators});
  WorkerResult result;
  std::vector<std::thread> threads;
  shared->running = parallelism.trials;
  for (int i = 0; i < parallelism.trials; ++i) threads.emplace_back(work, shared);
  result.abandoned = !supervise(*shared, store, run, options, result);
  for (std::thread& thread : threads) result.abandoned ? thread.detach() : thread.join();

  store.release(shared->queue.left());
  {
    const std::lock_guard lock(shared->mutex);
    if (shared->error) std::rethrow_exception(shared->error);
  }
  store.flush();
  result.progress = store.progress(run);
  if (result.progress.done() == result.progress.total) store.finish_run(run);
  result.executed = shared->executed;
  result.reused = shared->runner.reused();
  result.stages = shared->runner.stages_executed();
  result.model_loads = shared->runner.model_loads();
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace upbench
