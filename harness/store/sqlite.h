#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/digest.h"

struct sqlite3;
struct sqlite3_stmt;

// SQLite's C interface as three small classes. Every failure is a StoreError that names the file.
namespace upbench {

class StoreError;

StoreError damaged_store(std::string_view name, std::string_view what);

// The rows of one query. Leaving the scope ends the query, and with it the snapshot it reads.
class Rows {
 public:
  Rows(class Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next();
  bool null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;       // any bytes
  std::string_view view(int column) const;  // of a text or a key; until the next row
  Digest digest(int column) const;

 private:
  Database* database_;
  sqlite3_stmt* statement_;
};

// One connection, for one thread at a time. Statements are compiled once and kept by their text.
class Database {
 public:
  enum class Mode { create, write, read };
  // `name`: what errors call the file. `uri`: as sqlite_uri() in store_file.h makes it.
  Database(std::string name, const std::string& uri, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& name() const { return name_; }
  void execute(const char* script);  // any number of statements; results are dropped

  template <class... Values>
  Rows query(std::string_view sql, const Values&... values) {
    return bound(sql, Lifetime::rows, values...);
  }
  // Returns how many rows were inserted, updated or deleted.
  template <class... Values>
  std::uint64_t run(std::string_view sql, const Values&... values) {
    bound(sql, Lifetime::call, values...).next();
    return changes();
  }
  // First column of the first row; 0 or "" without a row.
  template <class... Values>
  std::int64_t integer(std::string_view sql, const Values&... values) {
    Rows rows = query(sql, values...);
    return rows.next() ? rows.integer(0) : 0;
  }
  template <class... Values>
  std::string text(std::string_view sql, const Values&... values) {
    Rows rows = query(sql, values...);
    return rows.next() ? rows.text(0) : std::string();
  }

  std::int64_t now();              // milliseconds since 1970, the database's clock
  [[noreturn]] void fail() const;  // throws what SQLite reported last
  bool in_transaction() const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  // Texts and keys are copied unless they live until the statement is done: a million rows are a million
  // copies.
  enum class Lifetime { call, rows };
  template <class... Values>
  Rows bound(std::string_view sql, Lifetime lifetime, const Values&... values) {
    sqlite3_stmt* statement = prepared(sql);
    lifetime_ = lifetime;
    int index = 0;
    (bind(statement, ++index, values), ...);
    return Rows(*this, statement);
  }
  sqlite3_stmt* prepared(std::string_view sql);
  std::uint64_t changes() const;
  void check(int code) const;

  void bind(sqlite3_stmt* statement, int index, std::int64_t value);
  void bind(sqlite3_stmt* statement, int index, double value);  // NaN is stored as NULL
  void bind(sqlite3_stmt* statement, int index, std::string_view value);
  void bind(sqlite3_stmt* statement, int index, const Digest& value);
  void bind(sqlite3_stmt* statement, int index, std::nullopt_t);
  void bind(sqlite3_stmt* statement, int index, std::integral auto value) {
    bind(statement, index, static_cast<std::int64_t>(value));
  }
  void bind(sqlite3_stmt* statement, int index, const std::string& value) {
    bind(statement, index, std::string_view(value));
  }
  void bind(sqlite3_stmt* statement, int index, const char* value) {
    bind(statement, index, std::string_view(value));
  }
  template <class T>
  void bind(sqlite3_stmt* statement, int index, const std::optional<T>& value) {
    value ? bind(statement, index, *value) : bind(statement, index, std::nullopt);
  }

  std::string name_;
  sqlite3* handle_ = nullptr;
  Lifetime lifetime_ = Lifetime::rows;  // of the values being bound
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements_;
  friend class Rows;
};

// BEGIN IMMEDIATE; rolled back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
};

}  // namespace upbench
