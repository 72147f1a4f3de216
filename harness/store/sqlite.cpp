#include "harness/store/sqlite.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

#include "harness/store.h"

namespace upbench {
namespace {

constexpr int kBusyMilliseconds = 10'000;

StoreError problem(const std::string& name, int code, const char* message, int system_error) {
  const bool no_space = system_error == ENOSPC || system_error == EDQUOT;
  const std::string why =
      system_error ? fmt::format("{}: {}", message, std::strerror(system_error)) : message;
  switch (code & 0xFF) {
    case SQLITE_IOERR:
      if (!no_space) return {fmt::format("{}: reading or writing failed ({})", name, why), 4};
      [[fallthrough]];
    case SQLITE_FULL:
      return {
          fmt::format("{}: disk full; every acknowledged record is kept: free space and start again", name),
          4};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return damaged_store(name, message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {fmt::format("{}: is locked by another program: close it and start again", name), 2};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {fmt::format("{}: is read-only ({}): make the file and its folder writable", name, why), 4};
    case SQLITE_CANTOPEN:
      return {
          fmt::format("{}: cannot be opened ({}): the file and its folder must be readable, and writable for "
                      "its log files {}-wal and -shm",
                      name, why, name),
          4};
    default:
      return {fmt::format("{}: the store failed ({})", name, why), 4};
  }
}

sqlite3_destructor_type destructor(bool copy) {
  return copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
}

}  // namespace

StoreError damaged_store(std::string_view name, std::string_view what) {
  return {fmt::format(
              "{0}: is damaged ({1}): restore a backup, or save what can be read with `sqlite3 {0} .recover`",
              name, what),
          2};
}

Rows::~Rows() {
  sqlite3_reset(statement_);
}

bool Rows::next() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_->fail();
  return code == SQLITE_ROW;
}

bool Rows::null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Rows::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Rows::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string_view Rows::view(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes ? std::string_view(bytes, size) : std::string_view();
}

std::string Rows::text(int column) const {
  return std::string(view(column));
}

Digest Rows::digest(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  Digest digest;
  if (size != digest.bytes.size())
    throw damaged_store(database_->name(), fmt::format("a key of {} bytes, not 32", size));
  std::memcpy(digest.bytes.data(), bytes, size);
  return digest;
}

Database::Database(std::string name, const std::string& uri, Mode mode) : name_(std::move(name)) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (mode == Mode::read) flags |= SQLITE_OPEN_READONLY;
  if (mode != Mode::read) flags |= SQLITE_OPEN_READWRITE;
  if (mode == Mode::create) flags |= SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(uri.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    const StoreError error =
        problem(name_, code, sqlite3_errmsg(handle_), handle_ ? sqlite3_system_errno(handle_) : 0);
    sqlite3_close(handle_);
    throw error;
  }
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
}

Database::~Database() {
  statements_.clear();
  sqlite3_close(handle_);
}

void Database::execute(const char* script) {
  check(sqlite3_exec(handle_, script, nullptr, nullptr, nullptr));
}

void Database::fail() const {
  throw problem(name_, sqlite3_extended_errcode(handle_), sqlite3_errmsg(handle_),
                sqlite3_system_errno(handle_));
}

void Database::check(int code) const {
  if (code != SQLITE_OK) fail();
}

std::int64_t Database::now() {
  return integer("SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)");
}

bool Database::in_transaction() const {
  return !sqlite3_get_autocommit(handle_);
}

std::uint64_t Database::changes() const {
  return static_cast<std::uint64_t>(sqlite3_changes64(handle_));
}

void Database::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

sqlite3_stmt* Database::prepared(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                             &statement, nullptr));
    found = statements_.emplace(sql, std::unique_ptr<sqlite3_stmt, Finalize>(statement)).first;
  }
  return found->second.get();
}

void Database::bind(sqlite3_stmt* statement, int index, std::int64_t value) {
  check(sqlite3_bind_int64(statement, index, value));
}

void Database::bind(sqlite3_stmt* statement, int index, double value) {
  check(sqlite3_bind_double(statement, index, value));
}

void Database::bind(sqlite3_stmt* statement, int index, std::string_view value) {
  // A null pointer would be NULL, not the empty text.
  const char* bytes = value.data() ? value.data() : "";
  check(sqlite3_bind_text64(statement, index, bytes, value.size(), destructor(lifetime_ == Lifetime::rows),
                            SQLITE_UTF8));
}

void Database::bind(sqlite3_stmt* statement, int index, const Digest& value) {
  check(sqlite3_bind_blob64(statement, index, value.bytes.data(), value.bytes.size(),
                            destructor(lifetime_ == Lifetime::rows)));
}

void Database::bind(sqlite3_stmt* statement, int index, std::nullopt_t) {
  check(sqlite3_bind_null(statement, index));
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // A failed statement may have rolled back already; a rollback that fails leaves nothing to do but close.
  if (!database_.in_transaction()) return;
  try {
    database_.run("ROLLBACK");
  } catch (const StoreError&) {
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
}

}  // namespace upbench
