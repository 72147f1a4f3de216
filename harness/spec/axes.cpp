#include "harness/spec/axes.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench {
namespace {

constexpr std::int64_t kMostValues = 100'000;  // of one axis
constexpr double kWeightTolerance = 1e-6;      // 1/3 written with six digits still sums to 1

TypedValue read_chain(const YamlNode& parts, const std::string& what) {
  require_kind(parts, YamlNode::Kind::list, what, "a list of models, applied in order");
  if (parts.items.size() < 2)
    refuse(parts.place, fmt::format("{} has {} models, expected two or more", what, parts.items.size()));
  TypedValue chain{.value = {{"chain", nlohmann::json::array()}}, .label = {}};
  for (const YamlNode& part : parts.items) {
    const std::string name = read_text(part, what);
    chain.value["chain"].push_back(name);
    chain.label += (chain.label.empty() ? "" : "+") + name;
  }
  return chain;
}

TypedValue read_blend(const YamlNode& parts, const std::string& what) {
  require_kind(parts, YamlNode::Kind::map, what, "a map from model to weight");
  if (parts.entries.size() < 2)
    refuse(parts.place, fmt::format("{} has {} models, expected two or more", what, parts.entries.size()));
  TypedValue blend{.value = {{"blend", nlohmann::json::object()}}, .label = {}};
  double sum = 0;
  for (const auto& entry : parts.entries) {
    const double weight = read_number(entry.value, fmt::format("{}.{}", what, entry.key), -10, 10);
    sum += weight;
    blend.value["blend"][entry.key] = weight;
    blend.label += fmt::format("{}{}{}", blend.label.empty() ? "" : "+", entry.value.text, entry.key);
  }
  if (std::abs(sum - 1) > kWeightTolerance)
    refuse(parts.place, fmt::format("the weights of {} sum to {}, expected 1", what, sum));
  return blend;
}

TypedValue read_model(const YamlNode& node, std::string_view what) {
  if (!node.is(YamlNode::Kind::map)) {
    require_kind(node, YamlNode::Kind::scalar, what,
                 "a model: a name, {chain: [a, b]} or {blend: {a: 0.5, b: 0.5}}");
    const std::string name = read_text(node, what);
    if (name.starts_with('~')) read_path(node, what);  // says why it is refused
    return {name, name};
  }
  const MapReader map(node, std::string(what), {"chain", "blend"});
  if (node.entries.size() != 1)
    refuse(node.place,
           fmt::format("{} is a map of {} keys, expected one of chain, blend", what, node.entries.size()));
  const YamlNode* chain = map.find("chain");
  return chain ? read_chain(*chain, map.path("chain")) : read_blend(map.need("blend"), map.path("blend"));
}

// Keys of a tile map and their bounds. Those beside `size` stand for the stage's parameters of the same name.
struct TileKey {
  const char* name;
  std::int64_t least, most;
};
constexpr TileKey kTileKeys[] = {{"size", 16, 65536}, {"overlap", 0, 65536}, {"context", 0, 65536}};

TypedValue read_tile(const ParameterKind& kind, const YamlNode& node, std::string_view what) {
  const auto least = static_cast<std::int64_t>(kind.least), most = static_cast<std::int64_t>(kind.most);
  if (node.is(YamlNode::Kind::scalar) && node.text == "none") return {"none", "none"};
  if (!node.is(YamlNode::Kind::map)) {
    const std::string expected =
        fmt::format("none, a whole number from {} to {}, or {{size, overlap, context, mode}}", least, most);
    const bool digits = node.is(YamlNode::Kind::scalar) && !node.quoted &&
                        node.text.find_first_not_of("0123456789") == std::string::npos;
    if (!digits) refuse(node.place, fmt::format("{} is {}, expected {}", what, describe(node), expected));
    const std::int64_t size = read_integer(node, what, least, most);
    return {size, node.text};
  }
  const MapReader map(node, std::string(what), {"size", "overlap", "context", "mode"});
  map.need("size");
  TypedValue tile{.value = nlohmann::json::object(), .label = {}};
  for (const TileKey& key : kTileKeys) {
    const YamlNode* value = map.find(key.name);
    if (!value) continue;
    tile.value[key.name] = read_integer(*value, map.path(key.name), key.least, key.most);
    tile.label += tile.label.empty() ? value->text : fmt::format(" {}={}", key.name, value->text);
  }
  if (const YamlNode* mode = map.find("mode")) {
    tile.value["mode"] = read_choice(*mode, map.path("mode"), kind.choices);
    tile.label += " mode=" + mode->text;
  }
  return tile;
}

TypedValue read_size(const YamlNode& node, std::string_view what) {
  const std::string text = read_text(node, what);
  const std::size_t cross = text.find('x');
  int sides[2] = {0, 0};
  if (cross != std::string::npos) {
    for (int i : {0, 1}) {
      YamlNode side = node;
      side.quoted = false;
      side.text = i == 0 ? text.substr(0, cross) : text.substr(cross + 1);
      sides[i] = static_cast<int>(read_integer(side, what, 1, 65536));
    }
    return {fmt::format("{}x{}", sides[0], sides[1]), text};
  }
  refuse(node.place, fmt::format("{} is {}, expected WIDTHxHEIGHT, such as 640x480", what, describe(node)));
}

std::int64_t scaled(Decimal value, int places, const YamlNode& node, std::string_view what) {
  for (; value.places < places; ++value.places) {
    if (std::abs(value.digits) > 100'000'000'000'000'000)
      refuse(node.place, fmt::format("{} has too many digits, expected at most 15", what));
    value.digits *= 10;
  }
  return value.digits;
}

void append_value(Axis& axis, TypedValue value, const YamlPlace& place) {
  axis.values.push_back(std::move(value.value));
  axis.labels.push_back(std::move(value.label));
  axis.locations.push_back(place.text());
}

void append_values(Axis& axis, const ParameterKind& kind, const YamlNode& node) {
  if (!is_range(node)) return append_value(axis, read_value(kind, node, axis.path), node.place);
  if (kind.type != ParameterKind::Type::integer && kind.type != ParameterKind::Type::number &&
      kind.type != ParameterKind::Type::tile)
    refuse(node.place, fmt::format("{} is a range, expected written values: it takes no numbers", axis.path));
  YamlNode value = node;
  value.kind = YamlNode::Kind::scalar;
  value.entries.clear();
  for (std::string& text : read_range(node, axis.path)) {
    value.text = std::move(text);
    append_value(axis, read_value(kind, value, axis.path), node.place);
  }
}

// A label is what a report and a comparison know a cell by, so two equal ones may not exist.
void refuse_repeats(const Axis& axis, const YamlNode& node) {
  std::map<std::string, std::string> seen;  // value or label -> label
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    const bool fresh_value = seen.try_emplace("value " + axis.values[i].dump(), axis.labels[i]).second;
    const bool fresh_label = seen.try_emplace("label " + axis.labels[i], axis.labels[i]).second;
    if (!fresh_value || !fresh_label)
      refuse(node.place,
             fmt::format("{} has {} twice, expected different values", axis.path, axis.labels[i]));
  }
}

void append_list(Axis& axis, const ParameterKind& kind, const YamlNode& list) {
  if (list.items.empty())
    refuse(list.place, fmt::format("{} is an empty list, expected one value or more", axis.path));
  for (const YamlNode& item : list.items) append_values(axis, kind, item);
}

}  // namespace

