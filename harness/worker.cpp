#include "harness/worker.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "datasets/device/pixels.h"
#include "harness/staged_executor.h"
#include "harness/steady_clock.h"
#include "harness/trial_runner.h"
#include "metrics/artifacts/calibration.h"

namespace upbench {
namespace {

// Claims are taken from the store this many at a time, so that tiny trials do not pay a transaction each.
constexpr std::size_t kClaimBatch = 64;
constexpr std::uint64_t kAutomaticallyKeptBytes = 2'000'000'000;
constexpr std::chrono::milliseconds kProgressInterval{100};

// Trials claimed but not begun, shared by the threads. Those that lost a device before are suspects.
class ClaimQueue {
 public:
  ClaimQueue(Store& store, const Digest& run)
      : store_(store), run_(run), worker_(fmt::format("pid {}", getpid())) {}

  // Nothing when the run's queue is empty or close() was called. Suspects are left for next_alone().
  std::optional<Claim> next() {
    const std::lock_guard lock(mutex_);
    return fill() ? take(claims_) : std::nullopt;
  }

  // For who works with nothing beside it: what others have left, then the suspects.
  std::optional<Claim> next_alone() {
    const std::lock_guard lock(mutex_);
    return fill() ? take(claims_) : take(suspects_);
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
    std::vector<Claim> all(claims_.begin(), claims_.end());
    all.insert(all.end(), suspects_.begin(), suspects_.end());
    return all;
  }

 private:
  bool fill() {
    while (!closed_ && claims_.empty()) {
      const auto batch = store_.claim(run_, worker_, kClaimBatch);
      if (batch.empty()) return false;
      for (const Claim& claim : batch) (claim.attempt > 1 ? suspects_ : claims_).push_back(claim);
    }
    return !closed_;
  }

  std::optional<Claim> take(std::deque<Claim>& from) {
    if (closed_ || from.empty()) return std::nullopt;
    Claim claim = from.front();
    from.pop_front();
    return claim;
  }

  Store& store_;
  Digest run_;
  std::string worker_;
  std::mutex mutex_;
  std::deque<Claim> claims_, suspects_;
  bool closed_ = false;
};

struct Worker;

class Trial final : public StagedWork {
 public:
  Trial(Worker& worker, TrialWork work) : worker_(worker), work_(std::move(work)) {}
  std::size_t run(std::size_t step) override;
  void drop() override;

 private:
  void finish();

  Worker& worker_;
  TrialWork work_;
  bool given_up_ = false;  // the store has it back already
};

// Pictures on their way to a GPU.
constexpr int kPicturesAhead = 3;
constexpr int kMostLightThreads = 4;

// Threads of one run. Heavy ones compute; where each trial computes on one processor, they do all else as
// well.
struct Crew {
  int heavy = 1, light = 0;
};

bool computes_here(const Sweep& sweep) {
  return !is_remote(c10::Device(sweep.device.name));
}

// The sweep's processors for each of its workers.
int threads_each(const Sweep& sweep) {
  return std::max(1, sweep.threads / (1 + static_cast<int>(sweep.device.others.size())));
}

Crew crew_of(const Sweep& sweep, const Parallelism& parallelism) {
  const bool alike = computes_here(sweep) && parallelism.operators == 1;
  return {.heavy = parallelism.trials, .light = alike ? 0 : std::min(threads_each(sweep), kMostLightThreads)};
}

StagedExecutor::Options executor_options(const Sweep& sweep, const Parallelism& parallelism) {
  const bool here = computes_here(sweep);
  const int many = threads_each(sweep);
  const StepRule light{.processors = 1, .at_most = many, .heavy = false};
  const StepRule heavy{.processors = parallelism.operators, .at_most = parallelism.trials, .heavy = true};
  // On a device the host only starts the work: of computing on one thread, of scoring beside it.
  const StepRule compute{.processors = 1, .at_most = 1, .heavy = true};
  const StepRule score{.processors = 1, .at_most = 1, .heavy = false};
  StagedExecutor::Options options;
  options.steps = {light, here ? heavy : compute, here ? heavy : score, light};
  options.binding = static_cast<std::size_t>(TrialRunner::Step::compute);
  options.processors = many;
  options.ahead = std::max(parallelism.trials, kPicturesAhead);
  options.behind = parallelism.trials + kPicturesAhead - 1;
  options.light_threads = crew_of(sweep, parallelism).light > 0;
  return options;
}

// What all threads of a run share.
struct Shared {
  Shared(const Sweep& sweep, Store& results) : store(results), queue(results, sweep.plan.rows.run.key) {}

