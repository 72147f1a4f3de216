#include "harness/store/writer.h"

#include <utility>

#include "harness/store/record.h"

namespace upbench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kMostInFlight = 64;
// Half of what may be in flight, so that workers fill the next batch while this one is written.
constexpr std::size_t kBatch = kMostInFlight / 2;
constexpr auto kLongestWait = std::chrono::milliseconds(50);

}  // namespace

Writer::Writer(Database& database, std::mutex& use, Queue& queue, std::chrono::milliseconds lease)
    : database_(database), use_(use), queue_(queue), lease_(lease), next_renewal_(Steady::now() + lease / 3) {
  thread_ = std::thread([this] { loop(); });
}

Writer::~Writer() {
  {
    const Lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Writer::throw_failure() const {
  if (failure_) std::rethrow_exception(failure_);
}

void Writer::require_working() const {
  const Lock lock(mutex_);
  throw_failure();
}

std::uint64_t Writer::acknowledged() const {
  const Lock lock(mutex_);
  return acknowledged_;
}

std::uint64_t Writer::lost() const {
  const Lock lock(mutex_);
  return lost_;
}

void Writer::enqueue(Lock&, Job job) {
  if (jobs_.empty()) first_job_ = Steady::now();
  const bool record = std::holds_alternative<Append>(job);
  waiting_records_ += record;
  flying_records_ += record;
  jobs_.push_back(std::move(job));
  ++enqueued_;
  // Between its first job and a full batch the thread sleeps on a timer: no need to wake it for each.
  if (jobs_.size() == 1 || waiting_records_ >= kBatch) wake_.notify_one();
}

void Writer::lease(std::vector<Lease> leases) {
  Lock lock(mutex_);
  throw_failure();
  for (auto& one : leases) enqueue(lock, std::move(one));
}

void Writer::release(Lease lease) {
  Lock lock(mutex_);
  throw_failure();
  enqueue(lock, Release{std::move(lease)});
}

void Writer::append(Lease lease, Record record) {
  Lock lock(mutex_);
  done_.wait(lock, [&] { return failure_ || flying_records_ < kMostInFlight; });
  throw_failure();
  enqueue(lock, Append{std::move(lease), std::move(record)});
}

void Writer::flush() {
  Lock lock(mutex_);
  const std::uint64_t target = enqueued_;
  ++flushing_;
  wake_.notify_one();
  done_.wait(lock, [&] { return failure_ || completed_ >= target; });
  --flushing_;
  throw_failure();
}

void Writer::loop() {
  try {
    work();
  } catch (...) {
    const Lock lock(mutex_);
    failure_ = std::current_exception();
    jobs_.clear();
  }
  done_.notify_all();
}

void Writer::work() {
  Lock lock(mutex_);
  while (true) {
    if (!wait_for_batch(lock)) return;
    auto batch = take_batch();
    lock.unlock();
    if (!batch.empty()) commit(batch);
    if (Steady::now() >= next_renewal_) renew();
    lock.lock();
    completed_ += batch.size();
    for (const auto& job : batch) flying_records_ -= std::holds_alternative<Append>(job);
    done_.notify_all();
  }
}

// False when there is nothing left to write and nothing will come.
bool Writer::wait_for_batch(Lock& lock) {
  wake_.wait_until(lock, next_renewal_, [&] { return stop_ || !jobs_.empty(); });
  const auto urgent = [&] { return stop_ || flushing_ > 0 || waiting_records_ >= kBatch; };
  if (!jobs_.empty()) wake_.wait_until(lock, first_job_ + kLongestWait, urgent);
  return !(stop_ && jobs_.empty());
}

std::vector<Writer::Job> Writer::take_batch() {
  std::vector<Job> batch;
  std::size_t records = 0;
  while (!jobs_.empty() && records < kMostInFlight) {
    records += std::holds_alternative<Append>(jobs_.front());
    batch.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
  }
  waiting_records_ -= records;
  first_job_ = Steady::now();
  return batch;
}

void Writer::commit(std::vector<Job>& batch) {
  std::vector<std::uint64_t> finished;
  const std::lock_guard guard(use_);
  Transaction transaction(database_);
  const std::int64_t until = database_.now() + lease_.count();
  for (const auto& job : batch) {
    if (const auto* lease = std::get_if<Lease>(&job)) write_lease(database_, *lease, until);
    if (const auto* release = std::get_if<Release>(&job)) write_release(database_, release->lease);
    if (const auto* append = std::get_if<Append>(&job))
      finished.push_back(write_record(database_, append->lease, append->record));
  }
  transaction.commit();

  auto trials = finished.begin();
  std::uint64_t durable = 0;
  for (const auto& job : batch)
    if (const auto* append = std::get_if<Append>(&job)) {
      durable += *trials > 0;
      *trials > 0 ? queue_.finished(*append->lease.run, append->record.status, *trials)
                  : queue_.lost(*append->lease.run);
      ++trials;
    }
  const Lock lock(mutex_);
  acknowledged_ += durable;
  lost_ += finished.size() - durable;
}

void Writer::renew() {
  next_renewal_ = Steady::now() + lease_ / 3;
  const auto leases = queue_.leases();
  if (leases.empty()) return;
  const std::lock_guard guard(use_);
  Transaction transaction(database_);
  const std::int64_t until = database_.now() + lease_.count();
  for (const auto& lease : leases) renew_lease(database_, lease, until);
  transaction.commit();
}

}  // namespace upbench