TypedValue read_value(const ParameterKind& kind, const YamlNode& node, std::string_view what) {
  if (kind.may_be_none && node.is(YamlNode::Kind::scalar) && node.text == "none") return {"none", "none"};
  switch (kind.type) {
    case ParameterKind::Type::integer: {
      const auto value = read_integer(node, what, static_cast<std::int64_t>(kind.least),
                                      static_cast<std::int64_t>(kind.most));
      return {value, node.text};
    }
    case ParameterKind::Type::number:
      return {read_number(node, what, kind.least, kind.most), node.text};
    case ParameterKind::Type::boolean:
      return {read_boolean(node, what), node.text};
    case ParameterKind::Type::choice:
      return {read_choice(node, what, kind.choices), node.text};
    case ParameterKind::Type::model:
      return read_model(node, what);
    case ParameterKind::Type::checkpoint: {
      const std::string name = read_text(node, what);
      if (name.starts_with('~')) read_path(node, what);  // says why it is refused
      return {name, name};
    }
    case ParameterKind::Type::tile:
      return read_tile(kind, node, what);
    case ParameterKind::Type::size:
      return read_size(node, what);
    case ParameterKind::Type::text:
      break;
  }
  return {read_text(node, what), node.text};
}

bool is_range(const YamlNode& node) {
  return node.is(YamlNode::Kind::map) && (node.find("from") || node.find("to") || node.find("step"));
}