  // Each text once for each cell.
  void notice(std::size_t cell, std::string text) {
    const std::lock_guard lock(mutex);
    if (noticed.emplace(cell, text).second) notices.push_back(std::move(text));
  }

  Store& store;
  ClaimQueue queue;
  std::atomic<std::uint64_t> executed = 0;
  std::mutex mutex;  // of what follows
  std::condition_variable ended;
  int running = 0;
  std::set<std::pair<std::size_t, std::string>> noticed;
  std::vector<std::string> notices;  // not yet told
};

// A device and the threads that work for it.
struct Worker {
  Worker(const Sweep& sweep, Shared& common, const TrialRunnerOptions& options,
         const Parallelism& parallelism)
      : shared(common),
        runner(sweep, common.store, options),
        executor(executor_options(sweep, parallelism), [this] { return next(); }) {}

  std::unique_ptr<StagedWork> next() {
    const auto claim = shared.queue.next();
    return claim ? std::make_unique<Trial>(*this, runner.begin(*claim)) : nullptr;
  }

  void work_alone() {
    try {
      while (const auto claim = shared.queue.next_alone()) run_alone(Trial(*this, runner.begin(*claim)));
    } catch (...) {
      const std::lock_guard lock(shared.mutex);
      failure = std::current_exception();
    }
  }

  static void run_alone(Trial trial) {
    try {
      for (std::size_t step = 0; step < TrialRunner::kSteps;) step = trial.run(step);
    } catch (...) {
      trial.drop();
      throw;
    }
  }

  std::exception_ptr error() const {
    const std::lock_guard lock(shared.mutex);
    return failure ? failure : executor.error();
  }

  Shared& shared;
  TrialRunner runner;
  StagedExecutor executor;
  std::exception_ptr failure;  // of work_alone()
};

// Lives on the heap: an abandoned thread may outlast run_sweep.
struct Crews {
  Crews(const Sweep& sweep, Store& store) : shared(sweep, store) {}

