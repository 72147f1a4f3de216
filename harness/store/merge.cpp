#include <algorithm>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/store/detections.h"
#include "harness/store/kept_names.h"
#include "harness/store/model_time.h"
#include "harness/store/schema.h"
#include "harness/store/store_impl.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

// `other` for as long as this lives.
class Attached {
 public:
  Attached(Database& database, const fs::path& file) : database_(database) {
    database_.run("ATTACH ? AS other", reader_uri(file));
  }
  ~Attached() {
    try {
      database_.run("DETACH other");
    } catch (const StoreError&) {  // goes with the connection
    }
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  Database& database_;
};

// Runs that are new here, and runs of both whose trials are the same. Runs of one key with different trials
// stay as they are.
std::uint64_t compare_runs(Database& database) {
  database.run(
      "CREATE TEMP TABLE new_runs AS SELECT key FROM other.runs WHERE key NOT IN (SELECT key FROM "
      "main.runs)");
  database.run(
      "CREATE TEMP TABLE joint_runs AS SELECT r.key FROM other.runs AS r WHERE r.key IN (SELECT key FROM "
      "main.runs)"
      " AND (SELECT count(*) FROM main.trials WHERE run = r.key) = (SELECT count(*) FROM other.trials WHERE "
      "run = r.key)"
      " AND NOT EXISTS (SELECT 1 FROM other.trials AS o LEFT JOIN main.trials AS h ON h.run = o.run AND "
      "h.ordinal = o.ordinal"
      "                 WHERE o.run = r.key AND (h.key IS NOT o.key OR h.output IS NOT o.output))");
  return static_cast<std::uint64_t>(
      database.integer("SELECT (SELECT count(*) FROM other.runs) - (SELECT count(*) FROM temp.new_runs)"
                       " - (SELECT count(*) FROM temp.joint_runs)"));
}

void add_runs(Database& database) {
  for (const char* table : {"environments", "cells", "images"})
    database.run(fmt::format("INSERT OR IGNORE INTO main.{0} SELECT * FROM other.{0}", table));
  database.run("INSERT INTO main.runs SELECT * FROM other.runs WHERE key IN temp.new_runs");
  database.run("INSERT OR IGNORE INTO main.meta SELECT * FROM other.meta WHERE name GLOB 'run-notes *'");
  for (const char* table : {"run_cells", "run_images", "metrics"})
    database.run(
        fmt::format("INSERT INTO main.{0} SELECT * FROM other.{0} WHERE run IN temp.new_runs", table));
  database.run(
      "UPDATE main.runs SET started_at = min(main.runs.started_at, o.started_at),"
      " finished_at = max(main.runs.finished_at, o.finished_at)"
      " FROM other.runs AS o WHERE o.key = main.runs.key AND o.key IN temp.joint_runs");
}

// Better known replaces less known: ok, then skipped, then failed, then open.
constexpr std::string_view kKnown =
    "CASE WHEN {0}.state <> 'done' THEN 0 WHEN {0}.status = 'failed' THEN 1 WHEN {0}.status = 'skipped' THEN "
    "2 ELSE 3 END";

std::uint64_t add_trials(Database& database) {
  database.run("INSERT INTO main.trials SELECT * FROM other.trials WHERE run IN temp.new_runs");
  // Open ones begin anew: attempts were used up by devices that are not here.
  database.run(
      "UPDATE main.trials SET state = 'ready', token = 0, lease_until = 0, owner = '', attempt = 0, reason = "
      "''"
      " WHERE state <> 'done' AND run IN temp.new_runs");
  const auto added = static_cast<std::uint64_t>(
      database.integer("SELECT count(*) FROM main.trials WHERE run IN temp.new_runs AND state = 'done'"));
  return added +
         database.run(fmt::format(
             "UPDATE main.trials SET state = 'done', token = 0, lease_until = 0, attempt = o.attempt,"
             " owner = o.owner, status = o.status, reason = o.reason, flags = o.flags FROM other.trials AS o"
             " WHERE o.run = main.trials.run AND o.ordinal = main.trials.ordinal AND o.run IN temp.joint_runs"
             " AND ({}) > ({})",
             fmt::format(kKnown, "o"), fmt::format(kKnown, "main.trials")));
}

// A name from a file that somebody else made: it must stay inside the folder.
bool stays_inside(const fs::path& name) {
  return !name.empty() && name.is_relative() &&
         std::none_of(name.begin(), name.end(), [](const auto& part) { return part == ".."; });
}

bool copy_kept(const fs::path& from, const fs::path& to, const fs::path& name) {
  if (!stays_inside(name)) return false;
  std::error_code error;
  if (fs::exists(to / name, error)) return true;
  fs::create_directories((to / name).parent_path(), error);
  // Under another name first: a file of this name is complete.
  const fs::path unfinished = to / (name.string() + ".copying");
  fs::copy_file(from / name, unfinished, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(unfinished, to / name, error);
  if (!error) return true;
  std::error_code ignored;
  fs::remove(unfinished, ignored);
  if (error == std::errc::no_such_file_or_directory) return false;
  throw StoreError(
      fmt::format("{}: cannot be copied to {} ({})", (from / name).string(), to.string(), error.message()),
      4);
}

// Of outputs h and o: nobody claimed that the same bits would come again, where this is false.
constexpr std::string_view kClaimsBits =
    "instr(h.flags, 'not_bit_exact') = 0 AND instr(o.flags, 'not_bit_exact') = 0";

// Outputs that are new here, each with its picture; one whose picture is gone is known without it. Returns
// the conflicts.
std::uint64_t add_outputs(Database& database, const fs::path& from, const fs::path& to) {
  const auto conflicts = database.integer(
      fmt::format("SELECT count(*) FROM other.outputs AS o JOIN main.outputs AS h ON h.output = o.output"
                  " WHERE h.pixels <> o.pixels AND {}",
                  kClaimsBits));
  std::set<Digest> gone;
  {
    Rows rows = database.query(
        "SELECT output, kept_file FROM other.outputs WHERE kept_file <> ''"
        " AND output NOT IN (SELECT output FROM main.outputs)");
    while (rows.next())
      if (!copy_kept(from, to, rows.text(1))) gone.insert(rows.digest(0));
  }
  // Measurements of two machines are never mixed: they come only with an output that has none here.
  add_model_times(database);
  database.run(
      "INSERT INTO main.timings SELECT * FROM other.timings AS o WHERE NOT EXISTS"
      " (SELECT 1 FROM main.timings AS h WHERE h.output = o.output AND h.clock = o.clock)");
  database.run(
      "INSERT INTO main.boundaries SELECT * FROM other.boundaries AS o WHERE NOT EXISTS"
      " (SELECT 1 FROM main.boundaries AS h WHERE h.output = o.output)");
  database.run("INSERT OR IGNORE INTO main.outputs SELECT * FROM other.outputs");
  for (const auto& output : gone)
    database.run("UPDATE main.outputs SET kept_file = '' WHERE output = ?", output);
  return static_cast<std::uint64_t>(conflicts);
}

// The maps of detections that are there now; one whose file is gone is known without it.
void copy_maps(Database& database, const fs::path& from, const fs::path& to) {
  std::set<std::string> gone;
  {
    Rows rows = database.query("SELECT DISTINCT map_file FROM main.detections WHERE map_file <> ''");
    while (rows.next())
      if (const std::string name = rows.text(0); !copy_kept(from, to, name)) gone.insert(name);
  }
  for (const std::string& name : gone)
    database.run("UPDATE main.detections SET map_file = '' WHERE map_file = ?", name);
}

// What the pipeline got of each picture of the set, and its reference, where they were kept.
void copy_pictures(Database& database, const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::is_directory(from / fs::path(kept_input_name({})).parent_path(), error)) return;
  Rows rows = database.query("SELECT key FROM other.images");
  while (rows.next())
    for (const std::string& name : {kept_input_name(rows.digest(0)), kept_reference_name(rows.digest(0))})
      copy_kept(from, to, name);
}

Store::MergeResult add_scores(Database& database) {
  constexpr std::string_view kAbsent = "{}.flag IN ('skipped', 'failed')";
  const std::string here = fmt::format(kAbsent, "h"), there = fmt::format(kAbsent, "o");
  const auto conflicts = database.integer(fmt::format(
      "SELECT count(*) FROM (SELECT h.output AS scored FROM other.scores AS o JOIN main.scores AS h ON"
      " h.output = o.output AND h.key = o.key WHERE NOT {} AND NOT {} AND"
      " (h.flag <> o.flag OR h.value IS NOT o.value)) WHERE EXISTS (SELECT 1 FROM main.outputs AS h JOIN"
      " other.outputs AS o ON o.output = h.output WHERE h.output = scored AND {})",
      here, there, kClaimsBits));
  std::uint64_t added = database.run("INSERT OR IGNORE INTO main.scores SELECT * FROM other.scores");
  added += database.run(fmt::format(
      "UPDATE main.scores AS h SET value = o.value, flag = o.flag, reason = o.reason, seconds = o.seconds"
      " FROM other.scores AS o WHERE o.output = h.output AND o.key = h.key AND {} AND NOT {}",
      here, there));
  return {.added = added, .conflicts = static_cast<std::uint64_t>(conflicts)};
}

}  // namespace

Store::MergeResult Store::merge(const fs::path& other) {
  impl_->working_writer().flush();
  const fs::path real = real_file(other);
  require_store(real);
  if (fs::equivalent(real, impl_->real))
    throw std::invalid_argument(fmt::format("{}: cannot be merged into itself", other.string()));
  {
    std::optional<Database> reader;  // errors of the other file under its own name
    Impl::open_reader(real, reader);
    require_intact(*reader, real);
  }

  const std::lock_guard guard(impl_->write_mutex);
  Database& database = impl_->writable();
  const Attached attached(database, real);
  Transaction transaction(database);
  std::uint64_t conflicts = compare_runs(database);
  add_runs(database);
  const std::uint64_t trials = add_trials(database);
  conflicts += add_outputs(database, beside(real, ".outputs"), output_folder());
  MergeResult result = add_scores(database);
  add_detections(database);
  copy_maps(database, beside(real, ".outputs"), output_folder());
  copy_pictures(database, beside(real, ".outputs"), output_folder());
  database.run("DROP TABLE temp.new_runs");
  database.run("DROP TABLE temp.joint_runs");
  transaction.commit();
  impl_->queue.clear();
  result.added += trials;
  result.conflicts += conflicts;
  return result;
}

}  // namespace upbench
