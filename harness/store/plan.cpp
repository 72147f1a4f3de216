#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/store/store_impl.h"
#include "harness/store/values.h"

namespace upbench {
namespace {

std::optional<std::uint32_t> original(const TrialRow& trial) {
  return trial.same_as == kNoTrial ? std::nullopt : std::optional(trial.same_as);
}

void write_descriptions(Database& database, const RunPlan& plan) {
  const RunRow& run = plan.run;
  database.run("INSERT INTO environments VALUES(?, ?) ON CONFLICT DO NOTHING", plan.environment.key,
               plan.environment.json);
  database.run(
      "INSERT INTO runs VALUES(?, ?, ?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), '')"
      " ON CONFLICT DO NOTHING",
      run.key, run.name, run.spec, run.canonical_spec, run.exclusions, run.command, run.environment);
  for (const char* table : {"run_cells", "run_images", "metrics"})
    database.run(fmt::format("DELETE FROM {} WHERE run = ?", table), run.key);
  std::int64_t ordinal = 0;
  for (const auto& cell : plan.cells) {
    database.run(
        "INSERT INTO cells VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET group_key = excluded.group_key"
        " WHERE group_key <> excluded.group_key",
        cell.key, encode_label(cell.label), cell.settings, cell.group);
    database.run("INSERT INTO run_cells VALUES(?, ?, ?)", run.key, ordinal++, cell.key);
  }
  ordinal = 0;
  for (const auto& image : plan.images) {
    database.run("INSERT OR REPLACE INTO images VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", image.key, image.name,
                 image.input, image.reference, image.input_width, image.input_height, image.reference_width,
                 image.reference_height, encode_list(image.notes), image.problem);
    database.run("INSERT INTO run_images VALUES(?, ?, ?)", run.key, ordinal++, image.key);
  }
  ordinal = 0;
  for (const auto& metric : plan.metrics)
    database.run("INSERT INTO metrics VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", run.key, ordinal++, metric.name,
                 metric.unit, metric.convention, metric.higher_is_better, metric.version, metric.border,
                 metric.decimals);
}

void write_notes(Database& database, const RunPlan& plan) {
  const std::string name = run_notes_name(plan.run.key);
  database.run("DELETE FROM meta WHERE name = ?", name);
  if (!plan.notes.empty()) database.run("INSERT INTO meta VALUES(?, ?)", name, encode_list(plan.notes));
}

bool holds_trials_of(Database& database, const RunPlan& plan) {
  Rows rows = database.query(
      "SELECT key, output, cell, image, seed, coalesce(same_as, ?2), position FROM trials WHERE run = ?1 "
      "ORDER BY ordinal",
      plan.run.key, kNoTrial);
  for (const auto& trial : plan.trials) {
    const bool equal = rows.next() && rows.digest(0) == trial.key && rows.digest(1) == trial.output &&
                       rows.integer(2) == trial.cell && rows.integer(3) == trial.image &&
                       static_cast<std::uint64_t>(rows.integer(4)) == trial.seed &&
                       rows.integer(5) == trial.same_as && rows.integer(6) == trial.position;
    if (!equal) return false;
  }
  return !rows.next();
}

// What is finished stays so where the trial still asks for the same output, and used up attempts are not
// given back.
void replace_trials(Database& database, const RunPlan& plan) {
  const Digest& run = plan.run.key;
  const bool planned_before = database.integer("SELECT EXISTS(SELECT 1 FROM trials WHERE run = ?)", run) != 0;
  if (planned_before) {
    database.run(
        "CREATE TEMP TABLE before AS SELECT * FROM trials WHERE run = ? AND (state = 'done' OR attempt > 0)",
        run);
    database.run("CREATE INDEX temp.before_key ON before(key)");
    database.run("DELETE FROM trials WHERE run = ?", run);
  }
  std::int64_t ordinal = 0;
  for (const auto& trial : plan.trials)
    database.run(
        "INSERT INTO trials(run, ordinal, key, output, cell, image, seed, same_as, position)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
        run, ordinal++, trial.key, trial.output, trial.cell, trial.image, trial.seed, original(trial),
        trial.position);
  if (planned_before) {
    database.run(
        "UPDATE trials SET state = before.state, status = before.status, reason = before.reason,"
        " flags = before.flags, attempt = before.attempt, owner = before.owner FROM before"
        " WHERE trials.run = ?1 AND before.key = trials.key AND before.output = trials.output",
        run);
    database.run("DROP TABLE temp.before");
  }
}

// What needs no worker: leases of the dead, pictures that cannot be used, trials whose original is finished.
void settle_trials(Database& database, const RunPlan& plan) {
  const Digest& run = plan.run.key;
  database.run(
      "UPDATE trials SET state = 'ready', token = 0, owner = '', lease_until = 0"
      " WHERE run = ? AND state = 'leased'",
      run);
  if (std::any_of(plan.images.begin(), plan.images.end(),
                  [](const auto& image) { return !image.problem.empty(); }))
    database.run(
        "UPDATE trials SET state = 'done', status = 'failed', reason = bad.problem FROM"
        " (SELECT ordinal, problem FROM run_images JOIN images ON images.key = run_images.image"
        "  WHERE run = ?1 AND problem <> '') AS bad"
        " WHERE run = ?1 AND state <> 'done' AND image = bad.ordinal",
        run);
  finish_aliases(database, run);
}

std::shared_ptr<RunState> load_run(Database& database, const RunPlan& plan) {
  auto state = std::make_shared<RunState>();
  state->run = plan.run.key;
  state->metrics = plan.metrics;
  for (const auto& cell : plan.cells) state->cells.push_back(cell.key);
  for (const auto& image : plan.images) {
    state->images.push_back(image.key);
    state->references.push_back(image.reference);
  }
  Rows rows = database.query(
      "SELECT status, position << 32 | ordinal, same_as IS NULL FROM trials WHERE run = ?", state->run);
  while (rows.next()) {
    ++state->progress.total;
    if (!rows.null(0)) {
      ++counter(state->progress, parse_status(rows.text(0)));
    } else if (rows.integer(2)) {
      state->ready.push_back(static_cast<std::uint64_t>(rows.integer(1)));
    }
  }
  return state;
}

}  // namespace

std::uint64_t finish_aliases(Database& database, const Digest& run) {
  return database.run(
      "UPDATE trials INDEXED BY trials_aliases SET state = 'done', status = o.status, reason = o.reason, "
      "flags = o.flags"
      " FROM trials AS o WHERE trials.run = ?1 AND trials.same_as IS NOT NULL AND trials.state <> 'done'"
      " AND o.run = ?1 AND o.ordinal = trials.same_as AND o.state = 'done'",
      run);
}

void require_consistent(const RunPlan& plan) {
  for (std::size_t i = 0; i < plan.trials.size(); ++i) {
    const TrialRow& trial = plan.trials[i];
    const bool original_fits = trial.same_as == kNoTrial || (trial.same_as < plan.trials.size() &&
                                                             plan.trials[trial.same_as].same_as == kNoTrial);
    if (trial.cell < plan.cells.size() && trial.image < plan.images.size() && original_fits) continue;
    throw std::invalid_argument(fmt::format(
        "plan of run {}: trial {} names cell {} of {}, picture {} of {}, original {}", plan.run.name, i,
        trial.cell, plan.cells.size(), trial.image, plan.images.size(), trial.same_as));
  }
}

std::shared_ptr<RunState> write_plan(Database& database, const RunPlan& plan) {
  write_descriptions(database, plan);
  write_notes(database, plan);
  if (!holds_trials_of(database, plan)) replace_trials(database, plan);
  settle_trials(database, plan);
  auto state = load_run(database, plan);
  if (state->progress.done() < state->progress.total)
    database.run("UPDATE runs SET finished_at = '' WHERE key = ? AND finished_at <> ''", plan.run.key);
  return state;
}

}  // namespace upbench
