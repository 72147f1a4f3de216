#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/store/detections.h"
#include "harness/store/model_time.h"
#include "harness/store/results.h"
#include "harness/store/store_impl.h"
#include "harness/store/values.h"

namespace upbench {
namespace {

int small(const Rows& rows, int column) {
  return static_cast<int>(rows.integer(column));
}

constexpr std::string_view kRunColumns =
    "key, name, spec, canonical_spec, exclusions, command, environment, started_at, finished_at";

RunRow run_row(const Rows& rows) {
  return {.key = rows.digest(0),
          .name = rows.text(1),
          .spec = rows.text(2),
          .canonical_spec = rows.text(3),
          .exclusions = rows.text(4),
          .command = rows.text(5),
          .environment = rows.digest(6),
          .started_at = rows.text(7),
          .finished_at = rows.text(8)};
}

RunRow find_run(Database& database, const Digest& run) {
  Rows rows = database.query(fmt::format("SELECT {} FROM runs WHERE key = ?", kRunColumns), run);
  if (!rows.next())
    throw std::invalid_argument(fmt::format("{}: holds no run {}", database.name(), run.short_hex()));
  return run_row(rows);
}

std::vector<CellRow> cells_of(Database& database, const Digest& run) {
  std::vector<CellRow> cells;
  Rows rows = database.query(
      "SELECT key, label, settings, group_key FROM run_cells JOIN cells ON cells.key = run_cells.cell"
      " WHERE run = ? ORDER BY ordinal",
      run);
  while (rows.next())
    cells.push_back({.key = rows.digest(0),
                     .label = decode_label(rows.text(1)),
                     .settings = rows.text(2),
                     .group = rows.text(3)});
  return cells;
}

std::vector<ImageRow> images_of(Database& database, const Digest& run) {
  std::vector<ImageRow> images;
  Rows rows = database.query(
      "SELECT key, name, input, reference, input_width, input_height, reference_width, reference_height, "
      "notes, problem"
      " FROM run_images JOIN images ON images.key = run_images.image WHERE run = ? ORDER BY ordinal",
      run);
  while (rows.next())
    images.push_back({.key = rows.digest(0),
                      .name = rows.text(1),
                      .input = rows.digest(2),
                      .reference = rows.digest(3),
                      .input_width = small(rows, 4),
                      .input_height = small(rows, 5),
                      .reference_width = small(rows, 6),
                      .reference_height = small(rows, 7),
                      .notes = decode_list(rows.text(8)),
                      .problem = rows.text(9)});
  return images;
}

// Fills what is known of one trial's output. One object serves a whole walk over a run.
class Results {
 public:
  Results(Database& database, const Digest& run) : database_(database), columns_(database, run) {
    detects_ = has_detections(database) && database.integer("SELECT EXISTS(SELECT 1 FROM detections)") != 0;
  }

  void fill(TrialResult& result) {
    result.scores.assign(columns_.metrics(), {});
    result.timings.clear();
    result.model_time.clear();
    result.detections.clear();
    if (!result.finished) return;
    if (detects_) result.detections = read_detections(database_, result.output);
    fill_scores(result);
    Rows rows = database_.query(
        "SELECT clock, stage, sample, seconds FROM timings WHERE output = ?"
        " ORDER BY clock, stage, sample",
        result.output);
    while (rows.next())
      result.timings.push_back({.stage = rows.text(1),
                                .clock = parse_clock(rows.view(0)),
                                .sample = small(rows, 2),
                                .seconds = rows.real(3)});
    const bool measured = std::any_of(result.timings.begin(), result.timings.end(),
                                      [](const TimingRow& timing) { return timing.clock == Clock::model; });
    if (measured) result.model_time = read_meta(database_, model_time_name(result.output));
  }

 private:
  void fill_scores(TrialResult& result) {
    columns_.clear();
    Rows rows = database_.query(fmt::format("SELECT {} FROM scores WHERE output = ?", ScoreColumns::kColumns),
                                result.output);
    while (rows.next()) columns_.read(rows, 0);
    columns_.fill(result);
  }

