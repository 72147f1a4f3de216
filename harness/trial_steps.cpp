#include <exception>

#include <fmt/format.h>

#include "harness/device.h"
#include "harness/steady_clock.h"
#include "harness/trial_runner.h"

// The order of TrialRunner's steps, and what becomes of a trial when one of them goes wrong.
namespace upbench {
namespace {

std::string failure_text(const std::exception& error, DeviceFault fault) {
  const std::string text = device_error_text(error);
  const bool says_so = fault != DeviceFault::out_of_memory || text.starts_with("out of memory");
  return says_so ? text : "out of memory: " + text;
}

}  // namespace

LostDevice::LostDevice(const std::string& device, const std::string& error)
    : DeviceError(fmt::format(
          "device {} is lost: {}; what was finished is in the store, start again to go on", device, error)),
      reason(fmt::format("device {} was lost: {}", device, error)) {}

TrialRunner::Step TrialRunner::run(Step step, TrialWork& work) {
  const auto start = SteadyClock::now();
  std::optional<Failure> failure = attempt([&] { do_step(step, work); });
  if (failure && failure->of_memory && may_try_again(step))
    failure = attempt([&] {
      make_room(step, work);
      do_step(step, work);
    });
  if (failure) fail(work.record, failure->reason);
  work.seconds += seconds_since(start);
  const bool sound = work.record.status == Status::ok, failed = work.record.status == Status::failed;
  if (step == Step::prepare && sound && !work.computed && work.metrics.empty())
    step = Step::keep;  // the store has everything
  else if (step == Step::prepare && sound && !work.computed)
    step = Step::compute;  // the store has the output
  else if (failed && (step == Step::prepare || !work.output.defined()))
    step = Step::keep;  // there is nothing to go on with
  const Step next = static_cast<Step>(static_cast<std::size_t>(step) + 1);
  if (next == Step::done) work.record.timings.push_back({"trial", Clock::sweep, 0, work.seconds});
  return next;
}

// Nothing: it went well.
std::optional<TrialRunner::Failure> TrialRunner::attempt(const std::function<void()>& work) const {
  try {
    work();
    return std::nullopt;
  } catch (const StoreError&) {
    throw;
  } catch (const std::exception& error) {
    const DeviceFault fault = device_fault(error, options_.device);
    if (fault == DeviceFault::lost) throw LostDevice(options_.device, device_error_text(error));
    const bool of_memory = fault == DeviceFault::out_of_memory;
    if (of_memory) synchronize(options_.device);  // what was queued may still use what is freed now
    return Failure{.reason = failure_text(error, fault), .of_memory = of_memory};
  }
}

// After memory ran out. Tiles had their second try as they were computed, though not the rest of the step,
// which graphs may have left too little. Scores are added one by one.
bool TrialRunner::may_try_again(Step step) const {
  return step == Step::prepare || (step == Step::compute && graphs_ != nullptr && graphs_->graphs() > 0);
}

// With all that was begun given back, which a second try makes again.
void TrialRunner::make_room(Step step, TrialWork& work) {
  if (step == Step::prepare) work = begin(work.claim);
  if (graphs_) graphs_->clear();
  release_cached_memory(options_.device);
}

void TrialRunner::do_step(Step step, TrialWork& work) {
  switch (step) {
    case Step::prepare:
      return prepare(work);
    case Step::compute:
      return compute(work);
    case Step::score:
      return score(work);
    case Step::keep:
      return keep(work);
    case Step::done:
      break;
  }
}

}  // namespace upbench
