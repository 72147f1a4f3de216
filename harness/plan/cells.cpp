#include "harness/plan/cells.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <unordered_set>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr double kMostCells = 1e6;
constexpr double kMostTrials = 1e8;

// Axes that move together, or one axis alone.
struct Dimension {
  std::size_t length = 1;
  std::vector<std::pair<std::size_t, std::size_t>> axes;  // stage, parameter
};

std::vector<Dimension> dimensions(const Spec& spec) {
  std::vector<Dimension> list;
  std::map<int, std::size_t> zipped;  // group -> place in list
  for (std::size_t s = 0; s < spec.pipeline.size(); ++s) {
    for (std::size_t p = 0; p < spec.pipeline[s].parameters.size(); ++p) {
      const Axis& axis = spec.pipeline[s].parameters[p];
      const auto known = axis.zip >= 0 ? zipped.find(axis.zip) : zipped.end();
      if (known != zipped.end()) {
        list[known->second].axes.emplace_back(s, p);
      } else {
        if (axis.zip >= 0) zipped[axis.zip] = list.size();
        list.push_back({.length = axis.values.size(), .axes = {{s, p}}});
      }
    }
  }
  return list;
}

void check_count(const Spec& spec, const PlanInputs& inputs, const std::vector<Dimension>& list) {
  double cells = 1;  // a double cannot overflow here and is exact far beyond the limits
  for (const Dimension& dimension : list) cells *= static_cast<double>(dimension.length);
  const double trials =
      cells * static_cast<double>(inputs.images.size()) * static_cast<double>(spec.seeds.size());
  if (trials > kMostTrials)
    throw std::invalid_argument(
        fmt::format("{}: would be {} trials ({} cells x {} pictures x {} seeds), expected at most {}",
                    spec.name, short_count(trials), short_count(cells), inputs.images.size(),
                    spec.seeds.size(), short_count(kMostTrials)));
  if (cells > kMostCells)
    throw std::invalid_argument(fmt::format("{}: would be {} cells, expected at most {}", spec.name,
                                            short_count(cells), short_count(kMostCells)));
}

// The chosen value of every parameter, by stage.
using Choice = std::vector<std::vector<std::size_t>>;

bool holds(const Exclusion::Condition& condition, const nlohmann::json& value) {
  using Test = Exclusion::Condition::Test;
  switch (condition.test) {
    case Test::below:
      return value.is_number() && value.get<double>() < condition.values[0].get<double>();
    case Test::above:
      return value.is_number() && value.get<double>() > condition.values[0].get<double>();
    case Test::equals:
    case Test::one_of:
      break;
  }
  return std::find(condition.values.begin(), condition.values.end(), value) != condition.values.end();
}

const nlohmann::json& chosen(const Spec& spec, const Choice& choice, const std::string& path) {
  for (std::size_t s = 0; s < choice.size(); ++s)
    for (std::size_t p = 0; p < choice[s].size(); ++p)
      if (spec.pipeline[s].parameters[p].path == path)
        return spec.pipeline[s].parameters[p].values[choice[s][p]];
  throw std::invalid_argument(fmt::format("exclude: no parameter '{}' in the pipeline", path));
}

// The first rule that takes the cell out; rules.size(): none.
std::size_t matching_rule(const Spec& spec, const Choice& choice) {
  for (std::size_t r = 0; r < spec.exclude.size(); ++r) {
    const auto& conditions = spec.exclude[r].conditions;
    if (std::all_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
          return holds(condition, chosen(spec, choice, condition.path));
        }))
      return r;
  }
  return spec.exclude.size();
}

// Whether the axis has models, of which some are given.
bool names_model(const ParameterKind& parameter, const Axis& axis) {
  return parameter.names_model() &&
         std::ranges::any_of(axis.values, [](const auto& value) { return !value.is_null(); });
}

