// The tables of a report that hold no measurement: what was asked, where it ran, what did not work.
#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/summary.h"

namespace upbench {
namespace {

constexpr std::size_t kMostRows = 500;
constexpr std::size_t kMostNames = 3;

Table text_table(std::string id, std::string title, std::string caption,
                 const std::vector<const char*>& columns) {
  Table table{.id = std::move(id),
              .title = std::move(title),
              .caption = std::move(caption),
              .columns = {},
              .rows = {}};
  for (const char* column : columns) table.columns.push_back({.id = column, .title = column});
  return table;
}

void add_capped(Table& table, Table::Row row) {
  if (table.rows.size() < kMostRows)
    table.add(std::move(row));
  else
    ++table.left_out;
}

// Equal things counted, in order of first appearance.
template <typename Key>
class Tally {
 public:
  struct Entry {
    Key key;
    std::size_t count = 0;
    std::vector<std::uint32_t> images;  // the first few
  };
  void add(const Key& key, std::uint32_t image) {
    const auto [at, added] = index_.try_emplace(key, entries_.size());
    if (added) entries_.push_back({.key = key, .count = 0, .images = {}});
    Entry& entry = entries_[at->second];
    ++entry.count;
    if (entry.images.size() <= kMostNames && std::count(entry.images.begin(), entry.images.end(), image) == 0)
      entry.images.push_back(image);
  }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::map<Key, std::size_t> index_;
  std::vector<Entry> entries_;
};

std::string picture_names(const RunData& data, const std::vector<std::uint32_t>& images) {
  std::string names;
  for (std::size_t i = 0; i < std::min(images.size(), kMostNames); ++i)
    names += (i > 0 ? ", " : "") + data.plan.images[images[i]].name;
  return images.size() > kMostNames ? names + ", …" : names;
}

Table::Cell count_cell(std::size_t count) {
  return value_cell(static_cast<double>(count));
}

std::string written(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// "STAGE.SETTING" -> its values, each with the number of cells; from the cells' canonical settings.
std::map<std::string, std::map<std::string, std::size_t>> count_settings(const std::vector<CellRow>& cells) {
  std::map<std::string, std::map<std::string, std::size_t>> counts;
  for (const CellRow& cell : cells) {
    const nlohmann::json stages = nlohmann::json::parse(cell.settings, nullptr, false);
    if (!stages.is_array()) continue;
    for (const nlohmann::json& stage : stages) {
      if (!stage.is_object() || !stage.contains("settings") || !stage["settings"].is_object()) continue;
      const std::string id = stage.contains("id") ? written(stage["id"]) : "stage";
      for (const auto& [name, value] : stage["settings"].items()) ++counts[id + "." + name][written(value)];
    }
  }
  return counts;
}

void flatten(const nlohmann::json& node, const std::string& path, Table& table) {
  if (node.is_object()) {
    for (const auto& [key, value] : node.items())
      flatten(value, path.empty() ? key : path + "." + key, table);
  } else {
    add_capped(table, {.cells = {text_cell(path), text_cell(written(node))}});
  }
}

}  // namespace

Table conventions_table(const Analysis& analysis) {
  Table table = text_table("conventions", "Conventions",
                           "What each metric means here; figures under other conventions are not comparable.",
                           {"metric", "unit", "better", "border", "convention", "version"});
  for (const MetricRow& metric : analysis.data->plan.metrics)
    table.add({.cells = {text_cell(metric.name), text_cell(metric.unit.empty() ? "none" : metric.unit),
                         text_cell(metric.higher_is_better ? "higher" : "lower"),
                         text_cell(fmt::format("{} px", metric.border)), text_cell(metric.convention),
                         text_cell(fmt::format("{}", metric.version))}});
  return table;
}

Table settings_table(const Analysis& analysis) {
  Table table = text_table("settings", "Fixed settings",
                           "Settings with one value in all cells, defaults included.", {"setting", "value"});
  const std::vector<CellRow>& cells = analysis.data->plan.cells;
  for (const auto& [path, uses] : count_settings(cells))
    if (uses.size() == 1 && uses.begin()->second == cells.size())
      add_capped(table, {.cells = {text_cell(path), text_cell(uses.begin()->first)}});
  return table;
}

Table environment_table(const Analysis& analysis) {
  Table table = text_table("environment", "Environment", "Where the run was started.", {"what", "value"});
  const RunPlan& plan = analysis.data->plan;
  const nlohmann::json json = nlohmann::json::parse(plan.environment.json, nullptr, false);
  if (json.is_discarded())
    table.add({.cells = {text_cell("environment"), text_cell(plan.environment.json)}});
  else
    flatten(json, "", table);
  table.add({.cells = {text_cell("command"), text_cell(plan.run.command)}});
  table.add({.cells = {text_cell("run key"), text_cell(plan.run.key.hex())}});
  return table;
}

Table exclusions_table(const Analysis& analysis) {
  Table table =
      text_table("exclusions", "Left out", "Cells that the spec or the plan excluded.", {"cell", "reason"});
  table.columns.push_back({.id = "trials", .title = "trials", .kind = Table::Kind::count});
  const nlohmann::json list = nlohmann::json::parse(analysis.data->plan.run.exclusions, nullptr, false);
  if (!list.is_array()) return table;
  for (const nlohmann::json& entry : list) {
    if (!entry.is_object()) continue;
    std::string label;
    const auto append = [&](const std::string& path, const nlohmann::json& value) {
      label += fmt::format("{}{} = {}", label.empty() ? "" : ", ", path, written(value));
    };
    // {path: value}, or a list of [path, value] where the order of axes matters.
    const nlohmann::json axes = entry.value("label", nlohmann::json());
    if (axes.is_string()) label = axes.get<std::string>();
    if (axes.is_object())
      for (const auto& [path, value] : axes.items()) append(path, value);
    if (axes.is_array())
      for (const nlohmann::json& pair : axes)
        if (pair.is_array() && pair.size() == 2 && pair[0].is_string())
          append(pair[0].get<std::string>(), pair[1]);
    const nlohmann::json reason = entry.value("reason", nlohmann::json()),
                         trials = entry.value("trials", nlohmann::json());
    add_capped(table, {.cells = {text_cell(label), text_cell(written(reason)),
                                 trials.is_number() ? value_cell(trials.get<double>()) : Table::Cell{}}});
  }
  return table;
}

Table failures_table(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  Tally<std::tuple<Status, std::uint32_t, std::uint32_t>> tally;
  for (const RunData::Trial& trial : data.trials)
    if (trial.finished && trial.status != Status::ok)
      tally.add({trial.status, trial.cell, trial.reason}, trial.image);
  Table table = text_table("failures", "Failed and skipped trials", "", {"status", "cell", "reason"});
  table.columns.push_back({.id = "trials", .title = "trials", .kind = Table::Kind::count});
  table.columns.push_back({.id = "pictures", .title = "pictures"});
  for (const auto& entry : tally.entries()) {
    const auto& [status, cell, reason] = entry.key;
    add_capped(table, {.cells = {text_cell(std::string(to_string(status))),
                                 text_cell(analysis.cells[cell].name), text_cell(data.text(reason)),
                                 count_cell(entry.count), text_cell(picture_names(data, entry.images))},
                       .status = status});
  }
  return table;
}

Table missing_table(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  Tally<std::tuple<std::size_t, ValueFlag, std::uint32_t>> tally;
  for (std::size_t t = 0; t < data.trials.size(); ++t) {
    if (!data.trials[t].finished || data.trials[t].status != Status::ok) continue;
    for (std::size_t m = 0; m < data.plan.metrics.size(); ++m)
      if (const RunData::Score& score = data.score(t, m);
          score.flag != ValueFlag::ok && score.flag != ValueFlag::inf)
        tally.add({m, score.flag, score.reason}, data.trials[t].image);
  }
  Table table = text_table("missing", "Scores without a value", "Of trials that are ok otherwise.",
                           {"metric", "status", "reason"});
  table.columns.push_back({.id = "trials", .title = "trials", .kind = Table::Kind::count});
  table.columns.push_back({.id = "pictures", .title = "pictures"});
  for (const auto& entry : tally.entries()) {
    const auto& [metric, flag, reason] = entry.key;
    add_capped(table, {.cells = {text_cell(data.plan.metrics[metric].name),
                                 text_cell(std::string(to_string(flag))), text_cell(data.text(reason)),
                                 count_cell(entry.count), text_cell(picture_names(data, entry.images))}});
  }
  return table;
}

namespace {

// One row a pair of cells: how many trials of the first `other` says are the second's, and on which pictures.
Table pairs_table(const Analysis& analysis, Table table,
                  const std::function<std::uint32_t(std::size_t trial)>& other) {
  const RunData& data = *analysis.data;
  Tally<std::pair<std::uint32_t, std::uint32_t>> tally;
  for (std::size_t t = 0; t < data.trials.size(); ++t)
    if (const std::uint32_t twin = other(t); twin < data.trials.size())
      tally.add({data.trials[t].cell, data.trials[twin].cell}, data.trials[t].image);
  table.columns.push_back({.id = "trials", .title = "trials", .kind = Table::Kind::count});
  table.columns.push_back({.id = "pictures", .title = "pictures"});
  for (const auto& entry : tally.entries())
    add_capped(table, {.cells = {text_cell(analysis.cells[entry.key.first].name),
                                 text_cell(analysis.cells[entry.key.second].name), count_cell(entry.count),
                                 text_cell(picture_names(data, entry.images))}});
  return table;
}

}  // namespace

Table duplicates_table(const Analysis& analysis) {
  return pairs_table(
      analysis,
      text_table("duplicates", "Repeated cells",
                 "Trials whose settings compute the same pixels as another's: computed once, shown in both.",
                 {"cell", "same as"}),
      [&](std::size_t t) { return analysis.data->trials[t].same_as; });
}

Table same_pixels_table(const Analysis& analysis) {
  return pairs_table(
      analysis,
      text_table(
          "same-pixels", "Different cells, equal outputs",
          "Trials that were computed by themselves, with other settings, and still gave the same 8-bit "
          "picture: a setting without effect, or a model that is another's copy.",
          {"cell", "same pixels as"}),
      [&](std::size_t t) { return analysis.same_pixels[t]; });
}

Table notes_table(const Analysis& analysis) {
  Table table = text_table("notes", "Notes on pictures", "", {"picture", "note"});
  for (const std::string& note : analysis.data->plan.notes)
    add_capped(table, {.cells = {text_cell("(the set)"), text_cell(note)}});
  for (const ImageRow& image : analysis.data->plan.images) {
    for (const std::string& note : image.notes)
      if (!is_class_note(note)) add_capped(table, {.cells = {text_cell(image.name), text_cell(note)}});
    if (!image.problem.empty())
      add_capped(table, {.cells = {text_cell(image.name), text_cell("unusable: " + image.problem)},
                         .status = Status::failed});
  }
  return table;
}

}  // namespace upbench
