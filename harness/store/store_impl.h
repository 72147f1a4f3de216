#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "harness/store.h"
#include "harness/store/file.h"
#include "harness/store/queue.h"
#include "harness/store/sqlite.h"
#include "harness/store/writer.h"

namespace upbench {

// Two connections: all writing goes through `write`, under its mutex; reading through `read`, under its own.
// Locks are taken in the order write, queue, read.
struct Store::Impl {
  Impl(const std::filesystem::path& file, Access access, const StoreOptions& options);

  static void open_reader(const std::filesystem::path& file, std::optional<Database>& reader);
  Database& writable();  // throws std::invalid_argument on a store opened for reading
  Writer& working_writer();

  // Runs `work` in a transaction of the writing connection; records handed over before are written first.
  template <class Work>
  auto write_now(Work work) {
    working_writer().flush();
    const std::lock_guard guard(write_mutex);
    Database& database = writable();
    Transaction transaction(database);
    auto result = work(database);
    transaction.commit();
    return result;
  }

  void requeue(const Digest& run, Status status);

  std::filesystem::path file;
  std::filesystem::path real;  // file, or what it points to
  std::optional<WriterLock> lock;
  std::optional<Database> write;
  std::mutex write_mutex;
  std::optional<Database> read;  // closed before `write`, whose closing then puts the log into the file
  std::mutex read_mutex;
  Queue queue;
  std::atomic<std::uint64_t> rejected = 0;
  std::optional<Writer> writer;  // last: its thread uses the others
};

// store_plan.cpp. Makes the file hold what the plan asks; the caller's transaction. Returns the run as the
// queue needs it.
void require_consistent(const RunPlan& plan);
std::shared_ptr<RunState> write_plan(Database& database, const RunPlan& plan);
// Ends the trials that repeat a finished one as that ended; how many.
std::uint64_t finish_aliases(Database& database, const Digest& run);

}  // namespace upbench