void label_cell(const Spec& spec, const Choice& choice, CellRow& row) {
  for (std::size_t s = 0; s < choice.size(); ++s) {
    const StageKind& kind = *find_stage_kind(spec.pipeline[s].kind);
    for (std::size_t p = 0; p < choice[s].size(); ++p) {
      const Axis& axis = spec.pipeline[s].parameters[p];
      if (axis.swept || names_model(kind.parameters[p], axis))
        row.label.emplace_back(axis.path, axis.labels[choice[s][p]]);
    }
  }
}

void append_weights(const nlohmann::json& identity, std::string& group) {
  if (identity.is_array()) {
    for (const auto& part : identity) append_weights(part, group);
  } else if (identity.contains("weights")) {
    group += (group.empty() ? "" : "+") + identity["weights"].get<std::string>();
  }
}

struct Settled {
  nlohmann::json stages = nlohmann::json::array();
  std::vector<const ModelFacts*> models;
  std::vector<SameNote> notes;
  std::string refusal;
};

Settled settle(const Spec& spec, const Choice& choice, ModelFinder& models, CellRow& row) {
  Settled settled;
  PassBefore before{.parameters = nlohmann::json::object()};
  for (std::size_t s = 0; s < choice.size(); ++s) {
    const StageSpec& stage = spec.pipeline[s];
    const StageKind& kind = *find_stage_kind(stage.kind);
    nlohmann::json parameters = nlohmann::json::object();
    for (std::size_t p = 0; p < choice[s].size(); ++p)
      parameters[kind.parameters[p].name] = stage.parameters[p].values[choice[s][p]];
    if (kind.inherit != nullptr) parameters = kind.inherit(std::move(parameters), before);
    const ModelFacts* facts = nullptr;  // of the first model it asks for, which is the whole of it
    SettledStage made = kind.settle(parameters, [&](const nlohmann::json& model) -> const ModelFacts& {
      const ModelFacts& found = models(model);
      if (facts == nullptr) facts = &found;
      return found;
    });
    for (const auto& model : made.models) append_weights(model["identity"], row.group);
    for (SameNote& note : made.notes)
      settled.notes.push_back({fmt::format("{}.{}", stage.id, note.parameter), std::move(note.text)});
    if (settled.refusal.empty()) settled.refusal = made.refusal;
    settled.stages.push_back({{"id", stage.id},
                              {"kind", kind.name},
                              {"version", kind.version},
                              {"settings", std::move(made.values)},
                              {"models", std::move(made.models)}});
    settled.models.push_back(facts);
    before.leaves_latents = kind.leaves_latents;
    if (parameters.contains("checkpoint")) before.parameters = std::move(parameters);
  }
  return settled;
}

Digest cell_key(const CellRow& row) {
  Hasher hasher;
  hasher.add_field("upbench-cell-1").add_field(std::uint64_t{row.label.size()});
  for (const auto& [path, value] : row.label) hasher.add_field(path).add_field(value);
  return hasher.add_field(row.settings).finish();
}

// To the next cell, the last dimension fastest; false after the last one.
bool advance(const std::vector<Dimension>& list, std::vector<std::size_t>& at, Choice& choice) {
  for (std::size_t d = list.size(); d-- > 0;) {
    at[d] = (at[d] + 1) % list[d].length;
    for (const auto& [s, p] : list[d].axes) choice[s][p] = at[d];
    if (at[d] != 0) return true;
  }
  return false;
}

}  // namespace

void ExclusionBook::add(const CellRow& cell, const std::vector<std::string>& model_paths,
                        const std::string& reason, std::uint64_t trials) {
  std::string key = reason;
  for (const auto& [path, value] : cell.label)
    if (std::find(model_paths.begin(), model_paths.end(), path) != model_paths.end())
      key += '\n' + path + '=' + value;
  const auto [entry, fresh] = index_.try_emplace(key, lines_.size());
  if (fresh) {
    lines_.push_back({.label = cell.label, .reason = reason, .trials = trials});
    return;
  }
  Excluded& line = lines_[entry->second];
  std::erase_if(line.label, [&](const auto& pair) {
    return std::find(cell.label.begin(), cell.label.end(), pair) == cell.label.end();
  });
  line.trials += trials;
}

