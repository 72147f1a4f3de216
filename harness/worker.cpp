#include "harness/worker.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "harness/staged_executor.h"
#include "harness/steady_clock.h"
#include "harness/trial_runner.h"

namespace upbench {
namespace {

// Claims are taken from the store this many at a time, so that tiny trials do not pay a transaction each.
constexpr std::size_t kClaimBatch = 64;
constexpr std::uint64_t kAutomaticallyKeptBytes = 2'000'000'000;
constexpr std::chrono::milliseconds kProgressInterval{100};

// Trials claimed but not begun, shared by the threads.
class ClaimQueue {
 public:
  ClaimQueue(Store& store, const Digest& run)
      : store_(store), run_(run), worker_(fmt::format("pid {}", getpid())) {}

  // Nothing when the run's queue is empty or close() was called. Not after give_back().
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

  void give_back(const Claim& claim) {
    const std::lock_guard lock(mutex_);
    claims_.push_back(claim);
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

struct Shared;

class Trial final : public StagedWork {
 public:
  Trial(Shared& shared, TrialWork work) : shared_(shared), work_(std::move(work)) {}
  std::size_t run(std::size_t step) override;
  void drop() override;

 private:
  Shared& shared_;
  TrialWork work_;
};

// Pictures on their way to a GPU.
constexpr int kPicturesAhead = 3;
constexpr int kMostLightThreads = 4;

// Threads of one run. Heavy ones compute; where each trial computes on one processor, they do all else as
// well.
struct Crew {
  int heavy = 1, light = 0;
};

Crew crew_of(const Sweep& sweep, const Parallelism& parallelism) {
  const bool alike = sweep.device.name == "cpu" && parallelism.operators == 1;
  return {.heavy = parallelism.trials, .light = alike ? 0 : std::min(sweep.threads, kMostLightThreads)};
}

StagedExecutor::Options executor_options(const Sweep& sweep, const Parallelism& parallelism) {
  const bool cpu = sweep.device.name == "cpu";
  const int many = sweep.threads;
  const StepRule light{.processors = 1, .at_most = many, .heavy = false};
  const StepRule heavy{.processors = parallelism.operators, .at_most = parallelism.trials, .heavy = true};
  const StepRule device{.processors = 1, .at_most = 1, .heavy = true};  // the host only starts the work
  StagedExecutor::Options options;
  options.steps = {light, cpu ? heavy : device, cpu ? heavy : light, light};
  options.binding = static_cast<std::size_t>(TrialRunner::Step::compute);
  options.processors = sweep.threads;
  options.ahead = std::max(parallelism.trials, kPicturesAhead);
  options.behind = parallelism.trials + kPicturesAhead - 1;
  options.light_threads = crew_of(sweep, parallelism).light > 0;
  return options;
}

// What the threads of one run share. Lives on the heap: an abandoned thread may outlast run_sweep.
struct Shared {
  Shared(const Sweep& sweep, Store& results, const TrialRunnerOptions& options,
         const Parallelism& parallelism)
      : store(results),
        runner(sweep, results, options),
        queue(results, sweep.plan.rows.run.key),
        executor(executor_options(sweep, parallelism), [this] { return next(); }) {}

  std::unique_ptr<StagedWork> next() {
    const auto claim = queue.next();
    return claim ? std::make_unique<Trial>(*this, runner.begin(*claim)) : nullptr;
  }

  Store& store;
  TrialRunner runner;
  ClaimQueue queue;
  StagedExecutor executor;
  std::atomic<std::uint64_t> executed = 0;
  std::mutex mutex;
  std::condition_variable ended;
  int running = 0;
};

std::size_t Trial::run(std::size_t step) {
  const TrialRunner::Step next = shared_.runner.run(static_cast<TrialRunner::Step>(step), work_);
  if (next == TrialRunner::Step::done) {
    shared_.store.append(std::move(work_.record));
    ++shared_.executed;
  }
  return static_cast<std::size_t>(next);
}

void Trial::drop() {
  shared_.queue.give_back(work_.claim);
}

void work(const std::shared_ptr<Shared>& shared, bool heavy, int operators) {
  set_operator_threads(operators);
  shared->executor.work(heavy);
  const std::lock_guard lock(shared->mutex);
  --shared->running;
  shared->ended.notify_all();
}

std::vector<std::thread> start_threads(const std::shared_ptr<Shared>& shared, const Crew& crew,
                                       int operators) {
  std::vector<std::thread> threads;
  shared->running = crew.heavy + crew.light;
  for (int i = 0; i < crew.heavy; ++i) threads.emplace_back(work, shared, true, operators);
  for (int i = 0; i < crew.light; ++i) threads.emplace_back(work, shared, false, 1);
  return threads;
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
      shared.executor.close();
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
  if (sweep.device.name != "cpu") return {1, 1};
  const std::uint64_t each = std::max<std::uint64_t>(sweep.plan.estimate.device_bytes, 1);
  const std::uint64_t fitting = std::max<std::uint64_t>(1, sweep.device.memory_bytes / 2 / each);
  const auto waiting = std::max<std::uint64_t>(1, sweep.plan.executions);
  const std::uint64_t most =
      sweep.parallel_trials > 0 ? static_cast<std::uint64_t>(sweep.parallel_trials) : fitting;
  const int side_by_side =
      static_cast<int>(std::min({most, waiting, static_cast<std::uint64_t>(sweep.threads)}));
  return {side_by_side, sweep.threads / side_by_side};
}

WorkerResult run_sweep(const Sweep& sweep, Store& store, const WorkerOptions& options) {
  const auto start = SteadyClock::now();
  const Digest run = sweep.plan.rows.run.key;
  store.begin_run(sweep.plan.rows);
  if (options.only_failed) store.requeue_failed(run);

  if (sweep.device.name != "cpu") apply({.search_algorithms = sweep.fast, .deterministic = !sweep.fast});
  const Parallelism parallelism = choose_parallelism(sweep);
  const TrialRunnerOptions runner{.keep_outputs = keeps_outputs(sweep, options.keep_outputs),
                                  .operator_threads = parallelism.operators,
                                  .parallel_trials = parallelism.trials,
                                  .pictures_ahead = kPicturesAhead,
                                  .load_model = options.load_model};
  const auto shared = std::make_shared<Shared>(sweep, store, runner, parallelism);
  WorkerResult result;
  std::vector<std::thread> threads =
      start_threads(shared, crew_of(sweep, parallelism), parallelism.operators);
  result.abandoned = !supervise(*shared, store, run, options, result);
  for (std::thread& thread : threads) result.abandoned ? thread.detach() : thread.join();

  store.release(shared->queue.left());
  if (const std::exception_ptr error = shared->executor.error()) std::rethrow_exception(error);
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
