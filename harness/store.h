#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "harness/record.h"

// The queue, the results and resuming: one SQLite file (WAL). All SQL of upbench lives behind this class.
namespace upbench {

// The store cannot be used or written; `exit_code` as DESIGN section 3: 2 wrong file or second writer, 4 disk
// or file system.
class StoreError : public std::runtime_error {
 public:
  StoreError(const std::string& text, int code) : std::runtime_error(text), exit_code(code) {}
  int exit_code;
};

// What a run asks for, complete before any work. Trials in report order.
struct RunPlan {
  RunRow run;
  EnvironmentRow environment;
  std::vector<CellRow> cells;
  std::vector<ImageRow> images;
  std::vector<MetricRow> metrics;
  std::vector<TrialRow> trials;
  std::vector<std::string> notes = {};  // of its pictures as a set: "hr: 1 file left out ..."
};

// A trial that lost its device in each of so many attempts is failed: it is the trial, not the device.
inline constexpr int kMostAttempts = 2;

struct Claim {
  Digest trial;
  Digest cell, image;
  Digest output;
  std::uint64_t seed = 0;
  std::uint64_t token = 0;
  int attempt = 1;  // from 1 to kMostAttempts; see Store::lose_attempt
};

struct Progress {
  std::uint64_t total = 0;  // trials of the run, those that repeat another included
  std::uint64_t ok = 0, failed = 0, skipped = 0;
  std::uint64_t ready = 0, leased = 0;
  std::uint64_t done() const { return ok + failed + skipped; }
};

// Of one stage in a run, over the outputs that it has: computed anew, or shared with another output of it.
struct StageCount {
  std::string stage;  // id
  std::uint64_t executed = 0, reused = 0;
};

// A finished output that any run may reuse.
struct OutputRow {
  Digest output;
  int width = 0, height = 0;
  Digest pixels;
  std::string used;
  std::string kept_file;
  std::vector<std::string> flags;
};

// One row of a report: what was asked, and what is known. Scores aligned with RunPlan::metrics of the run.
struct TrialResult {
  std::uint32_t cell = 0, image = 0;
  std::uint64_t seed = 0;
  std::uint32_t same_as = kNoTrial;
  bool finished = false;
  Status status = Status::ok;
  std::string reason;
  std::vector<std::string> flags;
  Digest output;
  int width = 0, height = 0;
  Digest pixels;  // of the 8-bit output; zero: there is none
  std::string kept_file;
  std::uint64_t peak_bytes = 0;
  struct Value {
    double value = 0;
    ValueFlag flag = ValueFlag::skipped;
    std::string reason;
    double seconds = 0;  // that the metric took (sweep clock)
  };
  std::vector<Value> scores;
  std::vector<DetectionRow> detections = {};  // of the scores above, by name
  std::vector<TimingRow> timings;             // sorted by clock, stage, sample
  std::string model_time;                     // ModelTimeRow::facts; empty: not measured
};

// The model time of a finished output, measured apart from its trial (harness/timing/).
struct ModelTimeRow {
  Digest output;
  std::vector<TimingRow> timings;  // of Clock::model, every sample
  std::uint64_t peak_bytes = 0;    // 0: not known
  std::string facts;               // JSON: how it was measured, and what follows from the samples
};

struct StoreOptions {
  // A claim is another's to take when its process has not renewed it for this long; the store renews its own.
  std::chrono::milliseconds lease = std::chrono::minutes(10);
  // Limit of the file in pages of 4 KiB; beyond it the disk counts as full. 0: as UPBENCH_STORE_PAGES says,
  // else none.
  std::uint32_t most_pages = 0;
};

class Store {
 public:
  // write: creates the file where there is none, takes the writer lock (a second writer is refused with
  // StoreError 2), checks file system, schema and integrity. read: never writes, works beside a writer; the
  // file must exist.
  enum class Access { write, read };
  explicit Store(const std::filesystem::path& file, Access access = Access::write,
                 const StoreOptions& options = {});
  ~Store();  // flushes
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::filesystem::path& file() const;
  std::filesystem::path output_folder() const;  // FILE.outputs, beside the file; not created here

  // --- writing ---

  // Idempotent: what is there stays, finished trials stay finished, leases of a dead worker are ready again.
  // Aliases (same_as) are not queued. Trials of images with a problem are failed at once. A trial that now
  // asks for another output (its weights were replaced) is queued again. Throws std::invalid_argument for a
  // plan whose indices lead nowhere.
  void begin_run(const RunPlan& plan);
  void requeue_failed(const Digest& run);
  void requeue_skipped(const Digest& run);
  // From now on only these trials (by place in the plan) are claimed, until the next begin_run or select.
  void select(const Digest& run, const std::vector<bool>& wanted);
  // Ends trials that nobody works on as skipped, by place in the plan, each with its reason; those that
  // repeat one of them end with it.
  void skip(const Digest& run, const std::vector<std::pair<std::uint32_t, std::string>>& trials);