std::vector<std::string> read_range(const YamlNode& node, std::string_view what) {
  const MapReader map(node, std::string(what), {"from", "to", "step"});
  const Decimal ends[] = {read_decimal(map.need("from"), map.path("from")),
                          read_decimal(map.need("to"), map.path("to")),
                          read_decimal(map.need("step"), map.path("step"))};
  const int places = std::max({ends[0].places, ends[1].places, ends[2].places});
  const std::int64_t from = scaled(ends[0], places, node, what), to = scaled(ends[1], places, node, what),
                     step = scaled(ends[2], places, node, what);
  if (step <= 0)
    refuse(map.need("step").place,
           fmt::format("{} is '{}', expected more than 0", map.path("step"), to_text(ends[2])));
  if (to < from)
    refuse(map.need("to").place, fmt::format("{} is below from, expected from <= to", map.path("to")));
  const std::int64_t count = (to - from) / step + 1;
  if (count > kMostValues)
    refuse(node.place, fmt::format("{} has {} values, expected at most {}", what, count, kMostValues));
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < count; ++i)
    texts.push_back(to_text({.digits = from + i * step, .places = places}));
  return texts;
}

int ZipGroups::add(const std::string& name, std::size_t length, const YamlNode& node, std::string_view path) {
  const auto [entry, fresh] =
      groups_.try_emplace(name, Group{static_cast<int>(groups_.size()), length, std::string(path)});
  if (entry->second.length != length)
    refuse(node.place, fmt::format("{} has {} values in its zip, expected {} as in {}", path, length,
                                   entry->second.length, entry->second.first));
  return entry->second.number;
}

Axis read_axis(const ParameterKind& kind, const YamlNode& node, const std::string& path, ZipGroups& groups) {
  Axis axis;
  axis.path = path;
  if (node.is(YamlNode::Kind::list)) {
    append_list(axis, kind, node);
    axis.swept = true;
  } else if (node.is(YamlNode::Kind::map) && node.find("zip")) {
    const MapReader map(node, path, {"zip", "group"});
    const YamlNode& list = map.need("zip");
    require_kind(list, YamlNode::Kind::list, map.path("zip"), "a list");
    append_list(axis, kind, list);
    const YamlNode* group = map.find("group");
    axis.zip = groups.add(group ? read_text(*group, map.path("group")) : "", axis.values.size(), node, path);
    axis.swept = true;
  } else {
    append_values(axis, kind, node);
    axis.swept = is_range(node);
  }
  if (axis.zip < 0)
    refuse_repeats(axis, node);  // zipped axes may repeat a value: the other axes of the group differ
  return axis;
}

Axis default_axis(const ParameterKind& kind, const std::string& path) {
  Axis axis;
  axis.path = path;
  axis.values = {kind.default_value};
  axis.labels = {kind.default_value.is_string() ? kind.default_value.get<std::string>()
                 : kind.default_value.is_null() ? ""
                                                : kind.default_value.dump()};
  axis.locations = {""};
  return axis;
}

}  // namespace upbench
