#include "metrics/artifacts/calibration.h"

#include <cmath>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

extern "C" const char upbench_artifact_calibration[], upbench_artifact_calibration_end[];

namespace upbench {
namespace {

CalibrationCount count_of(const nlohmann::json& object, const char* name, std::string_view where) {
  if (!object.contains(name)) return {};
  const nlohmann::json& count = object.at(name);
  const CalibrationCount result{count.at("k").get<std::uint64_t>(), count.at("n").get<std::uint64_t>()};
  if (result.k > result.n)
    throw std::invalid_argument(fmt::format("{}: {} is {} of {}", where, name, result.k, result.n));
  return result;
}

Threshold threshold_of(const nlohmann::json& object, const std::string& where) {
  const auto status = object.at("status").get<std::string>();
  if (status != "calibrated" && status != "experimental")
    throw std::invalid_argument(
        fmt::format("{}: status '{}'; expected calibrated or experimental", where, status));
  return {.value = object.at("threshold").get<double>(),
          .detector_version = object.at("detector_version").get<int>(),
          .gates = status == "calibrated",
          .sensitivity = count_of(object, "sensitivity", where),
          .specificity = count_of(object, "specificity", where)};
}

Calibration read(const nlohmann::json& file, std::string_view source) {
  Calibration calibration{.version = file.at("version").get<std::string>()};
  for (const auto& [name, object] : file.at("detectors").items())
    calibration.thresholds.emplace(name, threshold_of(object, fmt::format("{}: {}", source, name)));
  if (file.contains("union")) {
    const std::string where = fmt::format("{}: union", source);
    calibration.union_sensitivity = count_of(file.at("union"), "sensitivity", where);
    calibration.union_specificity = count_of(file.at("union"), "specificity", where);
  }
  return calibration;
}

}  // namespace

Calibration parse_calibration(std::string_view text, std::string_view source) {
  try {
    Calibration calibration = read(nlohmann::json::parse(text), source);
    calibration.text = text;
    return calibration;
  } catch (const nlohmann::json::exception& error) {
    throw std::invalid_argument(
        fmt::format("{}: {}; expected version, and for each of detectors its detector_version, threshold and "
                    "status",
                    source, error.what()));
  }
}

const Calibration& embedded_calibration() {
  static const Calibration calibration = parse_calibration(
      {upbench_artifact_calibration, upbench_artifact_calibration_end}, "the embedded calibration");
  return calibration;
}

Verdict decide(const Detector& detector, const Detection& detection, const Calibration& calibration) {
  const auto found = calibration.thresholds.find(detector.name);
  if (!detection.missing.empty() || found == calibration.thresholds.end() || std::isnan(detection.value))
    return {};
  const Threshold& threshold = found->second;
  return {.decision = detection.value > threshold.value ? Decision::flagged : Decision::clean,
          .threshold = threshold.value,
          .gates = threshold.gates && threshold.detector_version == detector.version};
}

}  // namespace upbench
