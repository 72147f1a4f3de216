#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "harness/store/queue.h"
#include "harness/store/sqlite.h"

namespace upbench {

// The thread that writes what workers hand over, in order, many records to a transaction. `use` guards the
// connection, which begin_run and others use too. The first failure is final: it is thrown by every later
// call, and nothing more is written.
class Writer {
 public:
  Writer(Database& database, std::mutex& use, Queue& queue, std::chrono::milliseconds lease);
  ~Writer();  // writes what is waiting; a failure then is not reported: flush first

  void lease(std::vector<Lease> leases);
  void release(Lease lease);
  void append(Lease lease, Record record);  // blocks while the most records are in flight
  void flush();
  void require_working() const;

  std::uint64_t acknowledged() const;
  std::uint64_t lost() const;  // records whose row had another token in the file

 private:
  struct Release {
    Lease lease;
  };
  struct Append {
    Lease lease;
    Record record;
  };
  using Job = std::variant<Lease, Release, Append>;
  using Lock = std::unique_lock<std::mutex>;

  void enqueue(Lock& lock, Job job);
  void throw_failure() const;
  void loop();
  void work();
  bool wait_for_batch(Lock& lock);
  std::vector<Job> take_batch();
  void commit(std::vector<Job>& batch);
  void renew();

  Database& database_;
  std::mutex& use_;
  Queue& queue_;
  const std::chrono::milliseconds lease_;
  std::chrono::steady_clock::time_point next_renewal_;  // of the thread alone

  mutable std::mutex mutex_;      // of everything below
  std::condition_variable wake_;  // the thread: jobs came, or hurry
  std::condition_variable done_;  // callers: room, or all is durable
  std::deque<Job> jobs_;
  std::chrono::steady_clock::time_point first_job_;
  std::size_t waiting_records_ = 0;             // in jobs_
  std::size_t flying_records_ = 0;              // in jobs_ or in the transaction under way
  std::uint64_t enqueued_ = 0, completed_ = 0;  // jobs since the start
  std::uint64_t acknowledged_ = 0, lost_ = 0;
  int flushing_ = 0;
  bool stop_ = false;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace upbench
