#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/calibration/calibrate.h"
#include "reports/statistics/proportion.h"

namespace upbench {
namespace {

using nlohmann::ordered_json;

constexpr int kCalibrationVersion = 3;  // of the rule, the format and the detectors

ordered_json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::stod(fmt::format("{:.6g}", value));
}

ordered_json count(std::size_t k, std::size_t n) {
  ordered_json json = {{"k", k}, {"n", n}};
  if (n == 0) return json;
  const Interval interval = wilson_interval(k, n);
  json["low"] = number(interval.low);
  json["high"] = number(interval.high);
  return json;
}

ordered_json tiers(const std::array<TierFigures, 3>& figures, const std::array<double, 3>& strengths) {
  ordered_json json = ordered_json::object();
  for (std::size_t tier = 0; tier < figures.size(); ++tier) {
    ordered_json roc = ordered_json::array();
    for (std::size_t i = 0; i < kFalsePositiveRates.size(); ++i)
      roc.push_back({kFalsePositiveRates[i], number(figures[tier].sensitivity_at[i])});
    json[kTierNames[tier]] = {{"strength", number(strengths[tier])},
                              {"auc", number(figures[tier].auc)},
                              {"average_precision", number(figures[tier].average_precision)},
                              {"roc", roc},
                              {"sensitivity", count(figures[tier].found, figures[tier].defective)}};
  }
  return json;
}

ordered_json detector_json(const DetectorFigures& figures) {
  const TierFigures& visible = figures.first[kVisible];
  return {{"detector_version", figures.version},
          {"threshold", figures.threshold},
          {"status", figures.calibrated ? "calibrated" : "experimental"},
          {"sensitivity", count(visible.found, visible.defective)},
          {"specificity", count(figures.passed, figures.clean)},
          {"defect",
           {{"what", figures.first_defect},
            {"unit", figures.strength_unit},
            {"tiers", tiers(figures.first, figures.strengths)}}},
          {"second_defect",
           {{"what", figures.second_defect},
            {"unit", figures.second_strength_unit},
            {"tiers", tiers(figures.second, figures.second_strengths)}}},
          {"false_positives", figures.false_positives}};
}

std::string auc_text(const TierFigures& figures) {
  return std::isnan(figures.auc) ? "-" : fmt::format("{:.3f}", figures.auc);
}

std::string share(std::size_t k, std::size_t n) {
  if (n == 0) return "-";
  const Interval interval = wilson_interval(k, n);
  return fmt::format("{:.1f} % ({}/{}; {:.1f} to {:.1f})",
                     100.0 * static_cast<double>(k) / static_cast<double>(n), k, n, 100 * interval.low,
                     100 * interval.high);
}

std::string strengths_text(const std::array<double, 3>& strengths, const std::string& unit) {
  return fmt::format("{:g}, {:g}, {:g} {}", strengths[0], strengths[1], strengths[2], unit);
}

}  // namespace

ordered_json calibration_json(const CalibrationFigures& figures) {
  const CalibrateOptions& options = figures.options;
  ordered_json file = {{"made_by",
                        {{"seed", options.seed},
                         {"size", options.size},
                         {"tuning", options.tuning},
                         {"held_out", options.held_out},
                         {"real_pictures", !options.real.empty()}}}};
  for (const EvidenceCalibration& calibration : figures.by) {
    ordered_json json = {
        {"version", fmt::format("{}-{}", kCalibrationVersion, to_string(calibration.evidence))},
        {"detectors", ordered_json::object()}};
    for (const DetectorFigures& detector : calibration.detectors)
      json["detectors"][detector.name] = detector_json(detector);
    const DetectorCounts& together = calibration.together;
    json["union"] = {{"sensitivity", count(together.found, together.defective)},
                     {"specificity", count(together.passed, together.clean)}};
    file[std::string(to_string(calibration.evidence))] = std::move(json);
  }
  return file;
}

namespace {

std::string title_of(Evidence evidence) {
  return evidence == Evidence::reference ? "With a reference" : "With the input alone";
}

std::string table_of(const EvidenceCalibration& calibration) {
  const DetectorCounts& together = calibration.together;
  std::string text = fmt::format(
      "**{}.** Any gating detector: sensitivity {}, specificity {}.\n\n"
      "| detector | status | threshold | AUC | AUC, second injector | sensitivity | sensitivity, second | "
      "specificity |\n|---|---|---:|---|---|---|---|---|\n",
      title_of(calibration.evidence), share(together.found, together.defective),
      share(together.passed, together.clean));
  for (const DetectorFigures& detector : calibration.detectors) {
    const auto &first = detector.first, &second = detector.second;
    text += fmt::format(
        "| {} | {} | {:.4g} {} | {} / {} / {} | {} / {} / {} | {} | {} | {} |\n", detector.name,
        detector.calibrated ? "calibrated" : "experimental", detector.threshold, detector.unit,
        auc_text(first[0]), auc_text(first[1]), auc_text(first[2]), auc_text(second[0]), auc_text(second[1]),
        auc_text(second[2]), share(first[kVisible].found, first[kVisible].defective),
        share(second[kVisible].found, second[kVisible].defective), share(detector.passed, detector.clean));
  }
  return text + "\n";
}

}  // namespace

std::string calibration_markdown(const CalibrationFigures& figures) {
  std::string text = fmt::format(
      "Thresholds set on {} pictures, everything else measured on {} others. AUC at the subtle, visible and "
      "severe tier; sensitivity at the visible tier, with Wilson's 95 % interval.\n\n",
      figures.options.tuning, figures.by[0].together.clean);
  for (const EvidenceCalibration& calibration : figures.by) text += table_of(calibration);
  text += "| detector | defect: subtle, visible, severe | second injector |\n|---|---|---|\n";
  for (const DetectorFigures& detector : figures.by[0].detectors)
    text += fmt::format("| {} | {}: {} | {}: {} |\n", detector.name, detector.first_defect,
                        strengths_text(detector.strengths, detector.strength_unit), detector.second_defect,
                        strengths_text(detector.second_strengths, detector.second_strength_unit));
  return text;
}

std::string calibration_values(const CalibrationFigures& figures) {
  std::string text = "evidence\tset\tpicture\tkind\tdefect\ttier\tdetector\tvalue\n";
  for (const CalibrationValue& value : figures.values)
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.6g}\n", to_string(value.evidence), value.set,
                        value.picture, value.kind, value.defect, value.tier, value.detector, value.value);
  return text;
}

}  // namespace upbench
