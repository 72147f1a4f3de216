#include "harness/spec/stages.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/spec/axes.h"
#include "harness/spec/generate.h"
#include "harness/spec/names.h"
#include "harness/spec/read.h"
#include "harness/stage_kinds.h"

namespace upbench {
namespace {

bool is_one_key_map(const YamlNode& item) {
  return item.is(YamlNode::Kind::map) && item.entries.size() == 1;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const StageKind& kind : stage_kinds())
    if (!kind.makes_pictures) names.push_back(kind.name);
  return names;
}

// An id is part of paths such as "upscale.tile", where digits alone would be a list index.
void check_id(const YamlNode& node, const std::string& id) {
  const bool letters = id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos;
  if (!letters || id[0] < 'a' || id.size() > 40)
    refuse(node.place,
           fmt::format("id is '{}', expected a small letter, then small letters, digits, - or _ (at most 40)",
                       id));
}

void check_exactly_one(const StageKind& kind, const YamlNode& parameters, const std::string& id) {
  if (kind.exactly_one.empty()) return;
  const auto given = std::count_if(kind.exactly_one.begin(), kind.exactly_one.end(),
                                   [&](const std::string& name) { return parameters.find(name) != nullptr; });
  if (given != 1)
    refuse(parameters.place, fmt::format("{} has {} of {}, expected exactly one", id, given,
                                         fmt::join(kind.exactly_one, ", ")));
}

// The parameters of a stage as written: those with a dot in their name are keys of a map, {blur: {sigma: 1}}
// for blur.sigma.
class StageReader {
 public:
  StageReader(const StageKind& kind, const YamlNode& parameters, const std::string& id)
      : map_(checked(kind, &parameters, id), id, keys(kind, "")) {
    for (const YamlNode::Entry& entry : parameters.entries)
      if (std::vector<std::string> inner = keys(kind, entry.key); !inner.empty()) {
        const ParameterKind* brief = short_of(kind, entry.key);
        if (brief != nullptr && !is_group(entry.value))
          short_[brief->name] = &entry.value;
        else
          groups_.try_emplace(entry.key, entry.value, map_.path(entry.key), std::move(inner));
      }
  }

  const YamlNode* find(const std::string& parameter) const {
    const std::size_t dot = parameter.find('.');
    if (dot == std::string::npos) return map_.find(parameter);
    if (const auto value = short_.find(parameter); value != short_.end()) return value->second;
    const auto group = groups_.find(parameter.substr(0, dot));
    return group == groups_.end() ? nullptr : group->second.find(parameter.substr(dot + 1));
  }
  const MapReader& map() const { return map_; }

 private:
  // Keys of the map of this name; "": of the stage itself.
  static std::vector<std::string> keys(const StageKind& kind, const std::string& group) {
    std::vector<std::string> names;
    if (group.empty()) names.emplace_back("id");
    for (const ParameterKind& parameter : kind.parameters) {
      const std::string& name = parameter.name;
      const std::size_t dot = name.find('.');
      const std::string outer = dot == std::string::npos ? "" : name.substr(0, dot);
      const std::string key = group.empty() ? name.substr(0, dot) : name.substr(dot + 1);
      if ((group.empty() || outer == group) && std::find(names.begin(), names.end(), key) == names.end())
        names.push_back(key);
    }
    return names;
  }

  static const YamlNode& checked(const StageKind& kind, const YamlNode* parameters, const std::string& id) {
    for (const YamlNode::Entry& entry : parameters->entries) {
      const std::size_t dot = entry.key.find('.');
      if (dot != std::string::npos && dot > 0 && !keys(kind, entry.key.substr(0, dot)).empty())
        refuse(entry.place, fmt::format("{} has a key '{}', expected a map, {}: {{{}: ...}}", id, entry.key,
                                        entry.key.substr(0, dot), entry.key.substr(dot + 1)));
    }
    return *parameters;
  }

