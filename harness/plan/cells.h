#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/plan.h"
#include "harness/plan/canonical.h"

// The product of all axes.
namespace upbench {

// Trials that will not be, by reason; cells that differ in nothing but other axes than their models share a
// line.
class ExclusionBook {
 public:
  void add(const CellRow& cell, const std::vector<std::string>& model_paths, const std::string& reason,
           std::uint64_t trials);
  const std::vector<Excluded>& lines() const { return lines_; }

 private:
  std::map<std::string, std::size_t> index_;  // reason and model labels -> line
  std::vector<Excluded> lines_;
};

struct PlannedCell {
  CellRow row;
  Pipeline pipeline;
  std::vector<const ModelFacts*> models;  // per stage; nullptr: none
  std::vector<SameNote> notes;            // with the whole path
};

// Calls PlanInputs::model_facts once per model value; what it throws comes back as SpecError with the value's
// place.
class ModelFinder {
 public:
  ModelFinder(const Spec& spec, const PlanInputs& inputs);
  const ModelFacts& operator()(const nlohmann::json& model);

 private:
  std::string place_of(const nlohmann::json& model) const;

  const PlanInputs& inputs_;
  std::map<std::string, std::string> places_;  // of written values, by JSON text
  std::map<std::string, ModelFacts> facts_;
};

// Cells that no rule and no setting excludes, in report order; the others go into the book, each with
// `trials_per_cell`. Throws std::invalid_argument beyond 10^6 cells or 10^8 trials, and for two cells of one
// label.
std::vector<PlannedCell> plan_cells(const Spec& spec, const PlanInputs& inputs, std::uint64_t trials_per_cell,
                                    ModelFinder& models, ExclusionBook& book);

// Paths of the parameters that name models.
std::vector<std::string> model_paths(const Spec& spec);

// 1200000000000 -> "1.2e12"; below a million all digits.
std::string short_count(double count);

}  // namespace upbench
