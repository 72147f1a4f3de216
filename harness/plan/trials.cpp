#include "harness/plan/trials.h"

#include <bit>
#include <map>

#include <fmt/format.h>

namespace upbench {

CellResults VariantTable::evaluate(const PlannedCell& cell, const std::vector<SizeClass>& classes,
                                   const Rates& rates) {
  CellResults results;
  std::map<std::vector<std::array<int, 4>>, std::uint32_t> known;  // what depends on the size -> variant
  results.classes.resize(classes.size());
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const Pipeline::Pass pass = cell.pipeline.pass(classes[k].input, classes[k].reference);
    if (!pass.refusal.empty()) {
      results.refusals.resize(classes.size());
      results.refusals[k] = pass.refusal;
      continue;
    }
    std::vector<std::array<int, 4>> signature;
    for (const StageOutcome& outcome : pass.outcomes) signature.push_back(outcome.variant);
    const auto [entry, fresh] = known.try_emplace(std::move(signature), 0);
    if (fresh) entry->second = add(cell, classes[k].input, pass);
    results.classes[k] = {.variant = entry->second, .cost = trial_cost(cell, pass, classes[k].input, rates)};
  }
  return results;
}

std::uint32_t VariantTable::add(const PlannedCell& cell, PictureSize input, const Pipeline::Pass& pass) {
  EffectivePipeline effective = cell.pipeline.effective(input, pass);
  Variant variant;
  for (const EffectiveStage& stage : effective.stages) {
    const auto number = static_cast<std::uint32_t>(prefix_numbers_.size());
    variant.prefixes.push_back(prefix_numbers_.try_emplace(stage.prefix, number).first->second);
    variant.prefix_uses_seed.push_back(stage.uses_seed);
  }
  const bool any = !effective.stages.empty();
  variant.key = any ? effective.stages.back().prefix : no_stages();
  variant.uses_seed = any && effective.stages.back().uses_seed;
  if (any) variant.prompts = effective.stages.back().prompts;
  variant.notes = cell.notes;
  variant.notes.insert(variant.notes.end(), effective.notes.begin(), effective.notes.end());
  variants_.push_back(std::move(variant));
  return static_cast<std::uint32_t>(variants_.size() - 1);
}

OutputIndex::OutputIndex(std::size_t most_trials) : slots_(std::bit_ceil(2 * most_trials + 1), kNoTrial) {}

std::uint32_t OutputIndex::find_or_put(std::uint32_t trial, const std::vector<TrialRow>& trials,
                                       const std::vector<ImageRow>& images) {
  const TrialRow& row = trials[trial];
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = std::hash<Digest>()(row.output) & mask;; slot = (slot + 1) & mask) {
    if (slots_[slot] == kNoTrial) return slots_[slot] = trial;
    const TrialRow& there = trials[slots_[slot]];
    if (there.output == row.output && images[there.image].reference == images[row.image].reference)
      return slots_[slot];
  }
}

}  // namespace upbench