  Shared shared;
  std::vector<std::unique_ptr<Worker>> workers;  // by device
};

std::size_t Trial::run(std::size_t step) {
  try {
    const TrialRunner::Step next = worker_.runner.run(static_cast<TrialRunner::Step>(step), work_);
    if (next == TrialRunner::Step::done) finish();
    return static_cast<std::size_t>(next);
  } catch (const LostDevice& lost) {
    // At once: the process may not live long with a device that is lost.
    if (worker_.shared.store.lose_attempt(work_.claim, lost.reason)) ++worker_.shared.executed;
    given_up_ = true;
    throw;
  }
}

void Trial::finish() {
  if (!work_.notice.empty()) worker_.shared.notice(work_.cell, std::move(work_.notice));
  worker_.shared.store.append(std::move(work_.record));
  ++worker_.shared.executed;
}

void Trial::drop() {
  if (!given_up_) worker_.shared.queue.give_back(work_.claim);
}

void work(const std::shared_ptr<Crews>& crews, Worker& worker, bool heavy, int operators) {
  set_operator_threads(operators);
  worker.executor.work(heavy);
  const std::lock_guard lock(crews->shared.mutex);
  --crews->shared.running;
  crews->shared.ended.notify_all();
}

std::vector<std::thread> start_threads(const std::shared_ptr<Crews>& crews, const Crew& crew, int operators) {
  std::vector<std::thread> threads;
  crews->shared.running = static_cast<int>(crews->workers.size()) * (crew.heavy + crew.light);
  for (const auto& worker : crews->workers) {
    for (int i = 0; i < crew.heavy; ++i)
      threads.emplace_back(work, crews, std::ref(*worker), true, operators);
    for (int i = 0; i < crew.light; ++i) threads.emplace_back(work, crews, std::ref(*worker), false, 1);
  }
  return threads;
}

// The devices that are left, one after the other as each is lost.
std::vector<std::thread> start_alone(const std::shared_ptr<Crews>& crews, int operators) {
  crews->shared.running = 1;
  std::vector<std::thread> threads;
  threads.emplace_back([crews, operators] {
    set_operator_threads(operators);
    for (const auto& worker : crews->workers)
      if (!worker->error()) worker->work_alone();
    const std::lock_guard lock(crews->shared.mutex);
    --crews->shared.running;
    crews->shared.ended.notify_all();
  });
  return threads;
}

void tell_notices(Shared& shared, const WorkerOptions& options) {
  std::vector<std::string> notices;
  {
    const std::lock_guard lock(shared.mutex);
    notices.swap(shared.notices);
  }
  if (options.on_notice)
    for (const std::string& notice : notices) options.on_notice(notice);
}

// Waits for the threads, reports progress, reacts to `stop`. Returns whether every thread ended.
bool supervise(Crews& crews, Store& store, const Digest& run, const WorkerOptions& options,
               WorkerResult& result) {
  Shared& shared = crews.shared;
  std::optional<SteadyClock::time_point> stopped_at;
  std::unique_lock lock(shared.mutex);
  while (shared.running > 0) {
    shared.ended.wait_for(lock, kProgressInterval);
    lock.unlock();
    tell_notices(shared, options);
    if (options.on_progress) options.on_progress(store.progress(run), shared.executed);
    if (options.stop && *options.stop && !stopped_at) {
      stopped_at = SteadyClock::now();
      shared.queue.close();
      for (const auto& worker : crews.workers) worker->executor.close();
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
  if (!computes_here(sweep)) return {1, 1};
  const std::uint64_t each = std::max<std::uint64_t>(sweep.plan.estimate.device_bytes, 1);
  const std::uint64_t fitting = std::max<std::uint64_t>(1, sweep.device.memory_bytes / 2 / each);
  const auto waiting = std::max<std::uint64_t>(1, sweep.plan.executions);
  const int threads = threads_each(sweep);
  const std::uint64_t most =
      sweep.parallel_trials > 0 ? static_cast<std::uint64_t>(sweep.parallel_trials) : fitting;
  const int side_by_side = static_cast<int>(std::min({most, waiting, static_cast<std::uint64_t>(threads)}));
  return {side_by_side, threads / side_by_side};
}

WorkerResult run_sweep(const Sweep& sweep, Store& store, const WorkerOptions& options) {
  const auto start = SteadyClock::now();
  const Digest run = sweep.plan.rows.run.key;
  store.begin_run(sweep.plan.rows);
  if (std::ranges::any_of(sweep.metrics,
                          [](const auto& request) { return request.metric->detector != nullptr; }))
    for (const Evidence evidence : {Evidence::reference, Evidence::input}) {
      const Calibration& calibration = embedded_calibrations().of(evidence);
      store.set_calibration(calibration.version, calibration.text);
    }
  store.requeue_skipped(run);
  if (options.only_failed) store.requeue_failed(run);
  if (options.only) store.select(run, *options.only);

  if (!computes_here(sweep)) apply(sweep_settings(sweep.fast));
  const Parallelism parallelism = choose_parallelism(sweep);
  TrialRunnerOptions runner{.keep_outputs = keeps_outputs(sweep, options.keep_outputs),
                            .verify = options.verify,
                            .operator_threads = parallelism.operators,
                            .parallel_trials = parallelism.trials,
                            .pictures_ahead = kPicturesAhead,
                            .load_model = options.load_model};
  if (options.verify && !runner.keep_outputs && options.on_notice)
    options.on_notice("no pictures are kept: --verify has none to read back; --keep-outputs all keeps them");
  const auto crews = std::make_shared<Crews>(sweep, store);
  const auto add_worker = [&](const std::string& device) {
    runner.device = device;
    crews->workers.push_back(std::make_unique<Worker>(sweep, crews->shared, runner, parallelism));
  };
  add_worker(sweep.device.name);
  for (const DeviceInfo& other : sweep.device.others) add_worker(other.name);
  WorkerResult result;
  const auto wait_for = [&](std::vector<std::thread> threads) {
    result.abandoned = !supervise(*crews, store, run, options, result);
    for (std::thread& thread : threads) result.abandoned ? thread.detach() : thread.join();
  };
  wait_for(start_threads(crews, crew_of(sweep, parallelism), parallelism.operators));
  if (!result.interrupted) wait_for(start_alone(crews, parallelism.operators));
  tell_notices(crews->shared, options);

  store.release(crews->shared.queue.left());
  for (const auto& worker : crews->workers)
    if (const std::exception_ptr error = worker->error()) std::rethrow_exception(error);
  store.flush();
  result.progress = store.progress(run);
  if (result.progress.done() == result.progress.total) store.finish_run(run);
  result.executed = crews->shared.executed;
  for (const auto& worker : crews->workers) {
    result.reused += worker->runner.reused();
    result.stages += worker->runner.stages_executed();
    result.model_loads += worker->runner.model_loads();
  }
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace upbench
