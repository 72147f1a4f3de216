// Store::scan_trials(): all results of a run by one pass over each table. The tables lie in the order of the
// outputs' keys, so four cursors that only move forward find everything without a search.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "harness/store/detections.h"
#include "harness/store/model_time.h"
#include "harness/store/results.h"
#include "harness/store/store_impl.h"
#include "harness/store/values.h"

namespace upbench {
namespace {

constexpr std::int64_t kDense = 4;  // the store may hold so many times the trials of the run

// What `trials` says of one, texts by place in a list.
struct Asked {
  Digest output;
  std::uint64_t seed = 0;
  std::uint32_t cell = 0, image = 0, same_as = kNoTrial;
  std::uint32_t reason = 0, flags = 0;
  bool finished = false;
  Status status = Status::ok;
};

class Texts {
 public:
  std::uint32_t place(std::string_view text) {
    if (text.empty()) return 0;
    const auto [at, added] =
        places_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
    if (added) texts_.emplace_back(text);
    return at->second;
  }
  const std::string& at(std::uint32_t place) const { return texts_[place]; }

 private:
  std::vector<std::string> texts_{""};
  std::unordered_map<std::string, std::uint32_t> places_;
};

std::vector<Asked> read_asked(Database& database, const Digest& run, Texts& texts) {
  std::vector<Asked> all;
  Rows rows = database.query(
      "SELECT ordinal, output, seed, cell, image, same_as, status, reason, flags FROM trials WHERE run = ?"
      " ORDER BY ordinal",
      run);
  while (rows.next()) {
    if (rows.integer(0) != static_cast<std::int64_t>(all.size()))
      throw damaged_store(database.name(), fmt::format("trial {} of a run is missing", all.size()));
    Asked asked{.output = rows.digest(1),
                .seed = static_cast<std::uint64_t>(rows.integer(2)),
                .cell = static_cast<std::uint32_t>(rows.integer(3)),
                .image = static_cast<std::uint32_t>(rows.integer(4)),
                .same_as = rows.null(5) ? kNoTrial : static_cast<std::uint32_t>(rows.integer(5)),
                .reason = texts.place(rows.view(7)),
                .flags = texts.place(rows.view(8)),
                .finished = !rows.null(6)};
    if (asked.finished) asked.status = parse_status(rows.view(6));
    all.push_back(asked);
  }
  // An alias has what the trial has that it repeats.
  for (Asked& asked : all)
    if (asked.same_as < all.size()) asked.output = all[asked.same_as].output;
  return all;
}

// Places of the trials by their outputs' keys.
std::vector<std::uint32_t> by_output(const std::vector<Asked>& asked) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order(asked.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    std::uint64_t first = 0;
    for (std::size_t b = 0; b < sizeof first; ++b) first = first << 8 | asked[i].output.bytes[b];
    order[i] = {first, i};
  }
  std::ranges::sort(order, [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    const auto key = [&](const auto& entry) { return std::pair(asked[entry.second].output, entry.second); };
    return key(a) < key(b);
  });
  std::vector<std::uint32_t> places(order.size());
  std::ranges::transform(order, places.begin(), [](const auto& entry) { return entry.second; });
  return places;
}

// Moves forward over a table whose rows begin with an output's key, in its order.
class Cursor {
 public:
  Cursor(Database& database, const std::string& columns, const char* table)
      : rows_(database.query(fmt::format("SELECT output, {} FROM {} ORDER BY output", columns, table))),
        more_(rows_.next()) {}
  // Hands each row of the output to `read`; keys are asked for in ascending order.
  template <class Read>
  void each(const Digest& output, Read read) {
    while (more_ && compare(output) < 0) more_ = rows_.next();
    for (; more_ && compare(output) == 0; more_ = rows_.next()) read(rows_);
  }

 private:
  int compare(const Digest& output) const {
    const std::string_view key = rows_.view(0);
    return key.size() == output.bytes.size() ? std::memcmp(key.data(), output.bytes.data(), key.size()) : -1;
  }
  Rows rows_;
  bool more_;
};

class Scan {
 public:
  Scan(Database& database, const Digest& run)
      : database_(database),
        columns_(database, run),
        outputs_(database, "width, height, kept_file, peak_bytes, pixels", "outputs"),
        scores_(database, ScoreColumns::kColumns, "scores"),
        timings_(database, "clock, stage, sample, seconds", "timings") {
    if (has_detections(database)) detections_.emplace(database, kDetectionColumns, "detections");
  }

