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

// As `read` gives it; what is wrong with the file as std::invalid_argument.
template <class Read>
auto checked(std::string_view text, std::string_view source, Read read_it) {
  try {
    return read_it(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    throw std::invalid_argument(
        fmt::format("{}: {}; expected version, and for each of detectors its detector_version, threshold and "
                    "status",
                    source, error.what()));
  }
}

}  // namespace

Evidence evidence_of(const Subject& subject) {
  return subject.reference != nullptr ? Evidence::reference : Evidence::input;
}

std::string_view to_string(Evidence evidence) {
  return evidence == Evidence::reference ? "reference" : "input";
}

Calibration parse_calibration(std::string_view text, std::string_view source) {
  Calibration calibration =
      checked(text, source, [&](const nlohmann::json& file) { return read(file, source); });
  calibration.text = text;
  return calibration;
}

Calibrations parse_calibrations(std::string_view text, std::string_view source) {
  return checked(text, source, [&](const nlohmann::json& file) {
    const auto part = [&](Evidence evidence) {
      Calibration calibration = read(file.at(to_string(evidence)), source);
      calibration.text = file.at(to_string(evidence)).dump(2);
      return calibration;
    };
    return Calibrations{part(Evidence::reference), part(Evidence::input)};
  });
}

std::string_view embedded_calibrations_text() {
  return {upbench_artifact_calibration, upbench_artifact_calibration_end};
}

const Calibrations& embedded_calibrations() {
  static const Calibrations calibrations =
      parse_calibrations(embedded_calibrations_text(), "the embedded calibration");
  return calibrations;
}

ArtifactVerdict decide(const Detector& detector, const Detection& detection, const Calibration& calibration) {
  const auto found = calibration.thresholds.find(detector.name);
  if (!detection.missing.empty() || found == calibration.thresholds.end() || std::isnan(detection.value))
    return {};
  const Threshold& threshold = found->second;
  return {.decision = detection.value > threshold.value ? Decision::flagged : Decision::clean,
          .threshold = threshold.value,
          .gates = threshold.gates && threshold.detector_version == detector.version &&
                   detection.uncalibrated.empty()};
}

}  // namespace upbench