  // What may be written in the place of the map of this name: tile: [none, 512] is tile: {size: [none, 512]}.
  static const ParameterKind* short_of(const StageKind& kind, const std::string& group) {
    for (const ParameterKind& parameter : kind.parameters)
      if (parameter.is_short && parameter.name.substr(0, parameter.name.find('.')) == group)
        return &parameter;
    return nullptr;
  }
  static bool is_group(const YamlNode& node) {
    return node.is(YamlNode::Kind::map) && !is_range(node) && node.find("zip") == nullptr;
  }

  MapReader map_;
  std::map<std::string, MapReader> groups_;
  std::map<std::string, const YamlNode*> short_;  // by parameter
};

StageSpec read_parameters(const StageKind& kind, const YamlNode& parameters, const std::string& id,
                          ZipGroups& groups) {
  const StageReader reader(kind, parameters, id);
  if (const YamlNode* written = reader.map().find("id")) check_id(*written, id);
  check_exactly_one(kind, parameters, id);

  StageSpec stage{.id = id, .kind = kind.name, .parameters = {}};
  for (const ParameterKind& parameter : kind.parameters) {
    const std::string path = reader.map().path(parameter.name);
    if (const YamlNode* value = reader.find(parameter.name)) {
      stage.parameters.push_back(read_axis(parameter, *value, path, groups));
    } else {
      if (parameter.default_value.is_null() && !parameter.optional) reader.map().need(parameter.name);
      stage.parameters.push_back(default_axis(parameter, path));
    }
  }
  return stage;
}

StageSpec read_stage(const YamlNode& item, const std::string& id, ZipGroups& groups) {
  require_kind(item, YamlNode::Kind::map, "a stage of the pipeline",
               "a map of one key, such as upscale: {model: lanczos}");
  if (item.entries.size() != 1)
    refuse(
        item.place,
        fmt::format("a stage of the pipeline has {} keys, expected one, such as upscale: {{model: lanczos}}",
                    item.entries.size()));
  const auto& [kind_name, place, parameters] = item.entries[0];
  const StageKind* kind = find_stage_kind(kind_name);
  if (!kind) refuse(place, unknown_name("stage", kind_name, kind_names()));
  if (kind->makes_pictures)
    refuse(place, fmt::format("{} is no stage of the pipeline, expected it at the top level in the place of "
                              "images",
                              kind_name));
  require_kind(parameters, YamlNode::Kind::map, id, "a map of its parameters");

  return read_parameters(*kind, parameters, id, groups);
}

void append_stages(const YamlNode& node, ZipGroups& groups, std::vector<StageSpec>& stages) {
  const std::vector<std::string> ids = stage_ids(node);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    stages.push_back(read_stage(node.items[i], ids[i], groups));
    if (std::ranges::find(stages.begin(), stages.end() - 1, ids[i], &StageSpec::id) != stages.end() - 1)
      refuse(node.items[i].place, fmt::format("stage id '{}' a second time, expected different ids", ids[i]));
  }
}

const ParameterKind* find_parameter(const std::string& path, const std::vector<StageSpec>& pipeline) {
  for (const StageSpec& stage : pipeline)
    for (std::size_t i = 0; i < stage.parameters.size(); ++i)
      if (stage.parameters[i].path == path) return &find_stage_kind(stage.kind)->parameters[i];
  return nullptr;
}

