#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/record.h"
#include "harness/spec.h"
#include "harness/stage_kinds.h"
#include "harness/store.h"

// spec -> every trial, checked and keyed, before any work. Torch-free and pure: facts about models come in by
// a function.
namespace upbench {

// What work costs on the machine at hand, for the estimate. The defaults are of two AVX-512 processors
// running float32, rounded; the harness replaces what it has measured. Seconds are of one trial at a time;
// `parallel` trials run side by side.
struct Rates {
  double macs_per_second = 4e10;                 // multiply-accumulates of networks
  double resample_seconds_per_megapixel = 0.05;  // of interpolators and resizing, per output megapixel
  double picture_seconds_per_megapixel =
      0.06;                     // decoding, clamping, 8 bit, hashing; input plus output megapixels
  double trial_seconds = 3e-4;  // claim, record, commit
  double parallel = 1;
  // Per output megapixel, by the longest matching beginning of the metric's name.
  std::map<std::string, double> metric_seconds_per_megapixel = {
      {"", 0.1}, {"mse", 0.02}, {"psnr", 0.02}, {"ssim", 0.06}, {"lpips", 0.75}};
};

struct PlanInputs {
  std::vector<ImageRow> images;
  std::vector<PicturePrompts> prompts =
      {};  // of each picture, from the sources that stages name; empty: none
  std::vector<MetricRow> metrics;
  // Called once per distinct model value that no exclusion left out, and for each part of a chain (its hash
  // goes into the keys); throws std::invalid_argument for what cannot be loaded, which comes back as
  // SpecError with the place in the spec.
  std::function<ModelFacts(const nlohmann::json& model)> model_facts;
  EnvironmentRow environment;
  std::vector<std::string> command;
  Rates rates;
  std::vector<std::string> kernels;  // that `resize` knows; empty: not checked
};

struct Excluded {
  std::vector<std::pair<std::string, std::string>> label;  // what its cells have in common
  std::string reason;  // "scale 2, but the pictures ask for 4 (fit: a1111 would repeat it)"
  std::uint64_t trials = 0;
};

struct Duplicates {
  std::string reason;  // "tile 128 covers the picture: same as tile none"
  std::uint64_t trials = 0;
};

// What diffusion networks do for a picture of one size.
struct DiffusionWork {
  std::vector<std::pair<std::string, std::string>> label;  // of the cell
  PictureSize input;
  int tiles = 0;           // 0: the whole picture; with jitter the most there can be
  double evaluations = 0;  // both contexts and all tiles
};

struct CostEstimate {
  double macs = 0;     // of distinct executions
  double seconds = 0;  // wall, at PlanInputs::rates: networks, metrics, model timing, overhead
  std::uint64_t device_bytes =
      0;  // peak of one trial: weights, pictures and activations of the largest piece
  std::uint64_t output_bytes = 0;  // if all are kept: 2.2 bytes per pixel, what 8-bit RGB photos take as PNG
};

struct Plan {
  RunPlan rows;  // what the store takes
  std::vector<Excluded> excluded;
  std::vector<Duplicates> duplicates;
  // Picture and why: its trials that need the prompt will fail, others will not.
  std::vector<std::pair<std::string, std::string>> missing_prompts;
  std::vector<DiffusionWork> diffusion;  // of each cell and size, the first 1,000
  std::uint64_t executions = 0;          // trials that are not aliases
  std::uint64_t shared_stages = 0;       // stage executions saved because cells share a prefix
  CostEstimate estimate;
};

// Report order: cells (first axis slowest, axes in pipeline order), then pictures, then seeds. Execution
// order (TrialRow::position, a permutation): cells that load the same weights together, then by picture, so
// that each picture is decoded once a group. CellRow::settings holds per stage {id, kind, version, settings,
// models}: settings by parameter name, all filled, those without effect at their defaults; models the scale
// and identity of what each model parameter loads. The run's key covers canonical spec, picture keys, metric
// versions and cell keys (and with them the weights). A trial repeats another (same_as) when it has its
// output key and reference. A rule or refusal that leaves nothing is an error. Throws SpecError or
// std::invalid_argument. Refuses more than 10^8 trials or 10^6 cells with the count.
Plan make_plan(const Spec& spec, const PlanInputs& inputs);

}  // namespace upbench
