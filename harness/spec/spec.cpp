#include "harness/spec.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "harness/spec/axes.h"
#include "harness/spec/images.h"
#include "harness/spec/override.h"
#include "harness/spec/published.h"
#include "harness/spec/read.h"
#include "harness/spec/stages.h"

namespace upbench {
namespace {

// It becomes NAME.db.
std::string read_name(const YamlNode& node) {
  const std::string name = read_text(node, "name");
  const bool letters =
      name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
      std::string::npos;
  if (!letters || name[0] == '.' || name[0] == '-' || name.size() > 100)
    refuse(node.place, fmt::format("name is '{}', expected letters, digits, ., - and _ (at most 100, not . "
                                   "or - first): it becomes a file",
                                   name.substr(0, 100)));
  return name;
}

std::vector<std::string> read_metrics(const YamlNode& node) {
  if (node.is(YamlNode::Kind::scalar)) {
    const std::string text = read_text(node, "metrics");
    return text == "none" ? std::vector<std::string>{} : std::vector{text};
  }
  require_kind(node, YamlNode::Kind::list, "metrics", "a list of metrics, or none");
  if (node.items.empty())
    refuse(node.place, "metrics is an empty list, expected one metric or more, or none");
  std::vector<std::string> metrics;
  for (const YamlNode& item : node.items) {
    metrics.push_back(read_text(item, "metrics"));
    if (std::count(metrics.begin(), metrics.end(), metrics.back()) > 1)
      refuse(item.place, fmt::format("metrics has {} twice, expected it once", metrics.back()));
  }
  return metrics;
}

std::vector<std::uint64_t> read_seeds(const YamlNode& node) {
  std::vector<std::uint64_t> seeds;
  if (is_range(node)) {
    for (const std::string& text : read_range(node, "seeds")) {
      YamlNode seed = node;
      seed.kind = YamlNode::Kind::scalar;
      seed.text = text;
      seeds.push_back(read_unsigned(seed, "seeds"));
    }
  } else if (node.is(YamlNode::Kind::list)) {
    for (const YamlNode& item : node.items) seeds.push_back(read_unsigned(item, "seeds"));
    if (seeds.empty()) refuse(node.place, "seeds is an empty list, expected one seed or more");
  } else {
    seeds.push_back(read_unsigned(node, "seeds"));
  }
  if (std::set<std::uint64_t>(seeds.begin(), seeds.end()).size() != seeds.size())
    refuse(node.place, "seeds has a number twice, expected different seeds");
  return seeds;
}

TimingSpec read_timing(const YamlNode& node) {
  TimingSpec timing;
  if (node.is(YamlNode::Kind::scalar) && node.text == "none") {
    timing.images = 0;
    return timing;
  }
  const MapReader map(node, "timing", {"images", "repeats", "budget"});
  if (const YamlNode* images = map.find("images"))
    timing.images = static_cast<int>(read_integer(*images, map.path("images"), 0, 1'000'000));
  if (const YamlNode* repeats = map.find("repeats"))
    timing.repeats = static_cast<int>(read_integer(*repeats, map.path("repeats"), 1, 10'000));
  if (const YamlNode* budget = map.find("budget"))
    timing.budget_s = read_number(*budget, map.path("budget"), 0, 86'400);
  return timing;
}

nlohmann::json axis_json(const Axis& axis) {
  nlohmann::json json = {
      {"path", axis.path}, {"values", axis.values}, {"labels", axis.labels}, {"swept", axis.swept}};
  if (axis.zip >= 0) json["zip"] = axis.zip;
  return json;
}

const char* to_string(Exclusion::Condition::Test test) {
  using Test = Exclusion::Condition::Test;
  switch (test) {
    case Test::equals:
      return "equals";
    case Test::below:
      return "below";
    case Test::above:
      return "above";
    case Test::one_of:
      break;
  }
  return "one_of";
}

}  // namespace

nlohmann::json Spec::canonical() const {
  nlohmann::json stages = nlohmann::json::array();
  for (const StageSpec& stage : pipeline) {
    nlohmann::json parameters = nlohmann::json::array();
    for (const Axis& axis : stage.parameters) parameters.push_back(axis_json(axis));
    stages.push_back({{"id", stage.id}, {"kind", stage.kind}, {"parameters", std::move(parameters)}});
  }
  nlohmann::json rules = nlohmann::json::array();
  for (const Exclusion& exclusion : exclude) {
    nlohmann::json conditions = nlohmann::json::array();
    for (const auto& condition : exclusion.conditions)
      conditions.push_back(
          {{"path", condition.path}, {"test", to_string(condition.test)}, {"values", condition.values}});
    rules.push_back(std::move(conditions));
  }
  nlohmann::json json = {
      {"name", name},
      {"images", images_json(*this)},
      {"pipeline", std::move(stages)},
      {"metrics", metrics},
      {"seeds", seeds},
      {"exclude", std::move(rules)},
      {"timing", {{"images", timing.images}, {"repeats", timing.repeats}, {"budget", timing.budget_s}}}};
  if (!fidelity.is_null()) json["fidelity"] = fidelity;
  if (!published.empty()) json["published"] = published_json(published);
  return json;
}

Spec parse_spec(std::string_view text, const std::string& file_name, const std::filesystem::path& directory,
                const std::vector<std::string>& overrides) {
  YamlNode root = load_extended(text, file_name, directory);
  if (root.is(YamlNode::Kind::null))
    refuse(root.place, "an empty spec, expected a map of name, images, pipeline, metrics");
  for (const std::string& override : overrides) apply_override(root, override, directory);

  const MapReader map(root, "", kSpecKeys);
  Spec spec;
  spec.text = text;
  spec.directory = directory;
  spec.name = read_name(map.need("name"));
  if (const YamlNode* generate = map.find("generate")) {
    if (map.find("images")) refuse(generate->place, "generate beside images, expected one of the two");
    spec.pipeline = read_generation(*generate, map.find("pipeline"), spec.images.prompts);
  } else {
    read_images(map.need("images"), spec);
    spec.pipeline = read_pipeline(map.need("pipeline"));
  }
  spec.metrics = read_metrics(map.need("metrics"));
  if (const YamlNode* fidelity = map.find("fidelity"))
    spec.fidelity = read_value({.type = ParameterKind::Type::model}, *fidelity, "fidelity").value;
  if (const YamlNode* seeds = map.find("seeds")) spec.seeds = read_seeds(*seeds);
  if (const YamlNode* exclude = map.find("exclude")) spec.exclude = read_exclusions(*exclude, spec.pipeline);
  if (const YamlNode* timing = map.find("timing")) spec.timing = read_timing(*timing);
  if (const YamlNode* published = map.find("published"))
    spec.published = read_published(*published, spec.pipeline, spec.metrics);
  return spec;
}

Spec read_spec(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const std::string text = read_spec_file(file);
  const std::filesystem::path directory = file.parent_path();
  return parse_spec(text, file.string(), directory.empty() ? "." : directory, overrides);
}

}  // namespace upbench
