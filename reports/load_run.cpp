#include "reports/load_run.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace upbench {
namespace {

// Trial rows with their places in another RunData.
struct Places {
  std::vector<std::uint32_t> cells, images;
  std::vector<std::size_t> metrics;
  std::uint32_t first_store = 0;
};

void append_trial(RunData& to, const RunData& from, std::size_t index, const Places& places,
                  std::size_t first) {
  RunData::Trial trial = from.trials[index];
  trial.cell = places.cells[trial.cell];
  trial.image = places.images[trial.image];
  if (trial.same_as != kNoTrial) trial.same_as += static_cast<std::uint32_t>(first);
  trial.store += places.first_store;
  trial.reason = to.intern(from.text(trial.reason));
  trial.flags = to.intern(from.text(trial.flags));
  if (trial.model_time != 0) trial.model_time = to.keep(from.model_times[trial.model_time]);
  to.trials.push_back(trial);
  const std::size_t base = to.scores.size();
  to.scores.resize(base + to.plan.metrics.size(), {.reason = to.intern("not a metric of this run")});
  for (std::size_t m = 0; m < places.metrics.size(); ++m) {
    const RunData::Score& score = from.score(index, m);
    to.scores[base + places.metrics[m]] = {score.value, score.flag, to.intern(from.text(score.reason))};
    if (const auto decision = from.decision(index, m); decision != RunData::Decision::none)
      to.set_decision(to.trials.size() - 1, places.metrics[m], decision);
  }
  if (const auto found = from.places.find(static_cast<std::uint32_t>(index)); found != from.places.end())
    for (RunData::Place place : found->second) {
      place.metric = static_cast<std::uint32_t>(places.metrics[place.metric]);
      to.places[static_cast<std::uint32_t>(to.trials.size() - 1)].push_back(place);
    }
  if (const auto found = from.maps.find(static_cast<std::uint32_t>(index)); found != from.maps.end())
    for (RunData::Map map : found->second) {
      map.metric = static_cast<std::uint32_t>(places.metrics[map.metric]);
      to.maps[static_cast<std::uint32_t>(to.trials.size() - 1)].push_back(std::move(map));
    }
  if (const auto found = from.laps.find(static_cast<std::uint32_t>(index)); found != from.laps.end())
    to.laps[static_cast<std::uint32_t>(to.trials.size() - 1)] = found->second;
}

// What was worked in another part: where both finished the same output, both did it.
void add_work(RunData& to, const RunData& from, const Places& places) {
  for (const auto& [what, work] : from.stage_work)
    to.stage_work[{places.cells[what.first], what.second}].add(work);
  for (const auto& [metric, work] : from.metric_work) to.metric_work[metric].add(work);
  for (std::size_t cell = 0; cell < from.used.size(); ++cell) {
    const std::size_t place = places.cells[cell];
    if (place >= to.used.size()) to.used.resize(place + 1);
    if (to.used[place].empty()) to.used[place] = from.used[cell];
  }
}

template <typename Value>
void move_key(std::map<std::uint32_t, Value>& map, std::size_t from, std::size_t to) {
  if (auto node = map.extract(static_cast<std::uint32_t>(from))) {
    map.erase(static_cast<std::uint32_t>(to));
    node.key() = static_cast<std::uint32_t>(to);
    map.insert(std::move(node));
  }
}

// How the detectors of another part of the report decided.
void take_calibrations(RunData& to, const RunData& from) {
  to.calibrated_by.insert(from.calibrated_by.begin(), from.calibrated_by.end());
  to.calibrations.insert(from.calibrations.begin(), from.calibrations.end());
  to.gating.insert(from.gating.begin(), from.gating.end());
}

// Returns where they begin.
std::uint32_t add_folders(RunData& to, const RunData& from) {
  const auto first = static_cast<std::uint32_t>(to.output_folders.size());
  to.output_folders.insert(to.output_folders.end(), from.output_folders.begin(), from.output_folders.end());
  return first;
}

RunData merge_parts(std::vector<RunData> parts) {
  RunData merged = std::move(parts.front());
  Places same;
  for (std::uint32_t i = 0; i < merged.plan.cells.size(); ++i) same.cells.push_back(i);
  for (std::uint32_t i = 0; i < merged.plan.images.size(); ++i) same.images.push_back(i);
  for (std::size_t i = 0; i < merged.plan.metrics.size(); ++i) same.metrics.push_back(i);
  for (std::size_t p = 1; p < parts.size(); ++p) {
    merged.timing_sessions.insert(parts[p].timing_sessions.begin(), parts[p].timing_sessions.end());
    take_calibrations(merged, parts[p]);
    same.first_store = add_folders(merged, parts[p]);
    add_work(merged, parts[p], same);
    if (parts[p].trials.size() != merged.trials.size())
      throw std::runtime_error(fmt::format("{}: {} trials of run {}, expected {} as in {}", parts[p].source,
                                           parts[p].trials.size(), merged.plan.run.key.short_hex(),
                                           merged.trials.size(), merged.source));
    for (std::size_t t = 0; t < merged.trials.size(); ++t) {
      if (merged.trials[t].finished || !parts[p].trials[t].finished) continue;
      append_trial(merged, parts[p], t, same, 0);
      merged.trials[t] = merged.trials.back();
      for (std::size_t m = 0; m < same.metrics.size(); ++m)
        if (const auto decision = parts[p].decision(t, m); decision != RunData::Decision::none)
          merged.set_decision(t, m, decision);
      std::copy_n(merged.scores.end() - static_cast<std::ptrdiff_t>(same.metrics.size()), same.metrics.size(),
                  merged.scores.begin() + static_cast<std::ptrdiff_t>(t * same.metrics.size()));
      move_key(merged.places, merged.trials.size() - 1, t);
      move_key(merged.maps, merged.trials.size() - 1, t);
      move_key(merged.laps, merged.trials.size() - 1, t);
      merged.trials.pop_back();
      merged.scores.resize(merged.scores.size() - same.metrics.size());
      if (merged.decisions.size() > merged.scores.size()) merged.decisions.resize(merged.scores.size());
    }
  }
  return merged;
}

// A metric under the same name but another version, border or convention is another column.
std::size_t place_metric(std::vector<MetricRow>& metrics, MetricRow metric) {
  const auto same = [](const MetricRow& a, const MetricRow& b) {
    return a.version == b.version && a.border == b.border && a.convention == b.convention;
  };
  const std::string variant = fmt::format("{}@v{}@border{}", metric.name, metric.version, metric.border);
  for (std::size_t i = 0; i < metrics.size(); ++i)
    if ((metrics[i].name == metric.name || metrics[i].name == variant) && same(metrics[i], metric)) return i;
  if (std::any_of(metrics.begin(), metrics.end(),
                  [&](const MetricRow& other) { return other.name == metric.name; }))
    metric.name = variant;
  metrics.push_back(std::move(metric));
  return metrics.size() - 1;
}

std::vector<std::string> distinct_names(const std::vector<RunData>& parts) {
  std::vector<std::string> names;
  for (const RunData& part : parts) {
    const std::string& name = part.plan.run.name;
    const bool twice = std::count_if(parts.begin(), parts.end(),
                                     [&](const RunData& other) { return other.plan.run.name == name; }) > 1;
    names.push_back(twice ? fmt::format("{} ({} {})", name, part.plan.run.started_at,
                                        part.plan.run.key.short_hex().substr(0, 6))
                          : name);
  }
  return names;
}

// What a run's spec quotes of others, as holding for that run of several, under its metrics' names among all
// of them.
void add_published(nlohmann::json& all, const RunPlan& part, const std::string& name,
                   const std::map<std::string, std::string>& metric_names) {
  nlohmann::json spec = nlohmann::json::parse(part.run.canonical_spec, nullptr, false);
  if (!spec.is_object() || !spec["published"].is_array()) return;
  for (nlohmann::json& published : spec["published"]) {
    if (!published.is_object() || !published["where"].is_array()) continue;
    published["where"].push_back({"run", name});
    for (nlohmann::json& score : published["scores"]) {
      if (!score.is_array() || score.empty() || !score[0].is_string()) continue;
      if (const auto found = metric_names.find(score[0].get<std::string>()); found != metric_names.end())
        score[0] = found->second;
    }
    all.push_back(std::move(published));
  }
}

RunData join_runs(const std::vector<RunData>& parts) {
  RunData joined;
  RunPlan& plan = joined.plan;
  const std::vector<std::string> names = distinct_names(parts);
  std::unordered_map<Digest, std::uint32_t> images;
  std::vector<Places> places(parts.size());
  nlohmann::json environments = nlohmann::json::object(), exclusions = nlohmann::json::array(),
                 published = nlohmann::json::array();
  std::set<Digest> machines;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const RunPlan& part = parts[p].plan;
    plan.run.name += (p > 0 ? " + " : "") + names[p];
    plan.run.spec += fmt::format("{}# {}\n{}", p > 0 ? "\n" : "", names[p], part.run.spec);
    plan.run.started_at = p == 0 ? part.run.started_at : std::min(plan.run.started_at, part.run.started_at);
    plan.run.finished_at = std::max(plan.run.finished_at, part.run.finished_at);
    machines.insert(part.environment.key);
    environments[names[p]] = nlohmann::json::parse(part.environment.json, nullptr, false);
    if (const auto list = nlohmann::json::parse(part.run.exclusions, nullptr, false); list.is_array())
      exclusions.insert(exclusions.end(), list.begin(), list.end());
    for (CellRow cell : part.cells) {
      cell.label.insert(cell.label.begin(), {"run", names[p]});
      places[p].cells.push_back(static_cast<std::uint32_t>(plan.cells.size()));
      plan.cells.push_back(std::move(cell));
    }
    for (const ImageRow& image : part.images) {
      const auto [at, added] = images.try_emplace(image.key, static_cast<std::uint32_t>(plan.images.size()));
      if (added) plan.images.push_back(image);
      places[p].images.push_back(at->second);
    }
    for (const std::string& note : part.notes)
      if (std::ranges::find(plan.notes, note) == plan.notes.end()) plan.notes.push_back(note);
    std::map<std::string, std::string> metric_names;
    for (const MetricRow& metric : part.metrics) {
      places[p].metrics.push_back(place_metric(plan.metrics, metric));
      metric_names.emplace(metric.name, plan.metrics[places[p].metrics.back()].name);
    }
    add_published(published, part, names[p], metric_names);
  }
  plan.run.exclusions = exclusions.dump();
  plan.run.canonical_spec = nlohmann::json{{"published", std::move(published)}}.dump();
  plan.environment = parts.front().plan.environment;
  if (machines.size() > 1) {
    plan.environment.json = environments.dump();
    joined.warnings.push_back(
        "The runs were made in different environments: their times are not comparable.");
  }
  for (std::size_t p = 0; p < parts.size(); ++p) {
    joined.source += (p > 0 ? ", " : "") + parts[p].source;
    joined.timing_sessions.insert(parts[p].timing_sessions.begin(), parts[p].timing_sessions.end());
    take_calibrations(joined, parts[p]);
    places[p].first_store = add_folders(joined, parts[p]);
    add_work(joined, parts[p], places[p]);
    const std::size_t first = joined.trials.size();
    for (std::size_t t = 0; t < parts[p].trials.size(); ++t)
      append_trial(joined, parts[p], t, places[p], first);
  }
  return joined;
}

}  // namespace

