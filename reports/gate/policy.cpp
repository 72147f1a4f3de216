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

GateLimits read_limits(const MapReader& map, double least) {
  GateLimits limits;
  limits.tolerance = read_number(map.need("tolerance"), map.path("tolerance"), least, kGreatest);
  limits.margin = read_number(map.need("margin"), map.path("margin"), limits.tolerance, kGreatest);
  return limits;
}

void read_metrics(const YamlNode& metrics, GatePolicy& policy) {
  require_kind(metrics, YamlNode::Kind::map, "metrics", "a map");
  for (const auto& [name, place, limits] : metrics.entries)
    policy.metrics.emplace(name,
                           read_limits(MapReader(limits, "metrics." + name, {"tolerance", "margin"}), 0));
}

void read_time(const YamlNode& time, GatePolicy& policy) {
  const MapReader map(time, "time", {"tolerance", "margin", "required"});
  if (map.find("tolerance") || map.find("margin")) policy.time = read_limits(map, 1);
  if (const YamlNode* required = map.find("required"))
    policy.require_time = read_boolean(*required, map.path("required"));
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
  const MapReader map(file, "", {"metrics", "time", "quality", "family_error"}, "the policy");
  if (const YamlNode* metrics = map.find("metrics")) read_metrics(*metrics, policy);
  if (const YamlNode* time = map.find("time")) read_time(*time, policy);
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
