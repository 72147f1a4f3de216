#include "harness/store/schema.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "harness/store.h"
#include "harness/store/detections.h"
#include "harness/store/file.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kCheckedBytes = 200u << 20;

// Keys are hashes of content or names, so that merging stores is a set union. Hashes are 32 bytes. Rows of a
// run lie in report order (`ordinal`). Lists of texts: one a line (store_values.h). A number that is not
// there is NULL beside its flag.
constexpr const char* kTables = R"sql(
-- 'schema', and facts by name: see harness/store/model_time.h and values.h.
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE environments(key BLOB PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE runs(
  key BLOB PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL, canonical_spec TEXT NOT NULL, exclusions TEXT NOT NULL,
  command TEXT NOT NULL, environment BLOB NOT NULL,
  started_at TEXT NOT NULL, finished_at TEXT NOT NULL   -- UTC; finished_at '' while trials are open
) STRICT, WITHOUT ROWID;

CREATE TABLE cells(
  key BLOB PRIMARY KEY, label TEXT NOT NULL, settings TEXT NOT NULL, group_key TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE images(
  key BLOB PRIMARY KEY, name TEXT NOT NULL, input BLOB NOT NULL, reference BLOB NOT NULL,
  input_width INTEGER NOT NULL, input_height INTEGER NOT NULL,
  reference_width INTEGER NOT NULL, reference_height INTEGER NOT NULL,
  notes TEXT NOT NULL, problem TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE run_cells(run BLOB, ordinal INTEGER, cell BLOB NOT NULL, PRIMARY KEY(run, ordinal)) STRICT, WITHOUT ROWID;
CREATE TABLE run_images(run BLOB, ordinal INTEGER, image BLOB NOT NULL, PRIMARY KEY(run, ordinal)) STRICT, WITHOUT ROWID;

CREATE TABLE metrics(
  run BLOB, ordinal INTEGER, name TEXT NOT NULL, unit TEXT NOT NULL, convention TEXT NOT NULL,
  higher_is_better INTEGER NOT NULL, version INTEGER NOT NULL, border INTEGER NOT NULL, decimals INTEGER NOT NULL,
  PRIMARY KEY(run, ordinal)) STRICT, WITHOUT ROWID;

-- The queue and its outcome. cell, image, same_as are ordinals of the run; position is the execution order.
-- ready -> leased -> done; a row with same_as is never leased, it is done with that trial.
CREATE TABLE trials(
  run BLOB, ordinal INTEGER, key BLOB NOT NULL, output BLOB NOT NULL,
  cell INTEGER NOT NULL, image INTEGER NOT NULL, seed INTEGER NOT NULL, same_as INTEGER, position INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'ready' CHECK(state IN ('ready', 'leased', 'done')),
  token INTEGER NOT NULL DEFAULT 0, lease_until INTEGER NOT NULL DEFAULT 0,   -- milliseconds since 1970, database clock
  attempt INTEGER NOT NULL DEFAULT 0,   -- used up: Store::lose_attempt; the reason of the last one is in `reason`
  owner TEXT NOT NULL DEFAULT '',
  status TEXT CHECK((status IS NULL) = (state <> 'done')),
  reason TEXT NOT NULL DEFAULT '', flags TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(run, ordinal)) STRICT, WITHOUT ROWID;
CREATE INDEX trials_aliases ON trials(run, same_as) WHERE same_as IS NOT NULL;

-- What was computed, whichever run asked first: one row per finished output.
CREATE TABLE outputs(
  output BLOB PRIMARY KEY, width INTEGER NOT NULL, height INTEGER NOT NULL, pixels BLOB NOT NULL, used TEXT NOT NULL,
  kept_file TEXT NOT NULL, flags TEXT NOT NULL, peak_bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE scores(
  output BLOB, key BLOB, metric TEXT NOT NULL, reference BLOB NOT NULL, version INTEGER NOT NULL, border INTEGER NOT NULL,
  value REAL CHECK((value IS NULL) = (flag NOT IN ('ok', 'inf'))),
  flag TEXT NOT NULL, reason TEXT NOT NULL, seconds REAL NOT NULL,
  PRIMARY KEY(output, key)) STRICT, WITHOUT ROWID;

CREATE TABLE timings(
  output BLOB, clock TEXT, stage TEXT, sample INTEGER, seconds REAL NOT NULL,
  PRIMARY KEY(output, clock, stage, sample)) STRICT, WITHOUT ROWID;

CREATE TABLE boundaries(
  output BLOB, ordinal INTEGER, stage TEXT NOT NULL, vertical INTEGER NOT NULL, position REAL NOT NULL,
  half_width REAL NOT NULL, PRIMARY KEY(output, ordinal)) STRICT, WITHOUT ROWID;
)sql";

void sync_folder(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

}  // namespace

void create_store(const fs::path& file) {
  const fs::path unfinished = beside(file, ".creating");
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(beside(unfinished, suffix), ignored);
  {
    Database database(file.string(), sqlite_uri(unfinished, "mode=rwc"), Database::Mode::create);
    database.execute("PRAGMA page_size = 4096; PRAGMA synchronous = FULL");
    database.execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, kSchemaVersion)
            .c_str());
    database.execute("BEGIN");
    database.execute(kTables);
    create_detections(database);
    database.run("INSERT INTO meta VALUES('schema', ?)", std::to_string(kSchemaVersion));
    database.execute("COMMIT; PRAGMA journal_mode = WAL");
  }
  std::error_code error;
  fs::rename(unfinished, file, error);
  if (error) throw StoreError(fmt::format("{}: cannot be created ({})", file.string(), error.message()), 4);
  sync_folder(file);
}

void require_known_schema(Database& database) {
  const auto version = database.integer("PRAGMA user_version");
  if (version >= 1 && version <= kSchemaVersion) return;
  throw StoreError(
      fmt::format("{}: was written by a newer upbench (schema {}, this one knows {}): use that version",
                  database.name(), version, kSchemaVersion),
      2);
}

void migrate(Database& database) {
  const auto version = database.integer("PRAGMA user_version");
  if (version == kSchemaVersion) return;
  Transaction transaction(database);
  if (version < 2) create_detections(database);
  database.run("UPDATE trials SET attempt = 0 WHERE attempt <> 0");
  database.run("UPDATE meta SET value = ? WHERE name = 'schema'", std::to_string(kSchemaVersion));
  database.execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion).c_str());
  transaction.commit();
}

void configure_reader(Database& database) {
  database.execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = -16384");
}

void configure_writer(Database& database, std::uint32_t most_pages) {
  configure_reader(database);
  database.execute(
      "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 67108864");
  database.execute("PRAGMA synchronous = FULL");
  if (most_pages > 0) database.execute(fmt::format("PRAGMA max_page_count = {}", most_pages).c_str());
  if (database.text("PRAGMA journal_mode = WAL") != "wal")
    throw StoreError(
        fmt::format("{}: its file system cannot hold a write-ahead log: use a local disk", database.name()),
        4);
  Transaction(database).commit();  // some file systems accept the log and fail at the first write
}

void require_intact(Database& database, const fs::path& file) {
  if (fs::file_size(file) > kCheckedBytes) return;
  const std::string answer = database.text("PRAGMA quick_check(1)");
  if (answer != "ok") throw damaged_store(file.string(), answer);
}

}  // namespace upbench