RunData load_run(const Store& store, const std::optional<Digest>& run) {
  const std::vector<RunRow> runs = store.runs();
  if (runs.empty())
    throw std::invalid_argument(fmt::format("{}: holds no run to report", store.file().string()));
  const Digest key = run.value_or(runs.back().key);
  if (std::none_of(runs.begin(), runs.end(), [&](const RunRow& row) { return row.key == key; }))
    throw std::invalid_argument(fmt::format("{}: holds no run {}", store.file().string(), key.hex()));
  RunData data;
  data.plan = store.plan(key);
  data.source = store.file().filename().string();
  data.output_folders = {store.output_folder()};
  std::vector<Digest> first_output(data.plan.cells.size());
  store.scan_trials(
      key, [&](std::size_t count) { data.resize_trials(count); },
      [&](std::uint32_t trial, const TrialResult& result) {
        data.set(trial, result);
        Digest& first = first_output[result.cell];
        if (result.finished && result.status == Status::ok && first.is_zero()) first = result.output;
      });
  for (const Digest& output : first_output) {
    const std::optional<OutputRow> row = output.is_zero() ? std::nullopt : store.output(output);
    data.used.push_back(row ? row->used : std::string());
  }
  for (const auto& [detector, version] : data.calibrated_by)
    if (!data.calibrations.contains(version)) data.calibrations[version] = store.calibration(version);
  for (const ModelTime& time : data.model_times)
    if (time.session.size() == 64 && !data.timing_sessions.contains(time.session))
      data.timing_sessions[time.session] = store.timing_session(parse_digest(time.session));
  return data;
}

