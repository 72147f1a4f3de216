#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/store.h"
#include "reports/model_time.h"

namespace upbench {

// What a report knows of a run. Compact, so that a million trials with five metrics take about 200 MB: texts
// are kept once.
struct RunData {
  struct Score {
    double value = 0;
    ValueFlag flag = ValueFlag::skipped;
    std::uint32_t reason = 0;  // index into texts
  };

  struct Trial {
    std::uint32_t cell = 0, image = 0;
    std::uint64_t seed = 0;
    std::uint32_t same_as = kNoTrial;  // index into trials
    bool finished = false;
    Status status = Status::ok;
    std::uint32_t reason = 0, flags = 0;          // indices into texts; flags joined by "; "
    int width = 0, height = 0;                    // of the output
    double model_seconds = 0, sweep_seconds = 0;  // NaN: not measured
    std::uint32_t model_time = 0;                 // index into model_times
    std::uint64_t peak_bytes = 0;                 // 0: the device does not tell
    std::uint32_t store = 0;                      // index into output_folders
    Digest pixels;                                // of the 8-bit output; zero: there is none
  };

  // Of an artifact detector, in rising order: flagged by any is flagged.
  enum class Decision : std::uint8_t { none, clean, flagged };

  // Where a detector flagged something.
  struct Place {
    std::uint32_t metric = 0;
    DetectionRow::Box box;  // in pixels of the output
  };

  // The kept map of what a detector flagged: a grey picture over the whole output.
  struct Map {
    std::uint32_t metric = 0;
    std::string file;                 // relative to the trial's output folder; from a store: not trusted
    double white = 0, threshold = 0;  // in the detector's unit; black is 0
  };

  // Sweep time of one kind of work, summed over the outputs for which it was done.
  struct Work {
    double seconds = 0;
    std::size_t count = 0;
    void add(const Work& other) {
      seconds += other.seconds;
      count += other.count;
    }
  };

  RunPlan plan;                                        // without its trials
  std::string source;                                  // file of the store
  std::vector<std::filesystem::path> output_folders;   // of the stores; may be absent or hold some pictures
  std::vector<Trial> trials;                           // in report order
  std::vector<Score> scores;                           // of trial t and metric m at t * metrics + m
  std::vector<ModelTime> model_times{{}};              // the first: nothing is known
  std::map<std::string, std::string> timing_sessions;  // JSON by ModelTime::session
  std::vector<Decision> decisions;                     // as scores; shorter where the rest has none
  std::map<std::uint32_t, std::vector<Place>> places;  // by index into trials, the worst of each detector
  std::map<std::uint32_t, std::vector<Map>> maps;      // by index into trials
  std::map<std::uint32_t, std::vector<double>> laps;   // by index into trials: model times in s, as measured
  std::map<std::pair<std::uint32_t, std::string>, Work> stage_work;  // by cell and stage
  std::map<std::string, Work> metric_work;
  std::vector<std::string> used;  // by cell: the record of its first output (JSON); may be shorter
  std::map<std::string, std::string> calibrated_by;  // detector -> version of its thresholds
  std::map<std::string, std::string> calibrations;   // by version, the file (JSON)
  std::set<std::string> gating;                      // detectors that count towards "any artifact"
  std::vector<std::string> texts{""};
  std::vector<std::string> warnings;  // about the data as a whole, shown first

  // Throws std::invalid_argument where the result names a cell, image or metric that the plan has not.
  void add(const TrialResult& result);
  // The same in any order, after resize_trials() made the places.
  void resize_trials(std::size_t count);
  void set(std::uint32_t trial, const TrialResult& result);
  const Score& score(std::size_t trial, std::size_t metric) const;
  Decision decision(std::size_t trial, std::size_t metric) const;
  void set_decision(std::size_t trial, std::size_t metric, Decision decision);
  const std::string& text(std::uint32_t index) const { return texts[index]; }
  std::uint32_t intern(const std::string& text);
  std::uint32_t keep(ModelTime time);  // index into model_times

 private:
  void set_detections(std::uint32_t trial, const TrialResult& result);
  void add_work(std::uint32_t trial, const TrialResult& result);
  std::unordered_map<std::string, std::uint32_t> known_{{"", 0}};
};

// The trial's time on one clock: median of its "trial" samples; without these the sum of the medians of its
// stages; NaN for neither.
double trial_seconds(const std::vector<TimingRow>& timings, Clock clock);

}  // namespace upbench