Exclusion::Condition read_condition(const YamlNode::Entry& entry, const std::vector<StageSpec>& pipeline) {
  const ParameterKind* parameter = find_parameter(entry.key, pipeline);
  if (!parameter) {
    std::vector<std::string> paths;
    for (const StageSpec& stage : pipeline)
      for (const Axis& axis : stage.parameters) paths.push_back(axis.path);
    refuse(entry.place, unknown_name("parameter", entry.key, paths));
  }
  Exclusion::Condition condition;
  condition.path = entry.key;
  const std::string what = "exclude." + entry.key;
  const bool bound = entry.value.find("below") || entry.value.find("above");
  if (bound) {
    using Type = ParameterKind::Type;
    if (parameter->type != Type::integer && parameter->type != Type::number && parameter->type != Type::tile)
      refuse(entry.value.place,
             fmt::format("{} is a bound, expected a value: {} is no number", what, entry.key));
    const MapReader map(entry.value, what, {"below", "above"});
    if (entry.value.entries.size() != 1)
      refuse(entry.value.place, fmt::format("{} has two bounds, expected below or above", what));
    const auto& [name, place, value] = entry.value.entries[0];
    condition.test = name == "below" ? Exclusion::Condition::Test::below : Exclusion::Condition::Test::above;
    condition.values = {read_number(value, map.path(name), 0, 0)};
  } else if (entry.value.is(YamlNode::Kind::list)) {
    condition.test = Exclusion::Condition::Test::one_of;
    if (entry.value.items.empty())
      refuse(entry.value.place, fmt::format("{} is an empty list, expected one value or more", what));
    for (const YamlNode& item : entry.value.items)
      condition.values.push_back(read_value(*parameter, item, what).value);
  } else {
    condition.values = {read_value(*parameter, entry.value, what).value};
  }
  return condition;
}

}  // namespace

std::vector<std::string> stage_ids(const YamlNode& pipeline) {
  std::vector<std::string> ids;
  std::map<std::string, int> count;
  for (const YamlNode& item : pipeline.items) {
    if (!is_one_key_map(item)) {
      ids.emplace_back();
      continue;
    }
    const auto& [kind, place, parameters] = item.entries[0];
    const int n = ++count[kind];
    const YamlNode* written = parameters.find("id");
    const std::string usual = n == 1 ? kind : fmt::format("{}-{}", kind, n);
    ids.push_back(written && !written->text.empty() ? written->text : usual);
  }
  return ids;
}

std::vector<StageSpec> read_pipeline(const YamlNode& node) {
  require_kind(node, YamlNode::Kind::list, "pipeline", "a list of stages");
  if (node.items.empty()) refuse(node.place, "pipeline is empty, expected one stage or more");
  std::vector<StageSpec> stages;
  ZipGroups groups;
  append_stages(node, groups, stages);
  return stages;
}

std::vector<StageSpec> read_generation(const YamlNode& generate, const YamlNode* pipeline,
                                       std::vector<std::string>& prompts) {
  const StageKind& kind = *find_stage_kind("generate");
  require_kind(generate, YamlNode::Kind::map, kind.name, "a map of checkpoint, prompts, size, ...");
  const YamlNode* written = generate.find("prompts");
  if (written == nullptr)
    refuse(generate.place, "generate has no prompts, expected a list of texts or a file named .txt");
  prompts = read_prompts(*written);
  ZipGroups groups;
  const YamlNode* id = generate.find("id");
  std::vector<StageSpec> stages = {
      read_parameters(kind, generate_parameters(generate, prompts), id ? id->text : kind.name, groups)};
  if (pipeline != nullptr) {
    require_kind(*pipeline, YamlNode::Kind::list, "pipeline", "a list of stages");
    append_stages(*pipeline, groups, stages);
  }
  return stages;
}

std::vector<Exclusion> read_exclusions(const YamlNode& node, const std::vector<StageSpec>& pipeline) {
  require_kind(node, YamlNode::Kind::list, "exclude", "a list of maps, such as [{upscale.model: lanczos}]");
  std::vector<Exclusion> exclusions;
  for (const YamlNode& rule : node.items) {
    require_kind(rule, YamlNode::Kind::map, "a rule of exclude", "a map, such as {upscale.model: lanczos}");
    if (rule.entries.empty())
      refuse(rule.place, "a rule of exclude is empty, expected one condition or more");
    Exclusion exclusion;
    exclusion.text = to_flow(rule);
    for (const auto& entry : rule.entries) exclusion.conditions.push_back(read_condition(entry, pipeline));
    exclusions.push_back(std::move(exclusion));
  }
  return exclusions;
}

}  // namespace upbench