  Database& database_;
  ScoreColumns columns_;
  bool detects_ = false;
};

}  // namespace

std::optional<OutputRow> Store::output(const Digest& output) const {
  const std::lock_guard guard(impl_->read_mutex);
  Rows rows = impl_->read->query(
      "SELECT width, height, pixels, used, kept_file, flags FROM outputs WHERE output = ?", output);
  if (!rows.next()) return std::nullopt;
  return OutputRow{.output = output,
                   .width = small(rows, 0),
                   .height = small(rows, 1),
                   .pixels = rows.digest(2),
                   .used = rows.text(3),
                   .kept_file = rows.text(4),
                   .flags = decode_list(rows.text(5))};
}

std::vector<ScoreRow> Store::scores(const Digest& output) const {
  const std::lock_guard guard(impl_->read_mutex);
  std::vector<ScoreRow> scores;
  Rows rows = impl_->read->query(
      "SELECT key, metric, value, flag, reason, seconds FROM scores WHERE output = ?", output);
  while (rows.next())
    scores.push_back({.key = rows.digest(0),
                      .output = output,
                      .metric = rows.text(1),
                      .value = rows.real(2),
                      .flag = parse_flag(rows.text(3)),
                      .reason = rows.text(4),
                      .seconds = rows.real(5)});
  return scores;
}

bool Store::has_model_timing(const Digest& output) const {
  const std::lock_guard guard(impl_->read_mutex);
  return impl_->read->integer("SELECT EXISTS(SELECT 1 FROM timings WHERE output = ? AND clock = 'model')",
                              output) != 0;
}

std::vector<RunRow> Store::runs() const {
  const std::lock_guard guard(impl_->read_mutex);
  std::vector<RunRow> runs;
  Rows rows = impl_->read->query(fmt::format("SELECT {} FROM runs ORDER BY started_at, key", kRunColumns));
  while (rows.next()) runs.push_back(run_row(rows));
  return runs;
}

Progress Store::progress(const Digest& run) const {
  if (const auto progress = impl_->queue.progress(run)) return *progress;
  const std::lock_guard guard(impl_->read_mutex);
  find_run(*impl_->read, run);
  Progress progress;
  // A lease that nobody renews any more counts as ready.
  Rows rows = impl_->read->query(
      "SELECT status, state = 'leased' AND lease_until >= ?2, count(*) FROM trials WHERE run = ?1 GROUP BY "
      "1, 2",
      run, impl_->read->now());
  while (rows.next()) {
    const auto count = static_cast<std::uint64_t>(rows.integer(2));
    progress.total += count;
    if (!rows.null(0)) {
      counter(progress, parse_status(rows.text(0))) += count;
    } else {
      (rows.integer(1) ? progress.leased : progress.ready) += count;
    }
  }
  return progress;
}

// A stage that was computed left its time with the output for which it was; one that was shared left none.
std::vector<StageCount> Store::stage_counts(const Digest& run) const {
  const std::lock_guard guard(impl_->read_mutex);
  Database& database = *impl_->read;
  find_run(database, run);
  std::vector<StageCount> counts;
  Rows asked = database.query(
      "SELECT json_extract(stage.value, '$.id'), count(DISTINCT t.output) FROM trials AS t"
      " JOIN run_cells AS r ON r.run = t.run AND r.ordinal = t.cell JOIN cells AS c ON c.key = r.cell,"
      " json_each(iif(json_valid(c.settings), c.settings, '[]')) AS stage"
      " WHERE t.run = ? AND t.status = 'ok' AND t.same_as IS NULL GROUP BY 1 ORDER BY min(stage.key)",
      run);
  while (asked.next())
    counts.push_back({.stage = asked.text(0), .reused = static_cast<std::uint64_t>(asked.integer(1))});
  Rows times = database.query(
      "SELECT stage, count(*) FROM timings WHERE clock = 'sweep' AND sample = 0 AND output IN (SELECT output"
      " FROM trials WHERE run = ? AND status = 'ok' AND same_as IS NULL) GROUP BY stage",
      run);
  while (times.next())
    if (const auto count = std::ranges::find(counts, times.text(0), &StageCount::stage);
        count != counts.end()) {
      count->executed = static_cast<std::uint64_t>(times.integer(1));
      count->reused -= count->executed;
    }
  return counts;
}

RunPlan Store::plan(const Digest& run) const {
  const std::lock_guard guard(impl_->read_mutex);
  Database& database = *impl_->read;
  RunPlan plan{.run = find_run(database, run),
               .environment = {},
               .cells = cells_of(database, run),
               .images = images_of(database, run),
               .metrics = metrics_of(database, run),
               .trials = {}};
  plan.environment = {
      .key = plan.run.environment,
      .json = database.text("SELECT json FROM environments WHERE key = ?", plan.run.environment)};
  plan.notes = decode_list(read_meta(database, run_notes_name(run)));
  return plan;
}

void Store::for_each_trial(const Digest& run, const std::function<void(const TrialResult&)>& visit) const {
  // Its own connection and snapshot: the visitor may ask the store for more, and workers may go on writing.
  std::optional<Database> database;
  Impl::open_reader(impl_->real, database);
  database->run("BEGIN");
  find_run(*database, run);
  Results results(*database, run);
  Rows rows = database->query(
      "SELECT t.cell, t.image, t.seed, t.same_as, t.status, t.reason, t.flags, coalesce(original.output, "
      "t.output),"
      " o.width, o.height, o.kept_file, o.peak_bytes, o.pixels FROM trials AS t"
      " LEFT JOIN trials AS original ON original.run = t.run AND original.ordinal = t.same_as"
      " LEFT JOIN outputs AS o ON o.output = coalesce(original.output, t.output) AND t.status = 'ok'"
      " WHERE t.run = ? ORDER BY t.ordinal",
      run);
  TrialResult result;
  while (rows.next()) {
    result.cell = static_cast<std::uint32_t>(rows.integer(0));
    result.image = static_cast<std::uint32_t>(rows.integer(1));
    result.seed = static_cast<std::uint64_t>(rows.integer(2));
    result.same_as = rows.null(3) ? kNoTrial : static_cast<std::uint32_t>(rows.integer(3));
    result.finished = !rows.null(4);
    result.status = result.finished ? parse_status(rows.text(4)) : Status::ok;
    result.reason = rows.text(5);
    result.flags = decode_list(rows.text(6));
    result.output = rows.digest(7);
    result.width = small(rows, 8);
    result.height = small(rows, 9);
    result.kept_file = rows.text(10);
    result.peak_bytes = static_cast<std::uint64_t>(rows.integer(11));
    result.pixels = rows.null(12) ? Digest{} : rows.digest(12);
    results.fill(result);
    visit(result);
  }
}

std::vector<BoundaryRow> Store::boundaries(const Digest& output) const {
  const std::lock_guard guard(impl_->read_mutex);
  std::vector<BoundaryRow> boundaries;
  Rows rows = impl_->read->query(
      "SELECT stage, vertical, position, half_width FROM boundaries WHERE output = ? ORDER BY ordinal",
      output);
  while (rows.next())
    boundaries.push_back({.stage = rows.text(0),
                          .vertical = rows.integer(1) != 0,
                          .position = rows.real(2),
                          .half_width = rows.real(3)});
  return boundaries;
}

}  // namespace upbench
