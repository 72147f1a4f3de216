#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "datasets/image_set.h"
#include "harness/device.h"
#include "harness/plan.h"
#include "harness/spec.h"
#include "metrics/catalog.h"
#include "models/catalog.h"

namespace upbench {

// A request with everything looked up: pictures listed and identified, models loaded once for their facts,
// metrics known, trials planned. Made by prepare_sweep, read by TrialRunner; nothing has been computed yet.
struct Sweep {
  Spec spec;
  ModelSearch search;
  DeviceInfo device;
  int threads = 1;               // for the whole sweep
  int parallel_trials = 0;       // computed side by side on a CPU; 0: as many as fit (choose_parallelism)
  bool fast = false;             // a GPU may choose algorithms by trying them: results differ from run to run
  std::vector<ImageItem> items;  // aligned with plan.rows.images
  std::vector<LeftOut> left_out;  // files of the set's folders that are no items
  std::vector<ItemIdentity> identities;
  std::vector<PicturePrompts> prompts;  // of each item, from the sources that stages name
  std::vector<MetricRequest> metrics;
  int border = 0;        // default border of metrics that cut one: the set's scale
                         // times what `degrade` stages take away
  std::string fidelity;  // stands for the spec's fidelity model and its weights; empty: none
  int scale = 0;         // wanted: reference size / input size; 0: no reference
  std::unordered_map<std::string, ModelFacts> models;   // by the model value's JSON text
  std::unordered_map<std::string, UpscalerPtr> loaded;  // the first of them, up to kLoadedBytes of weights
  Plan plan;
};

// Whether the metric is a detector that uses the spec's fidelity model.
bool judges_by_fidelity(const MetricRequest& request);

struct SweepOptions {
  std::string device = "auto";
  int threads = 0;          // 0: all available
  int parallel_trials = 0;  // see Sweep
  bool fast = false;
  std::vector<std::filesystem::path> model_dirs;
  std::vector<std::string> command;  // argv, for the record
  bool measure_rates = false;        // a tenth of a second, for a better estimate of the time
  int border = -1;                   // -1: the set's scale (`run`); score passes its own
};

// What the plan loaded for its facts, or else loads it: nothing is read twice where memory allows.
inline constexpr std::int64_t kLoadedBytes = std::int64_t{256} << 20;
UpscalerPtr load_model(const Sweep& sweep, const nlohmann::json& model);

// Throws SpecError, std::invalid_argument (wrong request, refused weights), DeviceError. A picture that
// cannot be read is no error here: its trials fail with the reason.
Sweep prepare_sweep(Spec spec, const SweepOptions& options);

}  // namespace upbench
