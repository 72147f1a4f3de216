#include "harness/store/record.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/store/detections.h"
#include "harness/store/values.h"

namespace upbench {
namespace {

[[noreturn]] void refuse(const Record& record, const std::string& what) {
  throw std::invalid_argument(fmt::format("record of trial {}: {}", record.trial.short_hex(), what));
}

const MetricRow* find_metric(const RunState& run, const std::string& name) {
  const auto found =
      std::find_if(run.metrics.begin(), run.metrics.end(), [&](const auto& m) { return m.name == name; });
  return found == run.metrics.end() ? nullptr : &*found;
}

void normalise(ScoreRow& score, const Record& record, const RunState& run) {
  if (!find_metric(run, score.metric))
    refuse(record, fmt::format("score of '{}', which its run does not have", score.metric));
  if (score.output.is_zero()) score.output = record.output;
  if (score.output != record.output)
    refuse(record, fmt::format("score of '{}' is of another output", score.metric));
  if (!std::isfinite(score.seconds))
    refuse(record, fmt::format("time of '{}' is {}", score.metric, score.seconds));
  const bool number = score.flag == ValueFlag::ok || score.flag == ValueFlag::inf;
  if (number && std::isnan(score.value)) {
    score.flag = ValueFlag::failed;
    score.reason = "the metric returned NaN";
  } else if (number) {
    if (score.flag == ValueFlag::inf && std::isfinite(score.value))
      score.value = std::numeric_limits<double>::infinity();
    score.flag = std::isinf(score.value) ? ValueFlag::inf : ValueFlag::ok;
  }
}

// True when the output was not known before.
bool write_output(Database& database, const Record& record) {
  const bool added = database.run("INSERT INTO outputs VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                                  record.output, record.width, record.height, record.pixels, record.used,
                                  record.kept_file, encode_list(record.flags), record.peak_bytes) == 1;
  if (!added && (!record.kept_file.empty() || record.peak_bytes > 0))
    database.run(
        "UPDATE outputs SET kept_file = iif(kept_file = '', ?2, kept_file),"
        " peak_bytes = iif(peak_bytes = 0, ?3, peak_bytes) WHERE output = ?1",
        record.output, record.kept_file, record.peak_bytes);
  return added;
}

void write_scores(Database& database, const Lease& lease, const Record& record) {
  for (const auto& score : record.scores) {
    const MetricRow& metric = *find_metric(*lease.run, score.metric);
    database.run(
        "INSERT INTO scores VALUES(?1, ?2, ?3, ?4, ?5, ?6, iif(?8 IN ('ok', 'inf'), ?7, NULL), ?8, ?9, ?10)"
        " ON CONFLICT DO UPDATE SET value = excluded.value,"
        " flag = excluded.flag, reason = excluded.reason, seconds = excluded.seconds"
        " WHERE excluded.flag <> 'skipped' OR scores.flag IN ('skipped', 'failed')",
        score.output, score.key, score.metric, lease.run->references[lease.image], metric.version,
        metric.border, score.value, to_string(score.flag), score.reason, score.seconds);
  }
}

// Times and boundaries of an unknown output replace those of an earlier failed attempt; of a known one, they
// fill gaps.
void write_measurements(Database& database, const Record& record, bool replace) {
  if (replace) {
    database.run("DELETE FROM timings WHERE output = ?", record.output);
    database.run("DELETE FROM boundaries WHERE output = ?", record.output);
  }
  for (const auto& timing : record.timings)
    database.run("INSERT OR IGNORE INTO timings VALUES(?, ?, ?, ?, ?)", record.output,
                 to_string(timing.clock), timing.stage, timing.sample, timing.seconds);
  std::int64_t ordinal = 0;
  for (const auto& boundary : record.boundaries)
    database.run("INSERT OR IGNORE INTO boundaries VALUES(?, ?, ?, ?, ?, ?)", record.output, ordinal++,
                 boundary.stage, boundary.vertical, boundary.position, boundary.half_width);
}

}  // namespace

void normalise(Record& record, const Lease& lease) {
  if (record.output != lease.output)
    refuse(record, fmt::format("output {}, but the plan asked for {}", record.output.short_hex(),
                               lease.output.short_hex()));
  for (auto& score : record.scores) normalise(score, record, *lease.run);
  for (const auto& timing : record.timings)
    if (!std::isfinite(timing.seconds))
      refuse(record, fmt::format("time of '{}' is {}", timing.stage, timing.seconds));
  for (const auto& boundary : record.boundaries)
    if (!std::isfinite(boundary.position) || !std::isfinite(boundary.half_width))
      refuse(record, fmt::format("a boundary of '{}' is no finite number", boundary.stage));
  for (const auto& detection : record.detections) require_finite(detection);
}

void write_lease(Database& database, const Lease& lease, std::int64_t until) {
  database.run(
      "UPDATE trials SET state = 'leased', token = ?3, owner = ?4, lease_until = ?5"
      " WHERE run = ?1 AND ordinal = ?2 AND state = 'ready'",
      lease.run->run, lease.ordinal, lease.token, lease.owner, until);
}

void renew_lease(Database& database, const Lease& lease, std::int64_t until) {
  database.run(
      "UPDATE trials SET lease_until = ?4 WHERE run = ?1 AND ordinal = ?2 AND token = ?3 AND state = "
      "'leased'",
      lease.run->run, lease.ordinal, lease.token, until);
}

void write_release(Database& database, const Lease& lease) {
  database.run(
      "UPDATE trials SET state = 'ready', token = 0, owner = '', lease_until = 0"
      " WHERE run = ?1 AND ordinal = ?2 AND token = ?3 AND state = 'leased'",
      lease.run->run, lease.ordinal, lease.token);
}

void write_lost_attempt(Database& database, const Lease& lease, const std::string& reason) {
  database.run(
      "UPDATE trials SET state = 'ready', token = 0, owner = '', lease_until = 0, attempt = attempt + 1,"
      " reason = ?4 WHERE run = ?1 AND ordinal = ?2 AND token = ?3 AND state = 'leased'",
      lease.run->run, lease.ordinal, lease.token, reason);
}

std::uint64_t write_record(Database& database, const Lease& lease, const Record& record) {
  const std::string flags = encode_list(record.flags);
  const auto status = to_string(record.status);
  std::uint64_t finished = database.run(
      "UPDATE trials SET state = 'done', status = ?4, reason = ?5, flags = ?6, token = 0, lease_until = 0"
      " WHERE run = ?1 AND ordinal = ?2 AND token = ?3 AND state = 'leased'",
      lease.run->run, lease.ordinal, lease.token, status, record.reason, flags);
  if (finished == 0) return 0;
  // By itself the planner scans the run instead.
  finished += database.run(
      "UPDATE trials INDEXED BY trials_aliases SET state = 'done', status = ?3, reason = ?4, flags = ?5"
      " WHERE run = ?1 AND same_as = ?2 AND state <> 'done'",
      lease.run->run, lease.ordinal, status, record.reason, flags);
  const bool known = record.status != Status::ok
                         ? database.integer("SELECT 1 FROM outputs WHERE output = ?", record.output)
                         : !write_output(database, record);
  write_scores(database, lease, record);
  write_measurements(database, record, !known);
  write_detections(database, record.output, record.detections);
  return finished;
}

}  // namespace upbench
