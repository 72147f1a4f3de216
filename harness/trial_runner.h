#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/load_item.h"
#include "harness/artifact_scoring.h"
#include "harness/device_pictures.h"
#include "harness/device_runtime.h"
#include "harness/kept_outputs.h"
#include "harness/model_cache.h"
#include "harness/shared_cache.h"
#include "harness/stages/stage.h"
#include "harness/store.h"
#include "harness/sweep.h"

namespace upbench {

// Every call of the device fails from now on. `reason`: of the trial that was worked on when it showed.
struct LostDevice : DeviceError {
  LostDevice(const std::string& device, const std::string& error);
  std::string reason;
};

struct TrialRunnerOptions {
  std::string device = {};  // where it computes; empty: the sweep's
  bool keep_outputs = false;
  PictureCheck verify = {};                     // of kept pictures; a trial whose file it refuses fails
  int operator_threads = 1;                     // inside one operator, while trials run side by side
  int parallel_trials = 1;                      // computed at once
  int pictures_ahead = 3;                       // on their way to a GPU, at most
  std::size_t item_cache_bytes = 64u << 20;     // decoded pictures: neighbours in execution order share one
  std::size_t model_cache_bytes = 1024u << 20;  // loaded networks
  std::size_t diffusion_cache_bytes = std::size_t{8} << 30;  // loaded diffusion models, as their files
  std::size_t latent_cache_bytes = 256u << 20;               // encoded pictures
  std::size_t fidelity_cache_bytes = 128u << 20;             // results of the fidelity model
  std::size_t stage_cache_bytes = 512u << 20;                // outputs of shared pipeline prefixes
  ModelLoader load_model = {};                               // empty: as the sweep's search finds them
};

// A claimed trial on its way through the steps of TrialRunner.
struct TrialWork {
  Claim claim;
  Record record;
  std::size_t image = 0, cell = 0;
  bool made = true;  // by stages; else the picture is taken as it is
  std::shared_ptr<const LoadedItem> item;
  std::vector<Digest> prefix_keys;  // of every stage but the last: what other cells may share
  std::vector<std::shared_ptr<const void>> networks;  // held until they were used
  UpscalerPtr fidelity;                               // that a metric judges by; null: none does
  // On the device; complete when `uploaded` has happened. Where the store has the output: what metrics need.
  Image input, reference;
  std::shared_ptr<DeviceEvent> uploaded;
  Image output;
  Image base;                        // before a refine stage; undefined: there is none
  std::vector<ArtifactMap> maps;     // of the record's detections
  bool computed = false;             // now, not by an earlier run
  std::vector<std::size_t> metrics;  // still to be scored
  double seconds = 0;                // of all steps; waiting between them is none
  std::string notice = {};           // what the user should hear of how it was computed; empty: nothing
};

// The steps of a trial, each done once and in this order, with some left out as next() says. Thread-safe: the
// steps of many trials run at once, caches are shared. Whatever goes wrong inside a step makes the record a
// failed one. Thrown are only StoreError (disk full, unwritable outputs) and LostDevice (nothing can be
// computed any more, and the trial did not fail).
//
// Flags of a record: "degenerate" (black or constant output); "batch_halved" (memory did not suffice for the
// planned batch of tiles; the same tiles, but networks may round otherwise at another batch size);
// "not_bit_exact" (--fast on a device: its libraries choose algorithms by trial, and another run may give
// other last digits). An output with one of the last two is not claimed to come back bit by bit.
class TrialRunner {
 public:
  enum class Step : std::size_t { prepare, compute, score, keep, done };
  static constexpr std::size_t kSteps = 4;

  TrialRunner(const Sweep& sweep, const Store& store, const TrialRunnerOptions& options);
  ~TrialRunner();

  TrialWork begin(const Claim& claim) const;
  // prepare: what the store has already, else decodes the picture, loads networks, brings all to the device;
  // tried twice where memory does not suffice. A trial that cannot be prepared is done.
  // compute: the stages. score: the metrics, where the pictures are; one trial at a time on a device. keep: 8
  // bit, digest, the output's file where one is wanted.
  // Returns the next step; after the last one the record is complete.
  Step run(Step step, TrialWork& work);

  std::uint64_t stages_executed() const { return stages_executed_; }
  std::uint64_t reused() const { return reused_; }  // trials whose output an earlier run had computed
  std::uint64_t model_loads() const { return models_.loads() + diffusion_.loads(); }
  std::uint64_t encodings() const { return latents_.made(); }

 private:
  struct Cell;
  struct Output;
  struct Failure {
    std::string reason;
    bool of_memory = false;
  };

  static void fail(Record& record, const std::string& reason);
  std::optional<Failure> attempt(const std::function<void()>& work) const;
  bool may_try_again(Step step) const;
  void make_room(Step step, TrialWork& work);
  void do_step(Step step, TrialWork& work);
  void prepare(TrialWork& work);
  void load_fidelity(TrialWork& work);
  void compute(TrialWork& work);
  void flag(TrialWork& work, const nlohmann::json& stages);
  void score(TrialWork& work);
  void score_pairs(TrialWork& work, const std::vector<std::size_t>& metrics) const;
  std::shared_ptr<const Image> fidelity_result(const TrialWork& work, const Image& input);
  void find_artifacts(TrialWork& work, const std::vector<std::size_t>& metrics);
  void add_score(Record& record, std::size_t image, std::size_t metric, const Scorer::Result& result) const;
  void decide_by_calibration(TrialWork& work) const;
  void keep_maps(TrialWork& work) const;
  void keep(TrialWork& work);
  bool reuse(TrialWork& work);
  void load(TrialWork& work);
  std::string used(const nlohmann::json& stages) const;
  StageContext stage_context(const TrialWork& work);
  std::vector<Digest> prefix_keys(const TrialWork& work) const;
  std::shared_ptr<const LoadedItem> decoded(std::size_t image);
  Digest score_key(const Digest& output, std::size_t image, std::size_t metric) const;

  const Sweep& sweep_;
  const Store& store_;
  TrialRunnerOptions options_;
  DevicePictures pictures_;
  Scorer scorer_;
  KeptOutputs kept_;
  std::vector<Cell> cells_;
  std::unordered_map<Digest, std::size_t> cell_index_, image_index_;
  ModelCache models_;
  DiffusionCache diffusion_;
  LatentCache latents_;
  SharedCache<std::size_t, LoadedItem> items_;
  SharedCache<Digest, Output> prefixes_;
  SharedCache<Digest, Image> fidelity_;  // results of the fidelity model, by input
  DeviceStream compute_stream_, score_stream_;
  double tile_bytes_ = 0;
  std::unique_ptr<GraphPool> graphs_;  // on a GPU, where one trial computes at a time
  std::set<std::string> told_eager_;   // by it: networks without graphs that were told of
  std::atomic<std::uint64_t> stages_executed_ = 0, reused_ = 0;
};

}  // namespace upbench
