#pragma once

#include <unordered_map>
#include <vector>

#include "harness/plan/estimate.h"

// Cells x pictures x seeds -> trials, with keys, repeats, order and cost. No JSON is touched per trial:
// settings are worked out once per cell and picture size.
namespace upbench {

inline constexpr std::uint32_t kRefused = 0xFFFFFFFF;

// What a cell computes for pictures of some sizes; other cells may compute the same.
struct Variant {
  Digest key;  // of all stages
  bool uses_seed = false;
  PromptSources prompts;  // of the picture, that count
  std::vector<std::uint32_t>
      prefixes;  // of each stage, as a number: equal numbers, equal results from equal pictures
  std::vector<bool> prefix_uses_seed;
  std::vector<SameNote> notes;
};

// Pictures of one input and reference size; what a cell does to them.
struct SizeClass {
  PictureSize input, reference;
};
struct ClassResult {
  std::uint32_t variant = kRefused;
  TrialCost cost;
};

struct CellResults {
  std::vector<ClassResult> classes;
  std::vector<std::string> refusals;  // by class; empty list: none refused
};

// Cells by size classes.
class VariantTable {
 public:
  CellResults evaluate(const PlannedCell& cell, const std::vector<SizeClass>& classes, const Rates& rates);
  const std::vector<Variant>& variants() const { return variants_; }
  std::size_t prefixes() const { return prefix_numbers_.size(); }

 private:
  std::uint32_t add(const PlannedCell& cell, PictureSize input, const Pipeline::Pass& pass);

  std::vector<Variant> variants_;
  std::unordered_map<Digest, std::uint32_t> prefix_numbers_;
};

// Open addressing over trial numbers: finds the first trial that computes the same output for the same
// reference.
class OutputIndex {
 public:
  explicit OutputIndex(std::size_t most_trials);
  // The trial that is there for this output and reference; else puts `trial` there and returns it.
  std::uint32_t find_or_put(std::uint32_t trial, const std::vector<TrialRow>& trials,
                            const std::vector<ImageRow>& images);

 private:
  std::vector<std::uint32_t> slots_;
};

}  // namespace upbench
