#include "reports/run_view.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/totals.h"

namespace upbench {
namespace {

using nlohmann::json;

Table::Cell count_cell(std::size_t count) {
  return value_cell(static_cast<double>(count));
}

std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string written(const json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The objects of a list, whatever it is.
std::vector<json> objects_in(const json& list) {
  std::vector<json> objects;
  if (list.is_array())
    for (const json& entry : list)
      if (entry.is_object()) objects.push_back(entry);
  return objects;
}

// As a POSIX shell takes it.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The words of the command that made the run; none where the store does not know them.
std::vector<std::string> command_words(const RunPlan& plan) {
  std::vector<std::string> words;
  const json list = json::parse(plan.run.command, nullptr, false);
  if (list.is_array())
    for (const json& word : list)
      if (word.is_string()) words.push_back(word.get<std::string>());
  return words;
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

// "0.3.0 (abc1234, modified)" -> "abc1234"; empty where there is none.
std::string commit_of(const std::string& version) {
  const std::size_t open = version.find('(');
  if (open == std::string::npos) return {};
  const std::string commit = version.substr(open + 1, version.find_first_of(",)", open) - open - 1);
  const bool is_hash =
      commit.size() >= 7 && commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hash ? commit : std::string();
}

// "STAGE: MODEL" of each stage of a cell, by id; from its canonical settings.
std::map<std::string, std::string> weights_of(const CellRow& cell) {
  std::map<std::string, std::string> names;
  for (const json& stage : objects_in(json::parse(cell.settings, nullptr, false))) {
    const auto settings = stage.find("settings");
    if (settings == stage.end() || !settings->is_object()) continue;
    for (const char* parameter : {"model", "checkpoint"})
      if (settings->contains(parameter)) names[text_in(stage, "id")] = written((*settings)[parameter]);
  }
  return names;
}

std::vector<std::string> stages_of(const CellRow& cell) {
  std::vector<std::string> ids;
  for (const json& stage : objects_in(json::parse(cell.settings, nullptr, false)))
    ids.push_back(text_in(stage, "id"));
  return ids;
}

// Stages of what a cell's first output was made with.
std::vector<json> used_stages(const RunData& data, std::size_t cell) {
  if (cell >= data.used.size()) return {};
  const json used = json::parse(data.used[cell], nullptr, false);
  return used.is_object() && used.contains("stages") ? objects_in(used["stages"]) : std::vector<json>();
}

struct StageSum {
  RunData::Work work;
  std::size_t asked = 0;  // outputs that passed through it
  double peak_bytes = 0;  // 0: not known
};

// In the order of the pipelines.
std::vector<std::pair<std::string, StageSum>> sum_stages(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  std::vector<std::size_t> outputs(analysis.cells.size());
  for (const RunData::Trial& trial : data.trials)
    outputs[trial.cell] += trial.finished && trial.status == Status::ok && trial.same_as == kNoTrial;
  std::vector<std::pair<std::string, StageSum>> sums;
  const auto sum_of = [&](const std::string& stage) -> StageSum& {
    const auto known = std::ranges::find(sums, stage, [](const auto& entry) { return entry.first; });
    if (known != sums.end()) return known->second;
    return sums.emplace_back(stage, StageSum{}).second;
  };
  for (std::size_t cell = 0; cell < outputs.size(); ++cell) {
    for (const std::string& stage : stages_of(data.plan.cells[cell])) sum_of(stage).asked += outputs[cell];
    for (const json& used : used_stages(data, cell))
      if (const auto peak = used.find("peak_bytes"); peak != used.end() && peak->is_number())
        sum_of(text_in(used, "id")).peak_bytes =
            std::max(sum_of(text_in(used, "id")).peak_bytes, peak->get<double>());
  }
  for (const auto& [what, work] : data.stage_work) sum_of(what.second).work.add(work);
  return sums;
}

Table::Column column(const char* id, const char* title, Table::Kind kind = Table::Kind::text) {
  return {.id = id, .title = title, .kind = kind, .decimals = 1};
}

}  // namespace

Table reproduce_table(const Analysis& analysis) {
  const RunPlan& plan = analysis.data->plan;
  Table table{.id = "reproduce", .title = "How to reproduce", .caption = {}, .columns = {}, .rows = {}};
  table.caption = fmt::format(
      "With the weights and settings listed below. A store that is there already is resumed: name another "
      "with "
      "--store. The same spec over the same pictures has the same run key, {}.",
      plan.run.key.short_hex());
  table.columns = {column("step", "step"), column("command", "command")};
  const auto add = [&](const char* step, std::string command) {
    table.add({.cells = {text_cell(step), text_cell(std::move(command))}});
  };
  const json environment = json::parse(plan.environment.json, nullptr, false);
  if (environment.is_object())
    if (const std::string commit = commit_of(text_in(environment, "upbench")); !commit.empty())
      add("the same program", fmt::format("git checkout {} && scripts/build.sh", commit));
  const std::vector<std::string> words = command_words(plan);
  if (!words.empty()) add("the run", shell_line(words));
  if (words.empty()) return table;
  add("this report", fmt::format("upbench report {} --html report.html", shell_word(analysis.data->source)));
  add("is it the same?", fmt::format("upbench compare {} NEW.db", shell_word(analysis.data->source)));
  return table;
}

Table plan_table(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  Table table{.id = "plan", .title = "Plan", .caption = {}, .columns = {}, .rows = {}};
  table.columns = {column("what", "what"), column("count", "count", Table::Kind::count)};
  const auto add = [&](const char* what, std::size_t count) {
    table.add({.cells = {text_cell(what), count_cell(count)}});
  };
  const Totals totals(analysis);
  std::set<std::uint64_t> seeds;
  std::size_t computed = 0;
  for (const RunData::Trial& trial : data.trials) {
    seeds.insert(trial.seed);
    computed += trial.finished && trial.status == Status::ok && trial.same_as == kNoTrial;
  }
  const json exclusions = json::parse(data.plan.run.exclusions, nullptr, false);
  std::size_t asked = 0, shared = 0;
  for (const auto& [stage, sum] : sum_stages(analysis)) {
    if (sum.work.count == 0) continue;
    asked += sum.asked;
    shared += sum.asked - std::min(sum.asked, sum.work.count);
  }
  add("cells (settings)", data.plan.cells.size());
  add("cells left out by the spec or the plan", exclusions.is_array() ? exclusions.size() : 0);
  add("pictures", data.plan.images.size());
  add("seeds", seeds.size());
  add("trials", totals.all());
  add("trials that repeat another (same pixels by their settings)", totals.repeats);
  add("outputs computed and scored", computed);
  if (asked > 0) {
    add("stages that these outputs passed through", asked);
    add("stages taken from a trial that shares what comes before", shared);
  }
  return table;
}

Table work_table(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  Table table{.id = "work", .title = "Time by stage", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "Sweep time, summed over all workers: what the user waited for, not what the model takes alone (model "
      "time). Shared: taken from another trial with the same stages before. Peak memory: the most that the "
      "first output of any cell took.";
  table.columns = {column("work", "stage or metric"),
                   column("computed", "computed", Table::Kind::count),
                   column("shared", "shared", Table::Kind::count),
                   column("cost_total_s", "in all", Table::Kind::seconds),
                   column("cost_each_s", "each", Table::Kind::seconds),
                   column("share", "of the time", Table::Kind::ratio),
                   column("cost_peak_bytes", "peak memory", Table::Kind::bytes)};
  const auto stages = sum_stages(analysis);
  double all = 0;
  for (const auto& [stage, sum] : stages) all += sum.work.seconds;
  for (const auto& [metric, work] : data.metric_work) all += work.seconds;
  if (all <= 0) return table;
  const auto add = [&](std::string what, const RunData::Work& work, Table::Cell shared, double peak) {
    table.add({.cells = {text_cell(std::move(what)), count_cell(work.count), std::move(shared),
                         value_cell(work.seconds), value_cell(work.seconds / static_cast<double>(work.count)),
                         value_cell(work.seconds / all), peak > 0 ? value_cell(peak) : Table::Cell{}}});
  };
  for (const auto& [stage, sum] : stages)
    if (sum.work.count > 0)
      add(stage, sum.work, count_cell(sum.asked - std::min(sum.asked, sum.work.count)), sum.peak_bytes);
  for (const MetricRow& metric : data.plan.metrics)
    if (const auto work = data.metric_work.find(metric.name); work != data.metric_work.end())
      add(metric.name, work->second, {}, 0);
  return table;
}

Table weights_table(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  Table table{.id = "weights", .title = "Weights", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "What each model was when the run used it. Tensor hash: SHA-256 over the tensors, whatever file they "
      "lie in. Licence: as the file states it; most state none, and then the place it came from says.";
  table.columns = {
      column("stage", "stage"),         column("name", "name"),       column("architecture", "architecture"),
      column("precision", "precision"), column("licence", "licence"), column("tensor_hash", "tensor hash")};
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  const auto add = [&](const std::string& stage, const std::string& name, const json& model) {
    const std::string hash = text_in(model, "tensor_hash"), licence = text_in(model, "licence");
    if (hash.empty() || !seen.insert({stage, name, hash}).second) return;
    const bool none = hash.find_first_not_of('0') == std::string::npos;
    table.add({.cells = {text_cell(stage), text_cell(name), text_cell(text_in(model, "architecture")),
                         text_cell(text_in(model, "precision")),
                         text_cell(!licence.empty() ? licence
                                   : none           ? "no weights"
                                                    : "not stated"),
                         text_cell(none ? "" : hash)}});
  };
  for (std::size_t cell = 0; cell < data.plan.cells.size(); ++cell) {
    const std::map<std::string, std::string> names = weights_of(data.plan.cells[cell]);
    for (const json& used : used_stages(data, cell)) {
      const std::string id = text_in(used, "id");
      const auto name = names.find(id);
      add(id, name == names.end() ? "" : name->second, used);
      // A second model of the stage: a refiner, an upscaler before it.
      for (const auto& [part, second] : used.items())
        if (second.is_object()) add(fmt::format("{}, {}", id, part), text_in(second, "name"), second);
    }
  }
  return table;
}

}  // namespace upbench
