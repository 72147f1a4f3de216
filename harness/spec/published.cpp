#include "harness/spec/published.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/spec/names.h"
#include "harness/spec/read.h"

namespace upbench {
namespace {

constexpr double kMostScore = 1e9;  // beyond any metric's range

// Cells are told apart by swept parameters and by models; others are no part of their labels.
std::vector<const Axis*> labelled_axes(const std::vector<StageSpec>& pipeline) {
  std::vector<const Axis*> axes;
  for (const StageSpec& stage : pipeline)
    for (const Axis& axis : stage.parameters)
      if (axis.swept || axis.path.ends_with(".model")) axes.push_back(&axis);
  return axes;
}

std::pair<std::string, std::string> read_place(const YamlNode::Entry& entry,
                                               const std::vector<const Axis*>& axes) {
  std::vector<std::string> paths;
  for (const Axis* axis : axes) {
    paths.push_back(axis->path);
    if (axis->path != entry.key) continue;
    std::string label = read_text(entry.value, entry.key);
    if (std::find(axis->labels.begin(), axis->labels.end(), label) == axis->labels.end())
      refuse(entry.value.place, unknown_name("value of " + entry.key, label, axis->labels));
    return {entry.key, std::move(label)};
  }
  refuse(entry.place, unknown_name("axis", entry.key, paths));
}

Published read_entry(const YamlNode& node, const std::vector<const Axis*>& axes,
                     const std::vector<std::string>& metrics) {
  std::vector<std::string> keys{"where", "source"};
  keys.insert(keys.end(), metrics.begin(), metrics.end());
  const MapReader map(node, "published", keys);
  Published published;
  const YamlNode& where = map.need("where");
  require_kind(where, YamlNode::Kind::map, map.path("where"), "a map, such as {upscale.model: lanczos}");
  for (const YamlNode::Entry& entry : where.entries) published.where.push_back(read_place(entry, axes));
  if (published.where.empty()) refuse(where.place, "published.where is empty, expected one axis or more");
  published.source = read_text(map.need("source"), map.path("source"));
  for (const std::string& metric : metrics)
    if (const YamlNode* value = map.find(metric))
      published.scores.emplace_back(metric, read_number(*value, map.path(metric), -kMostScore, kMostScore));
  if (published.scores.empty())
    refuse(node.place,
           fmt::format("published has no number here, expected one for {}", fmt::join(metrics, ", ")));
  return published;
}

}  // namespace

std::vector<Published> read_published(const YamlNode& node, const std::vector<StageSpec>& pipeline,
                                      const std::vector<std::string>& metrics) {
  require_kind(node, YamlNode::Kind::list, "published",
               "a list, such as [{where: {upscale.model: net}, psnr-y: 32.1, source: a paper}]");
  const std::vector<const Axis*> axes = labelled_axes(pipeline);
  std::vector<Published> all;
  for (const YamlNode& item : node.items) all.push_back(read_entry(item, axes, metrics));
  return all;
}

nlohmann::json published_json(const std::vector<Published>& published) {
  nlohmann::json list = nlohmann::json::array();
  for (const Published& one : published)
    list.push_back({{"where", one.where}, {"scores", one.scores}, {"source", one.source}});
  return list;
}

}  // namespace upbench
