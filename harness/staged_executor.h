#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace upbench {

// One piece of work that goes through the steps 0, 1, ... of an executor.
class StagedWork {
 public:
  virtual ~StagedWork() = default;
  // Does one step and returns the next one (steps may be left out); the number of steps or more: it is done.
  // What it throws ends the whole executor.
  virtual std::size_t run(std::size_t step) = 0;
  // Somebody else will do this piece: the executor was closed before its binding step, or a step threw. The
  // executor may be locked.
  virtual void drop() = 0;
};

struct StepRule {
  int processors = 1;  // that one such step occupies
  int at_most = 1;     // such steps at once
  bool heavy = false;  // only on heavy threads: those whose operators may use several processors
};

// Moves pieces of work through their steps, several at once, so that the steps of different pieces overlap:
// while one is computed, the next is decoded and the one before is scored and written. The processors
// occupied never exceed the limit. What is nearest to its end goes first, and nothing is begun while too much
// waits before or behind the binding step: memory is bounded and slow steps hold back the ones before them.
class StagedExecutor {
 public:
  struct Options {
    std::vector<StepRule> steps;
    std::size_t binding = 0;     // once begun, a piece is finished even after close(); before, it is dropped
    int processors = 1;          // at least what each step occupies
    int ahead = 2;               // pieces begun that have not reached the binding step, at most
    int behind = 2;              // pieces past the binding step, at most, when another one begins it
    bool light_threads = false;  // some threads run light steps, so that heavy ones run only heavy steps
  };
  // The next piece; nothing: there is none any more. Called by one thread at a time.
  using Source = std::function<std::unique_ptr<StagedWork>()>;

  StagedExecutor(Options options, Source source);

  // Body of a thread: returns when everything is done.
  void work(bool heavy);

  void close();                      // nothing new is begun; see Options::binding
  std::exception_ptr error() const;  // the first that a step or the source threw

 private:
  struct Waiting {
    std::size_t step = 0;
    std::unique_ptr<StagedWork> piece;
  };

  std::optional<std::size_t> choose(bool heavy) const;
  bool may_run(std::size_t step, bool heavy) const;
  std::size_t preference(std::size_t step) const;
  bool may_admit() const;
  bool finished() const;
  void admit(std::unique_lock<std::mutex>& lock);
  void run(std::size_t index, std::unique_lock<std::mutex>& lock);
  void settle(std::size_t step, Waiting after);
  void close_locked();

  const Options options_;
  const Source source_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;  // in the order in which they became ready
  std::vector<int> running_;     // by step
  int processors_free_;
  int ahead_ = 0, behind_ = 0;  // pieces before, and at or past the binding step, running ones included
  bool admitting_ = false, dry_ = false, closed_ = false;
  std::exception_ptr error_;
};

}  // namespace upbench
