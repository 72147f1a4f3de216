#include "harness/calibration/labels.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace upbench {
namespace {

using nlohmann::ordered_json;

// Judgements, weighted, of one detector.
struct Judged {
  double flagged_defective = 0, defective = 0, passed_clean = 0, clean = 0;
  std::size_t labels_defective = 0, labels_clean = 0;

  void add(bool flagged, bool is_defective, double weight) {
    (is_defective ? defective : clean) += weight;
    if (is_defective && flagged) flagged_defective += weight;
    if (!is_defective && !flagged) passed_clean += weight;
    ++(is_defective ? labels_defective : labels_clean);
  }
};

// The share, as a count of so many labels.
ordered_json count(double part, double whole, std::size_t labels) {
  const double share = whole > 0 ? part / whole : 0;
  return {{"k", static_cast<std::size_t>(std::llround(share * static_cast<double>(labels)))}, {"n", labels}};
}

void write(ordered_json& target, const Judged& judged) {
  target["sensitivity"] = count(judged.flagged_defective, judged.defective, judged.labels_defective);
  target["specificity"] = count(judged.passed_clean, judged.clean, judged.labels_clean);
}

// One picture, as the union sees it.
struct Picture {
  bool flagged = false, defective = false;
  double weight = 0;
};

bool is_accepted(const ordered_json& label) {
  const auto said = label.at("label").get<std::string>();
  if (said != "accept" && said != "reject")
    throw std::invalid_argument(fmt::format("label '{}'; expected accept or reject", said));
  return said == "accept";
}

// The calibration that the labels' decisions were made by: of a file with several the one of that version.
ordered_json& calibration_of(ordered_json& file, const ordered_json& label) {
  if (file.contains("detectors")) return file;
  const auto version = label.value("calibration", "");
  for (auto& [name, calibration] : file.items())
    if (calibration.is_object() && calibration.value("version", "") == version) return calibration;
  throw std::invalid_argument(
      fmt::format("a label of calibration '{}', which is not this program's", version));
}

struct Labelled {
  std::map<std::string, Judged> detectors;
  std::map<std::string, Picture> pictures;
};

void add(Labelled& labelled, const ordered_json& calibration, const ordered_json& label) {
  const auto detector = label.at("detector").get<std::string>();
  const bool flagged = label.at("flagged").get<bool>(), accepted = is_accepted(label);
  const double weight = label.value("weight", 1.0);
  if (!(weight > 0 && std::isfinite(weight)))
    throw std::invalid_argument(fmt::format("a label of weight {}; expected more than 0", weight));
  if (!calibration.at("detectors").contains(detector))
    throw std::invalid_argument(fmt::format("a label of detector '{}', which is not calibrated", detector));
  labelled.detectors[detector].add(flagged, accepted, weight);
  if (calibration["detectors"][detector].at("status") != "calibrated") return;
  Picture& picture = labelled.pictures[label.at("output").get<std::string>()];
  picture.flagged |= flagged;
  picture.defective |= accepted;
  picture.weight = picture.weight == 0 ? weight : std::min(picture.weight, weight);
}

void write(ordered_json& calibration, const Labelled& labelled) {
  for (const auto& [name, judged] : labelled.detectors) write(calibration["detectors"][name], judged);
  Judged together;
  for (const auto& [output, picture] : labelled.pictures)
    together.add(picture.flagged, picture.defective, picture.weight);
  if (!labelled.pictures.empty()) write(calibration["union"], together);
  calibration["version"] = calibration.at("version").get<std::string>() + "+labels";
}

std::string merged(std::string_view calibrations, std::string_view labels) {
  ordered_json file = ordered_json::parse(calibrations);
  const ordered_json list = ordered_json::parse(labels).at("labels");
  std::map<ordered_json*, Labelled> labelled;
  for (const ordered_json& label : list) {
    ordered_json& calibration = calibration_of(file, label);
    add(labelled[&calibration], calibration, label);
  }
  if (labelled.empty()) throw std::invalid_argument("it holds no label");
  for (const auto& [calibration, of] : labelled) write(*calibration, of);
  return file.dump(2) + "\n";
}

}  // namespace

std::string calibration_with_labels(std::string_view calibration, std::string_view labels,
                                    std::string_view source) {
  try {
    return merged(calibration, labels);
  } catch (const std::exception& error) {
    throw std::invalid_argument(fmt::format(
        "{}: {}; expected the labels that the page of `upbench review` exports", source, error.what()));
  }
}

}  // namespace upbench
