#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "datasets/digest.h"

// The plain values that a sweep is made of and that the store keeps. Torch-free; reports see these and
// nothing else.
namespace upbench {

enum class Status { ok, failed, skipped };
enum class ValueFlag { ok, inf, undefined, skipped, failed };  // as ScoreFlag in metrics/metric.h
// model: caches off, warmed up, device synchronised, repeated. sweep: what the user waited. Never mixed in
// one column.
enum class Clock { model, sweep };

std::string_view to_string(Status);
std::string_view to_string(ValueFlag);
std::string_view to_string(Clock);

inline constexpr std::uint32_t kNoTrial = 0xFFFFFFFF;

using CellLabel = std::vector<std::pair<std::string, std::string>>;
std::string label_text(const CellLabel& label);  // "upscale.model=lanczos upscale.tile=64"

// One setting of every axis.
struct CellRow {
  Digest key;            // of label and settings
  CellLabel label;       // axis path -> value as written: ("upscale.model", "lanczos")
  std::string settings;  // canonical JSON: list of {id, kind, version, settings}
  std::string group;     // cells of one group load the same weights
};

struct ImageRow {
  Digest key;  // of name, input, reference
  std::string name;
  Digest input;      // file bytes + decoder version (+ how LR was made)
  Digest reference;  // zero: none
  int input_width = 0, input_height = 0;
  int reference_width = 0, reference_height = 0;
  std::vector<std::string> notes;  // "reference cut from 510x480 to 508x480"
  std::string problem;             // not empty: unusable, and why; its trials fail with this reason
};

// One (cell, image, seed). cell, image, same_as: indices into the plan's lists.
struct TrialRow {
  Digest key;     // of run, cell label, image name, seed
  Digest output;  // of canonical stages, input, tensor hashes, seed where used; equal output = same pixels
  std::uint32_t cell = 0;
  std::uint32_t image = 0;
  std::uint64_t seed = 0;
  std::uint32_t same_as = kNoTrial;  // computed by that trial; this row only repeats it
  std::uint32_t position = 0;        // in execution order
};

struct MetricRow {
  std::string name;  // with options: "psnr-y@b0"
  std::string unit;
  std::string convention;
  bool higher_is_better = true;
  int version = 1;
  int border = 0;  // pixels cut at each side
  int decimals = 4;
};

struct EnvironmentRow {
  Digest key;        // of json
  std::string json;  // program version, commit, build flags, libraries, CPU, GPU, threads, locale
};

// A request: the same spec over the same pictures is the same run, and starting it again resumes it.
struct RunRow {
  Digest key;  // of canonical spec, image keys, metric versions
  std::string name;
  std::string spec;            // as written
  std::string canonical_spec;  // JSON
  std::string exclusions;      // JSON list of {label, reason, trials}
  std::string command;         // JSON list, how the program was called
  Digest environment;
  std::string started_at, finished_at;  // UTC, ISO 8601; finished_at empty while it runs. Filled by the store
};

struct ScoreRow {
  Digest key;  // of output, reference, metric name with options, version, border
  Digest output;
  std::string metric;
  double value = 0;
  ValueFlag flag = ValueFlag::ok;
  std::string reason;
  double seconds = 0;  // time the metric took (sweep clock)
};

struct TimingRow {
  std::string stage;  // stage id, or "trial" for the whole
  Clock clock = Clock::sweep;
  int sample = 0;
  double seconds = 0;
};

struct BoundaryRow {
  std::string stage;
  bool vertical = true;  // position is an x of the stage's output, in pixels
  double position = 0;
  double half_width = 0;  // of the transition
};

// What an artifact detector found. Its value is the score of that key.
struct DetectionRow {
  Digest key;            // of the score
  std::string detector;  // as the metric
  double threshold = 0;
  bool flagged = false;     // the value is above the threshold
  bool gates = false;       // counts towards "any artifact": the threshold is calibrated
  std::string calibration;  // version of the thresholds
  std::string map_file;     // grey picture of where, relative to the store's output folder; empty: not kept
  double map_white = 0;     // what white means in it, in the detector's unit; black is 0
  struct Box {              // in pixels of the output, worst first
    int x = 0, y = 0, width = 0, height = 0;
    double value = 0;
  };
  std::vector<Box> boxes = {};
  struct Part {  // figures behind the value
    std::string name, unit;
    double value = 0;
  };
  std::vector<Part> parts = {};
};

// Everything one executed trial produced.
struct Record {
  Digest trial;
  Digest output;
  std::uint64_t token = 0;  // of the claim; a stale token is rejected
  Status status = Status::ok;
  std::string reason;              // for failed and skipped
  std::vector<std::string> flags;  // "degenerate", "same-pixels-as LABEL", "input_corrupt"
  int width = 0, height = 0;       // of the output picture
  Digest pixels;                   // SHA-256 of the 8-bit output, H x W x RGB
  std::string used;  // JSON, the proof of cell: tensor hashes, tile plan, dtype, device, threads, versions
  std::string kept_file;         // output picture relative to the store's output folder; empty: not kept
  std::uint64_t peak_bytes = 0;  // device memory where the device tells; else 0
  std::vector<ScoreRow> scores;
  std::vector<TimingRow> timings;
  std::vector<BoundaryRow> boundaries;
  std::vector<DetectionRow> detections = {};
};

}  // namespace upbench
