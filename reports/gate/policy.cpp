#include "reports/gate/policy.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

namespace upbench {
namespace {

class Reader {
 public:
  explicit Reader(std::string source) : source_(std::move(source)) {}

  [[noreturn]] void refuse(const YAML::Node& node, const std::string& what) const {
    const YAML::Mark mark = node.Mark();
    throw std::invalid_argument(fmt::format("{}:{}:{}: {}", source_, mark.line + 1, mark.column + 1, what));
  }

  void only(const YAML::Node& map, const std::string& name, const std::vector<std::string>& keys) const {
    if (!map.IsMap()) refuse(map, fmt::format("{}: expected a map", name));
    for (const auto& entry : map) {
      const auto key = entry.first.as<std::string>();
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        refuse(entry.first,
               fmt::format("unknown key '{}' in {}: expected {}", key, name, fmt::join(keys, ", ")));
    }
  }

  double number(const YAML::Node& node, const std::string& name, double least, double most) const {
    double value = 0;
    if (!node.IsScalar() || !YAML::convert<double>::decode(node, value) || !(value >= least && value <= most))
      refuse(node, fmt::format("{}: expected a number from {} to {}", name, least, most));
    return value;
  }

  bool truth(const YAML::Node& node, const std::string& name) const {
    if (!node.IsScalar() || (node.Scalar() != "true" && node.Scalar() != "false"))
      refuse(node, fmt::format("{}: expected true or false", name));
    return node.Scalar() == "true";
  }

  GateLimits limits(const YAML::Node& map, const std::string& name, double least) const {
    GateLimits limits;
    for (const char* key : {"tolerance", "margin"})
      if (!map[key]) refuse(map, fmt::format("{}: {} is missing", name, key));
    limits.tolerance = number(map["tolerance"], name + ".tolerance", least, 1e9);
    limits.margin = number(map["margin"], name + ".margin", limits.tolerance, 1e9);
    return limits;
  }

 private:
  std::string source_;
};

void read_time(const Reader& reader, const YAML::Node& time, GatePolicy& policy) {
  reader.only(time, "time", {"tolerance", "margin", "required"});
  if (time["tolerance"] || time["margin"]) policy.time = reader.limits(time, "time", 1);
  if (time["required"]) policy.require_time = reader.truth(time["required"], "time.required");
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

GatePolicy parse_policy(const std::string& text, const std::string& source) {
  const Reader reader(source);
  YAML::Node file;
  try {
    file = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    throw std::invalid_argument(
        fmt::format("{}:{}:{}: {}", source, error.mark.line + 1, error.mark.column + 1, error.msg));
  }
  GatePolicy policy;
  if (file.IsNull()) return policy;
  reader.only(file, "the policy", {"metrics", "time", "quality", "family_error"});
  if (const YAML::Node metrics = file["metrics"]) {
    if (!metrics.IsMap()) reader.refuse(metrics, "metrics: expected a map");
    for (const auto& entry : metrics) {
      const auto name = entry.first.as<std::string>();
      reader.only(entry.second, name, {"tolerance", "margin"});
      if (!policy.metrics.emplace(name, reader.limits(entry.second, name, 0)).second)
        reader.refuse(entry.first, fmt::format("metric {} is there twice", name));
    }
  }
  if (file["time"]) read_time(reader, file["time"], policy);
  if (const YAML::Node quality = file["quality"]) {
    reader.only(quality, "quality", {"required"});
    if (quality["required"]) policy.require_quality = reader.truth(quality["required"], "quality.required");
  }
  if (file["family_error"])
    policy.family_error = reader.number(file["family_error"], "family_error", 1e-6, 0.5);
  return policy;
}

GatePolicy read_policy(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::invalid_argument(fmt::format("{}: no such policy", file.string()));
  std::ostringstream text;
  text << stream.rdbuf();
  return parse_policy(text.str(), file.string());
}

}  // namespace upbench