  // Everything that is known of the output, for fill().
  void read(const Digest& output) {
    computed_ = {};
    outputs_.each(output, [&](const Rows& rows) {
      computed_ = {.width = static_cast<int>(rows.integer(1)),
                   .height = static_cast<int>(rows.integer(2)),
                   .kept_file = rows.text(3),
                   .peak_bytes = static_cast<std::uint64_t>(rows.integer(4)),
                   .pixels = rows.null(5) ? Digest{} : rows.digest(5)};
    });
    columns_.clear();
    scores_.each(output, [&](const Rows& rows) { columns_.read(rows, 1); });
    found_.clear();
    if (detections_)
      detections_->each(
          output, [&](const Rows& rows) { found_.push_back(detection_row(database_, rows, 1, false)); });
    std::ranges::sort(found_, {}, [](const DetectionRow& row) { return std::tie(row.detector, row.key); });
    read_times(output);
  }

  std::size_t metrics() const { return columns_.metrics(); }
  void fill(TrialResult& result) const {
    const bool ok = result.status == Status::ok;
    result.width = ok ? computed_.width : 0;
    result.height = ok ? computed_.height : 0;
    result.kept_file = ok ? computed_.kept_file : std::string();
    result.peak_bytes = ok ? computed_.peak_bytes : 0;
    result.pixels = ok ? computed_.pixels : Digest{};
    result.detections = found_;
    columns_.fill(result);
    result.timings = times_;
    result.model_time = facts_;
  }

 private:
  struct Computed {
    int width = 0, height = 0;
    std::string kept_file;
    std::uint64_t peak_bytes = 0;
    Digest pixels;
  };

  void read_times(const Digest& output) {
    times_.clear();
    facts_.clear();
    bool measured = false;
    timings_.each(output, [&](const Rows& rows) {
      times_.push_back({.stage = rows.text(2),
                        .clock = parse_clock(rows.view(1)),
                        .sample = static_cast<int>(rows.integer(3)),
                        .seconds = rows.real(4)});
      measured = measured || times_.back().clock == Clock::model;
    });
    if (measured) facts_ = read_meta(database_, model_time_name(output));
  }

  Database& database_;
  ScoreColumns columns_;
  Cursor outputs_, scores_, timings_;
  std::optional<Cursor> detections_;
  Computed computed_;
  std::vector<DetectionRow> found_;
  std::vector<TimingRow> times_;
  std::string facts_;
};

bool is_dense(Database& database, const Digest& run) {
  if (database.integer("SELECT count(*) FROM runs") == 1) return true;
  return database.integer("SELECT count(*) FROM trials") <=
         kDense * database.integer("SELECT count(*) FROM trials WHERE run = ?", run);
}

TrialResult asked_result(const Asked& asked, const Texts& texts) {
  TrialResult result{
      .cell = asked.cell,
      .image = asked.image,
      .seed = asked.seed,
      .same_as = asked.same_as,
      .finished = asked.finished,
      .status = asked.status,
      .reason = texts.at(asked.reason),
      .flags = asked.flags > 0 ? decode_list(texts.at(asked.flags)) : std::vector<std::string>(),
      .output = asked.output};
  return result;
}

}  // namespace

void Store::scan_trials(const Digest& run, const std::function<void(std::size_t count)>& begin,
                        const std::function<void(std::uint32_t, const TrialResult&)>& visit) const {
  std::optional<Database> database;
  Impl::open_reader(impl_->real, database);
  database->run("BEGIN");
  if (database->integer("SELECT EXISTS(SELECT 1 FROM runs WHERE key = ?)", run) == 0)
    throw std::invalid_argument(fmt::format("{}: holds no run {}", database->name(), run.short_hex()));
  if (!is_dense(*database, run)) {
    begin(static_cast<std::size_t>(database->integer("SELECT count(*) FROM trials WHERE run = ?", run)));
    database.reset();
    std::uint32_t ordinal = 0;
    for_each_trial(run, [&](const TrialResult& result) { visit(ordinal++, result); });
    return;
  }
  Texts texts;
  const std::vector<Asked> asked = read_asked(*database, run, texts);
  begin(asked.size());
  Scan scan(*database, run);
  const Digest* known = nullptr;
  for (const std::uint32_t i : by_output(asked)) {
    TrialResult result = asked_result(asked[i], texts);
    if (asked[i].finished) {
      if (known == nullptr || *known != asked[i].output) scan.read(asked[i].output);
      known = &asked[i].output;
      scan.fill(result);
    } else {
      result.scores.assign(scan.metrics(), {});
    }
    visit(i, result);
  }
}

}  // namespace upbench
