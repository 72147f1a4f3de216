#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/load_item.h"
#include "harness/exclusive_gate.h"
#include "harness/kept_outputs.h"
#include "harness/model_cache.h"
#include "harness/shared_cache.h"
#include "harness/stages/stage.h"
#include "harness/store.h"
#include "harness/sweep.h"

namespace upbench {

struct TrialRunnerOptions {
  bool keep_outputs = false;
  int operator_threads = 1;                     // inside one operator, while trials run side by side
  std::size_t item_cache_bytes = 64u << 20;     // decoded pictures: neighbours in execution order share one
  std::size_t model_cache_bytes = 1024u << 20;  // loaded networks
  std::size_t stage_cache_bytes = 512u << 20;   // outputs of shared pipeline prefixes
};

// Runs claimed trials of one sweep: stages, scores, record. Thread-safe; caches are shared by all threads.
class TrialRunner {
 public:
  TrialRunner(const Sweep& sweep, const Store& store, TrialRunnerOptions options);
  ~TrialRunner();

  // Turns whatever goes wrong inside the trial into a failed record. Throws StoreError only (disk full,
  // unwritable outputs).
  Record run(const Claim& claim);

  std::uint64_t stages_executed() const { return stages_executed_; }
  std::uint64_t reused() const { return reused_; }  // trials whose output an earlier run had computed
  std::uint64_t model_loads() const { return models_.loads(); }

 private:
  struct Cell;
  struct Output;

  void execute(const Claim& claim, const Cell& cell, std::size_t image, Record& record);
  Frame run_stages(const Cell& cell, std::size_t image, const Claim& claim, const LoadedItem& item,
                   Record& record);
  bool reuse(const Claim& claim, std::size_t image, Record& record);
  void describe_output(const Image& image, Record& record) const;
  void score(const Image& output, const LoadedItem& item, std::size_t image,
             const std::vector<std::size_t>& which, Record& record) const;
  void measure_model_time(const Cell& cell, std::size_t image, const Claim& claim, const LoadedItem& item,
                          Record& record);
  StageContext stage_context(std::size_t image, const Claim& claim);
  Frame input_frame(const LoadedItem& item, std::size_t image) const;
  std::vector<Digest> prefix_keys(const Cell& cell, std::size_t image, const Claim& claim) const;
  std::shared_ptr<const LoadedItem> load(std::size_t image);
  Digest score_key(const Digest& output, std::size_t image, std::size_t metric) const;

  const Sweep& sweep_;
  const Store& store_;
  TrialRunnerOptions options_;
  Scorer scorer_;
  KeptOutputs kept_;
  std::vector<Cell> cells_;
  std::unordered_map<Digest, std::size_t> cell_index_, image_index_;
  ModelCache models_;
  SharedCache<std::size_t, LoadedItem> items_;
  SharedCache<Digest, Output> prefixes_;
  ExclusiveGate gate_;
  std::atomic<std::uint64_t> stages_executed_ = 0, reused_ = 0;
};

}  // namespace upbench