Digest find_run(const Store& store, const std::string& beginning) {
  std::vector<Digest> keys;
  for (const RunRow& row : store.runs())
    if (row.key.hex().starts_with(beginning)) keys.push_back(row.key);
  if (beginning.empty() && keys.empty())
    throw std::invalid_argument(fmt::format("{}: holds no run to report", store.file().string()));
  if (!beginning.empty() && keys.size() != 1)
    throw std::invalid_argument(fmt::format("{}: {} runs have a key that begins with '{}', expected one",
                                            store.file().string(), keys.size(), beginning));
  return keys.back();
}

RunData load_runs(const std::vector<std::filesystem::path>& stores, const std::string& run) {
  std::vector<RunData> parts;
  for (const std::filesystem::path& file : stores) {
    const Store store(file, Store::Access::read);
    parts.push_back(load_run(store, find_run(store, run)));
  }
  return combine(std::move(parts));
}

RunData combine(std::vector<RunData> parts) {
  if (parts.empty()) throw std::invalid_argument("report: no store given, expected at least one");
  std::map<Digest, std::vector<RunData>> by_run;
  std::vector<Digest> order;
  for (RunData& part : parts) {
    const Digest key = part.plan.run.key;
    if (!by_run.contains(key)) order.push_back(key);
    by_run[key].push_back(std::move(part));
  }
  std::vector<RunData> runs;
  for (const Digest& key : order) runs.push_back(merge_parts(std::move(by_run[key])));
  return runs.size() == 1 ? std::move(runs.front()) : join_runs(runs);
}

}  // namespace upbench
