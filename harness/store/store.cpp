#include "harness/store.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "harness/store/record.h"
#include "harness/store/schema.h"
#include "harness/store/store_impl.h"

namespace upbench {
namespace {

std::uint32_t most_pages(const StoreOptions& options) {
  std::uint32_t pages = options.most_pages;
  if (const char* text = pages ? nullptr : std::getenv("UPBENCH_STORE_PAGES")) {
    const char* end = text + std::strlen(text);
    if (const auto [stop, error] = std::from_chars(text, end, pages); error != std::errc() || stop != end)
      throw std::invalid_argument(
          fmt::format("UPBENCH_STORE_PAGES is '{}', expected a number of 4 KiB pages", text));
  }
  return pages;
}

}  // namespace

Store::Impl::Impl(const std::filesystem::path& store_file, Access access, const StoreOptions& options)
    : file(store_file), real(real_file(store_file)) {
  if (access == Access::write) {
    require_writable(real);
    lock.emplace(real);
    if (!std::filesystem::exists(real)) {
      require_no_orphaned_log(real);
      create_store(real);
    }
  }
  require_store(real);
  if (access == Access::write) {
    write.emplace(real.string(), sqlite_uri(real, "mode=rw"), Database::Mode::write);
    require_known_schema(*write);
    require_intact(*write, real);
    configure_writer(*write, most_pages(options));
    migrate(*write);
  }
  open_reader(real, read);
  if (access == Access::write) writer.emplace(*write, write_mutex, queue, options.lease);
}

void Store::Impl::open_reader(const std::filesystem::path& file, std::optional<Database>& reader) {
  reader.emplace(file.string(), reader_uri(file), Database::Mode::read);
  require_known_schema(*reader);
  configure_reader(*reader);
}

Database& Store::Impl::writable() {
  if (!write)
    throw std::invalid_argument(
        fmt::format("{}: was opened for reading and cannot be written", file.string()));
  return *write;
}

Writer& Store::Impl::working_writer() {
  writable();
  return *writer;
}

Store::Store(const std::filesystem::path& file, Access access, const StoreOptions& options)
    : impl_(std::make_unique<Impl>(file, access, options)) {}

Store::~Store() = default;

const std::filesystem::path& Store::file() const {
  return impl_->file;
}

std::filesystem::path Store::output_folder() const {
  return beside(impl_->real, ".outputs");
}

void Store::begin_run(const RunPlan& plan) {
  require_consistent(plan);
  auto run = impl_->write_now([&](Database& database) { return write_plan(database, plan); });
  impl_->queue.begin(std::move(run));
}

void Store::Impl::requeue(const Digest& run, Status status) {
  // A picture that could not be read is still the same picture: its trials stay failed.
  constexpr std::string_view kAgain =
      " WHERE run = ?1 AND state = 'done' AND status = ?2 AND image NOT IN"
      " (SELECT ordinal FROM run_images JOIN images ON images.key = run_images.image WHERE run = ?1 AND "
      "problem <> '')";
  std::vector<std::uint64_t> ready;
  const std::uint64_t again = write_now([&](Database& database) {
    Rows rows = database.query(
        fmt::format("SELECT position << 32 | ordinal FROM trials{} AND same_as IS NULL", kAgain), run,
        to_string(status));
    while (rows.next()) ready.push_back(static_cast<std::uint64_t>(rows.integer(0)));
    const std::uint64_t reopened = database.run(
        fmt::format("UPDATE trials SET state = 'ready', status = NULL, reason = '', flags = '', owner = '',"
                    " attempt = 0{}",
                    kAgain),
        run, to_string(status));
    if (reopened > 0) database.run("UPDATE runs SET finished_at = '' WHERE key = ?", run);
    return reopened;
  });
  queue.reopened(run, status, again, ready);
}

void Store::requeue_failed(const Digest& run) {
  impl_->requeue(run, Status::failed);
}

void Store::requeue_skipped(const Digest& run) {
  impl_->requeue(run, Status::skipped);
}

void Store::select(const Digest& run, const std::vector<bool>& wanted) {
  impl_->queue.select(run, wanted);
}

void Store::skip(const Digest& run, const std::vector<std::pair<std::uint32_t, std::string>>& trials) {
  std::vector<std::uint32_t> ended;
  const std::uint64_t rows = impl_->write_now([&](Database& database) {
    std::uint64_t changed = 0;
    for (const auto& [ordinal, reason] : trials)
      if (database.run("UPDATE trials SET state = 'done', status = 'skipped', reason = ?3"
                       " WHERE run = ?1 AND ordinal = ?2 AND state = 'ready' AND same_as IS NULL",
                       run, ordinal, reason) > 0) {
        ended.push_back(ordinal);
        ++changed;
      }
    return changed + finish_aliases(database, run);
  });
  impl_->queue.skipped(run, rows, ended);
}

std::vector<Claim> Store::claim(const Digest& run, const std::string& worker, std::size_t most) {
  Writer& writer = impl_->working_writer();
  writer.require_working();
  const auto state = impl_->queue.find(run);
  if (!state)
    throw std::invalid_argument(
        fmt::format("run {} has not begun in {}", run.short_hex(), impl_->file.string()));
  auto [claims, leases] = impl_->queue.take(state, most, [&](std::uint32_t ordinal) {
    const std::lock_guard guard(impl_->read_mutex);
    Rows row = impl_->read->query(
        "SELECT key, output, cell, image, seed, position, attempt FROM trials WHERE run = ? AND ordinal = ?",
        run, ordinal);
    if (!row.next())
      throw damaged_store(impl_->file.string(), fmt::format("trial {} of a run is gone", ordinal));
    Claim claim{
        .trial = row.digest(0), .output = row.digest(1), .seed = static_cast<std::uint64_t>(row.integer(4))};
    claim.cell = state->cells.at(static_cast<std::size_t>(row.integer(2)));
    claim.image = state->images.at(static_cast<std::size_t>(row.integer(3)));
    claim.attempt = static_cast<int>(row.integer(6)) + 1;
    Lease lease{.ordinal = ordinal, .owner = worker, .output = claim.output};
    lease.image = static_cast<std::uint32_t>(row.integer(3));
    lease.position = static_cast<std::uint32_t>(row.integer(5));
    return std::pair(claim, std::move(lease));
  });
  // Handed over without waiting for the disk: a lease lost in a crash would be free again anyway.
  writer.lease(std::move(leases));
  return std::move(claims);
}

void Store::append(Record record) {
  Writer& writer = impl_->working_writer();
  const auto held = impl_->queue.peek(record.trial, record.token);
  if (held) normalise(record, *held);
  auto lease = held ? impl_->queue.end(record.trial, record.token) : std::nullopt;
  if (lease) {
    writer.append(std::move(*lease), std::move(record));
  } else {
    writer.require_working();
    ++impl_->rejected;
  }
}

void Store::release(const std::vector<Claim>& claims) {
  Writer& writer = impl_->working_writer();
  for (const auto& claim : claims)
    if (auto lease = impl_->queue.end(claim.trial, claim.token)) {
      // First in the writer's line, then in the queue: whoever claims it next is written after.
      writer.release(*lease);
      impl_->queue.give_back(*lease);
    }
}

bool Store::lose_attempt(const Claim& claim, const std::string& reason) {
  if (claim.attempt >= kMostAttempts) {
    append(
        {.trial = claim.trial,
         .output = claim.output,
         .token = claim.token,
         .status = Status::failed,
         .reason = fmt::format("tried {} times, each time its device was lost: {}", claim.attempt, reason)});
    flush();
    return true;
  }
  if (const auto lease = impl_->queue.end(claim.trial, claim.token)) {
    impl_->write_now([&](Database& database) {
      write_lost_attempt(database, *lease, reason);
      return true;
    });
    impl_->queue.give_back(*lease);
  }
  return false;
}

void Store::flush() {
  impl_->working_writer().flush();
}

std::uint64_t Store::acknowledged() const {
  return impl_->working_writer().acknowledged();
}

std::uint64_t Store::rejected() const {
  return impl_->rejected + impl_->working_writer().lost();
}

void Store::finish_run(const Digest& run) {
  impl_->write_now([&](Database& database) {
    return database.run(
        "UPDATE runs SET finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE key = ? AND finished_at = "
        "''",
        run);
  });
}

}  // namespace upbench