  // The next trials in execution order, leased to `worker`; empty when none is left. Thread-safe. The run was
  // begun in this process.
  std::vector<Claim> claim(const Digest& run, const std::string& worker, std::size_t most);

  // Hands the record to the writer thread; at most 64 records or 50 ms are in flight, then durable
  // (synchronous=FULL). The trial's aliases finish with it. Blocks while 64 wait. Thread-safe. Throws
  // StoreError 4 once the disk is full or a write failed: what was acknowledged before stays readable. Throws
  // std::invalid_argument for a record that contradicts its trial (another output, a metric the run does not
  // have, a time that is no number). NaN as a score becomes a failed score. A record whose token is stale
  // (its claim was released or is finished) is dropped and counted. Of an output that is known already, only
  // what is missing is added; a score replaces its predecessor, except that a skipped one never replaces a
  // number.
  void append(Record record);
  std::uint64_t rejected() const;                  // records dropped for a stale token in this process
  void release(const std::vector<Claim>& claims);  // back to ready, untouched (Ctrl-C)
  // The claim's device was lost while it worked on the trial: ready again with an attempt less or, after
  // kMostAttempts, failed with `reason` in its own. Durable when it returns. Nothing else uses attempts up:
  // not a release, and not the end of the process (kill -9, power cut), which says nothing about the trial.
  // requeue_failed() gives all of them back. Returns whether the trial is finished now.
  bool lose_attempt(const Claim& claim, const std::string& reason);
  void flush();                        // returns when all appended records are durable
  std::uint64_t acknowledged() const;  // records durable so far in this process
  void finish_run(const Digest& run);  // stamps finished_at

  // Replaces what was measured of the output before. Throws std::invalid_argument for an output that is not
  // finished, a timing of another clock and a time that is no number.
  void set_model_time(const ModelTimeRow& measured);
  // What the model times of one session share (machine, peaks), as JSON under the key that their facts name.
  void set_timing_session(const Digest& key, const std::string& facts);
  // The thresholds that detections name by version, as the file they were read from (JSON).
  void set_calibration(const std::string& version, const std::string& file);

  // --- reading ---

  std::optional<OutputRow> output(const Digest& output) const;
  std::vector<ScoreRow> scores(const Digest& output) const;
  bool has_model_timing(const Digest& output) const;
  std::string model_time(const Digest& output) const;       // ModelTimeRow::facts; empty: not measured
  std::string timing_session(const Digest& session) const;  // empty: unknown
  std::vector<RunRow> runs() const;                         // oldest first
  Progress progress(const Digest& run) const;
  // How often each stage of the run's pipelines was computed for its finished trials, and how often taken
  // from another trial that shares what comes before; in pipeline order.
  std::vector<StageCount> stage_counts(const Digest& run) const;
  RunPlan plan(const Digest& run) const;  // trials left empty
  // In report order, streaming: memory does not grow with the number of trials.
  void for_each_trial(const Digest& run, const std::function<void(const TrialResult&)>& visit) const;
  // The same results in any order, for reports on large runs: the tables are read once from end to end where
  // the run is most of the store. Before the first trial `begin` is told how many there are; `ordinal` is the
  // place in report order. Detections come without their parts, and with boxes only where they are flagged.
  // Holds about 80 bytes a trial.
  void scan_trials(const Digest& run, const std::function<void(std::size_t count)>& begin,
                   const std::function<void(std::uint32_t ordinal, const TrialResult&)>& visit) const;
  std::vector<BoundaryRow> boundaries(const Digest& output) const;
  // By name; of every reference that the output was scored with.
  std::vector<DetectionRow> detections(const Digest& output) const;
  std::string calibration(const std::string& version) const;  // its file, JSON; empty: unknown

  // --- whole files ---

  // Set union by key into this store, with the kept files (outputs, maps, inputs, references); all or
  // nothing. Equal keys with different content (scores, pixels, plans of one run) are kept as they are here
  // and counted. A number replaces a skipped or failed score, a finished trial an open one. `added`: finished
  // trials and scores that are new here. Not while a run is worked on: claims are void afterwards.
  struct MergeResult {
    std::uint64_t added = 0, conflicts = 0;
  };
  MergeResult merge(const std::filesystem::path& other);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace upbench