ModelFinder::ModelFinder(const Spec& spec, const PlanInputs& inputs) : inputs_(inputs) {
  for (const StageSpec& stage : spec.pipeline)
    for (const Axis& axis : stage.parameters)
      for (std::size_t i = 0; i < axis.values.size() && i < axis.locations.size(); ++i) {
        places_.try_emplace(axis.values[i].dump(), axis.locations[i]);
        if (axis.values[i].is_object() && axis.values[i].contains("chain"))
          for (const auto& part : axis.values[i]["chain"])
            places_.try_emplace(part.dump(), axis.locations[i]);
      }
}

const ModelFacts& ModelFinder::operator()(const nlohmann::json& model) {
  const std::string text = model.dump();
  if (const auto known = facts_.find(text); known != facts_.end()) return known->second;
  try {
    return facts_[text] = inputs_.model_facts(model);
  } catch (const std::invalid_argument& error) {
    facts_.erase(text);
    const std::string place = place_of(model);
    if (place.empty()) throw;
    throw SpecError(fmt::format("{}: {}", place, error.what()));
  }
}

// Where a model was written; of a diffusion model where its checkpoint was.
std::string ModelFinder::place_of(const nlohmann::json& model) const {
  const auto diffusion = model.is_object() ? model.find("diffusion") : model.end();
  const auto place =
      places_.find(diffusion == model.end() ? model.dump() : diffusion->at("checkpoint").dump());
  return place == places_.end() ? "" : place->second;
}

std::vector<PlannedCell> plan_cells(const Spec& spec, const PlanInputs& inputs, std::uint64_t trials_per_cell,
                                    ModelFinder& models, ExclusionBook& book) {
  const std::vector<Dimension> list = dimensions(spec);
  check_count(spec, inputs, list);
  const std::vector<std::string> paths = model_paths(spec);
  std::vector<std::size_t> at(list.size(), 0);
  Choice choice;
  for (const StageSpec& stage : spec.pipeline) choice.emplace_back(stage.parameters.size(), 0);

  std::vector<PlannedCell> cells;
  std::unordered_set<std::string> labels;
  do {
    CellRow row;
    label_cell(spec, choice, row);
    if (!labels.insert(label_text(row.label)).second)
      throw std::invalid_argument(
          fmt::format("{}: two cells are '{}', expected every combination once (see zip)", spec.name,
                      label_text(row.label)));
    if (const std::size_t rule = matching_rule(spec, choice); rule < spec.exclude.size()) {
      book.add(row, {}, fmt::format("excluded by {}", spec.exclude[rule].text), trials_per_cell);
      continue;
    }
    Settled settled = settle(spec, choice, models, row);
    if (!settled.refusal.empty()) {
      book.add(row, paths, settled.refusal, trials_per_cell);
      continue;
    }
    row.settings = settled.stages.dump();
    row.key = cell_key(row);
    cells.push_back({.row = std::move(row),
                     .pipeline = Pipeline(std::move(settled.stages)),
                     .models = std::move(settled.models),
                     .notes = std::move(settled.notes)});
  } while (advance(list, at, choice));
  return cells;
}

std::vector<std::string> model_paths(const Spec& spec) {
  std::vector<std::string> paths;
  for (const StageSpec& stage : spec.pipeline) {
    const StageKind& kind = *find_stage_kind(stage.kind);
    for (std::size_t p = 0; p < stage.parameters.size(); ++p)
      if (names_model(kind.parameters[p], stage.parameters[p])) paths.push_back(stage.parameters[p].path);
  }
  return paths;
}

std::string short_count(double count) {
  if (count < 1e6) return fmt::format("{:.0f}", count);
  const int exponent = static_cast<int>(std::floor(std::log10(count) + 1e-9));
  return fmt::format("{:.3g}e{}", count / std::pow(10.0, exponent), exponent);
}

}  // namespace upbench
