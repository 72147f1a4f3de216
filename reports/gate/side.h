#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/record.h"

namespace upbench {

// One side of a comparison: what a run of a store, or a baseline saved from one, says of every trial.
struct GateSide {
  struct Score {
    double value = 0;
    ValueFlag flag = ValueFlag::skipped;
  };
  struct Trial {
    bool finished = false;
    Status status = Status::ok;
    std::string reason;
    std::vector<Score> scores;  // aligned with metrics
    // Does a detector say that the output has its artifact? Aligned with detectors; none: it does not say.
    std::vector<std::optional<bool>> decisions{};
    std::vector<double> model_seconds;  // every sample of the whole trial on the model clock
    std::uint64_t peak_bytes = 0;       // of memory, measured with model times; 0: not known
    std::string pixels;                 // SHA-256 of the 8-bit output; empty: there is none
    std::string output;                 // its key in the store; empty in a baseline
  };
  // Of artifacts. Decisions of other versions or by other thresholds are other decisions; only those of
  // calibrated detectors count.
  struct Detector {
    std::string name;
    int version = 1;
    bool calibrated = false;
    std::string calibration{};  // version of the thresholds
  };
  struct Cell {
    std::string label;        // "upscale.model = lanczos, upscale.tile = 64": what cells are paired by
    nlohmann::json settings;  // canonical, with tensor hashes
  };
  struct Picture {
    std::string name;
    std::string reference;  // SHA-256; empty: none
    std::string input{};    // SHA-256 of the picture that is upscaled; empty: the baseline does not say
  };
  using Key = std::tuple<std::size_t, std::size_t, std::uint64_t>;  // cell, picture, seed

  std::string source;  // file
  // Kept output pictures by content, FOLDER/ab/abcdef....png (harness/kept_outputs.h); empty: there are none.
  std::filesystem::path outputs{};
  std::string run;             // name of the spec
  nlohmann::json environment;  // an empty object: not known
  std::vector<MetricRow> metrics;
  std::vector<Detector> detectors{};
  std::vector<Cell> cells;
  std::vector<Picture> pictures;
  std::map<Key, Trial> trials;
};

// A store's run (the latest, or the one whose key begins with `run`) or a baseline, told apart by content.
// Throws std::invalid_argument for a file that is neither, a store without runs, a run that nothing of is
// finished.
GateSide load_side(const std::filesystem::path& file, const std::string& run = {});

// For a baseline that any machine compares with: no environment, times or memory. What is compared is quality
// alone.
void leave_out_machine(GateSide& side);

// Baselines: JSON with one trial a line, so that a review shows what changed. Schema:
// docs/baseline.schema.json.
std::string baseline_text(const GateSide& side);
GateSide parse_baseline(const std::string& text, const std::string& source);

}  // namespace upbench
