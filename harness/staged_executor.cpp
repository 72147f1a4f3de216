#include "harness/staged_executor.h"

#include <algorithm>
#include <utility>

namespace upbench {

StagedExecutor::StagedExecutor(Options options, Source source)
    : options_(std::move(options)),
      source_(std::move(source)),
      running_(options_.steps.size(), 0),
      processors_free_(options_.processors) {}

void StagedExecutor::work(bool heavy) {
  std::unique_lock lock(mutex_);
  while (!finished()) {
    const std::optional<std::size_t> index = choose(heavy);
    const bool begins = index && waiting_[*index].step == options_.binding;
    // What waits before the binding step is kept filled, so that the next checkpoint loads in time.
    if (may_admit() && (!index || begins))
      admit(lock);
    else if (index)
      run(*index, lock);
    else
      changed_.wait(lock);
  }
  changed_.notify_all();
}

// The waiting piece that this thread should go on with.
std::optional<std::size_t> StagedExecutor::choose(bool heavy) const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const std::size_t step = waiting_[i].step;
    if (!may_run(step, heavy)) continue;
    if (!best || preference(step) > preference(waiting_[*best].step)) best = i;
  }
  return best;
}

bool StagedExecutor::may_run(std::size_t step, bool heavy) const {
  const StepRule& rule = options_.steps[step];
  const bool own = rule.heavy ? heavy : !heavy || !options_.light_threads;
  return own && processors_free_ >= rule.processors && running_[step] < rule.at_most &&
         (step != options_.binding || behind_ < options_.behind);
}

// Past the binding step the furthest first, then what comes before it, then the binding step itself.
std::size_t StagedExecutor::preference(std::size_t step) const {
  if (step > options_.binding) return options_.steps.size() + step;
  return step < options_.binding ? 1 + step : 0;
}

bool StagedExecutor::may_admit() const {
  return !admitting_ && !dry_ && !closed_ && ahead_ < options_.ahead;
}

bool StagedExecutor::finished() const {
  return (dry_ || closed_) && !admitting_ && ahead_ == 0 && behind_ == 0;
}

void StagedExecutor::admit(std::unique_lock<std::mutex>& lock) {
  admitting_ = true;
  lock.unlock();
  std::unique_ptr<StagedWork> piece;
  std::exception_ptr error;
  try {
    piece = source_();
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  admitting_ = false;
  if (error && !error_) error_ = error;
  if (!piece) {
    dry_ = true;
  } else if (closed_) {
    piece->drop();
  } else {
    ++ahead_;
    waiting_.push_back({.step = 0, .piece = std::move(piece)});
  }
  changed_.notify_all();
}

void StagedExecutor::run(std::size_t index, std::unique_lock<std::mutex>& lock) {
  Waiting chosen = std::move(waiting_[index]);
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
  const std::size_t step = chosen.step;
  if (step == options_.binding) {
    --ahead_;
    ++behind_;
    changed_.notify_all();  // there is room for another one
  }
  processors_free_ -= options_.steps[step].processors;
  ++running_[step];
  lock.unlock();
  std::size_t next = options_.steps.size();
  std::exception_ptr error;
  try {
    next = chosen.piece->run(step);
  } catch (...) {
    error = std::current_exception();
  }
  if (error) chosen.piece->drop();
  if (next >= options_.steps.size()) chosen.piece.reset();  // outside the lock
  lock.lock();
  processors_free_ += options_.steps[step].processors;
  --running_[step];
  if (error) {
    if (!error_) error_ = error;
    close_locked();
  }
  settle(step, {.step = next, .piece = std::move(chosen.piece)});
  changed_.notify_all();
}

// What becomes of a piece after a step; no piece: it is done.
void StagedExecutor::settle(std::size_t step, Waiting after) {
  const bool bound = step >= options_.binding;
  if (after.piece && closed_ && after.step <= options_.binding) {
    after.piece->drop();
    after.piece.reset();
  }
  if (!after.piece) {
    --(bound ? behind_ : ahead_);
    return;
  }
  if (!bound && after.step > options_.binding) {  // it leaves the binding step out
    --ahead_;
    ++behind_;
  }
  waiting_.push_back(std::move(after));
}

void StagedExecutor::close() {
  const std::lock_guard lock(mutex_);
  close_locked();
  changed_.notify_all();
}

void StagedExecutor::close_locked() {
  closed_ = true;
  for (auto piece = waiting_.begin(); piece != waiting_.end();) {
    if (piece->step > options_.binding) {
      ++piece;
      continue;
    }
    piece->piece->drop();
    --ahead_;
    piece = waiting_.erase(piece);
  }
}

std::exception_ptr StagedExecutor::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

}  // namespace upbench
