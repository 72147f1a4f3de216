#include "reports/gate/policy.h"

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "datasets/codec/decode.h"
#include "harness/spec/read.h"
#include "harness/spec/yaml.h"

namespace upbench {
namespace {

constexpr double kGreatest = 1e9;

GateLimits read_limits(const MapReader& map, double least, double greatest = kGreatest) {
  GateLimits limits;
  limits.tolerance = read_number(map.need("tolerance"), map.path("tolerance"), least, greatest);
  limits.margin = read_number(map.need("margin"), map.path("margin"), limits.tolerance, greatest);
  return limits;
}

std::map<std::string, GateLimits> read_named_limits(const YamlNode& map, const std::string& what,
                                                    double greatest = kGreatest) {
  require_kind(map, YamlNode::Kind::map, what, "a map");
  std::map<std::string, GateLimits> named;
  for (const auto& [name, place, limits] : map.entries)
    named.emplace(name,
                  read_limits(MapReader(limits, what + "." + name, {"tolerance", "margin"}), 0, greatest));
  return named;
}

void read_artifacts(const YamlNode& node, GatePolicy& policy) {
  const MapReader map(node, "artifacts", {"tolerance", "margin", "required", "detectors"});
  if (map.find("tolerance") || map.find("margin")) policy.artifacts = read_limits(map, 0, 1);
  if (const YamlNode* required = map.find("required"))
    policy.require_artifacts = read_boolean(*required, map.path("required"));
  if (const YamlNode* detectors = map.find("detectors"))
    policy.detectors = read_named_limits(*detectors, map.path("detectors"), 1);
}

// Of time and memory.
void read_ratio(const YamlNode& node, const char* what, GateLimits& limits, bool& require) {
  const MapReader map(node, what, {"tolerance", "margin", "required"});
  if (map.find("tolerance") || map.find("margin")) limits = read_limits(map, 1);
  if (const YamlNode* required = map.find("required"))
    require = read_boolean(*required, map.path("required"));
}

bool is_all(const YamlNode& node) {
  return node.is(YamlNode::Kind::scalar) && node.text == "all";
}

GatePolicy::Patterns read_patterns(const YamlNode& node, const std::string& what,
                                   std::string_view expected = "a list of cells") {
  require_kind(node, YamlNode::Kind::list, what, expected);
  GatePolicy::Patterns patterns;
  for (const YamlNode& item : node.items) patterns.push_back(read_text(item, what));
  return patterns;
}

void read_require(const YamlNode& node, GatePolicy& policy) {
  const MapReader map(node, "require", {"cells", "pictures"});
  if (const YamlNode* cells = map.find("cells"); cells && !is_all(*cells)) {
    constexpr const char* kExpected = "all, or a list of at least one cell";
    policy.required_cells = read_patterns(*cells, map.path("cells"), kExpected);
    if (policy.required_cells.empty())
      refuse(cells->place, fmt::format("{} is empty, expected {}", map.path("cells"), kExpected));
  }
  if (const YamlNode* pictures = map.find("pictures"); pictures && !is_all(*pictures))
    policy.required_pictures = static_cast<std::size_t>(
        read_integer(*pictures, map.path("pictures") + " (all, or a number)", 1, 1'000'000'000));
}

void read_allow(const YamlNode& node, GatePolicy& policy) {
  const MapReader map(node, "allow", {"skipped", "failed", "not_run"});
  if (const YamlNode* skipped = map.find("skipped"))
    policy.may_skip = read_patterns(*skipped, map.path("skipped"));
  if (const YamlNode* failed = map.find("failed"))
    policy.may_fail = read_patterns(*failed, map.path("failed"));
  if (const YamlNode* not_run = map.find("not_run"))
    policy.may_not_run = read_boolean(*not_run, map.path("not_run"));
}

}  // namespace

GateLimits limits_of(const GatePolicy& policy, const MetricRow& metric, double base_mean) {
  if (const auto found = policy.metrics.find(metric.name); found != policy.metrics.end())
    return found->second;
  if (metric.unit == "dB") return {0.01, 0.05};
  if (metric.name.starts_with("ssim")) return {0.0002, 0.001};
  if (metric.name.starts_with("lpips")) return {0.0005, 0.002};
  return {0.001 * std::abs(base_mean), 0.005 * std::abs(base_mean)};
}

GatePolicy parse_policy(std::string_view text, const std::string& source) {
  const YamlNode file =
      parse_yaml(text, std::make_shared<YamlSource>(YamlSource{.name = source, .directory = {}}));
  GatePolicy policy;
  if (file.is(YamlNode::Kind::null)) return policy;
  const MapReader map(
      file, "", {"metrics", "time", "memory", "artifacts", "quality", "family_error", "require", "allow"},
      "the policy");
  if (const YamlNode* metrics = map.find("metrics")) policy.metrics = read_named_limits(*metrics, "metrics");
  if (const YamlNode* artifacts = map.find("artifacts")) read_artifacts(*artifacts, policy);
  if (const YamlNode* time = map.find("time")) read_ratio(*time, "time", policy.time, policy.require_time);
  if (const YamlNode* memory = map.find("memory"))
    read_ratio(*memory, "memory", policy.memory, policy.require_memory);
  if (const YamlNode* require = map.find("require")) read_require(*require, policy);
  if (const YamlNode* allow = map.find("allow")) read_allow(*allow, policy);
  if (const YamlNode* quality = map.find("quality")) {
    const MapReader inner(*quality, "quality", {"required"});
    if (const YamlNode* required = inner.find("required"))
      policy.require_quality = read_boolean(*required, inner.path("required"));
  }
  if (const YamlNode* error = map.find("family_error"))
    policy.family_error = read_number(*error, map.path("family_error"), 1e-6, 0.5);
  return policy;
}

GatePolicy read_policy(const std::filesystem::path& file) {
  const std::vector<std::uint8_t> bytes = read_bytes(file);
  return parse_policy({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

}  // namespace upbench
