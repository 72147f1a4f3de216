#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/gate/side.h"

namespace upbench {
namespace {

using nlohmann::json;

constexpr char kSchema[] = "upbench-baseline-1";

json score_json(const GateSide::Score& score) {
  if (score.flag == ValueFlag::ok) return score.value;
  return std::string(to_string(score.flag));
}

GateSide::Score parse_score(const json& value) {
  if (value.is_number()) return {value.get<double>(), ValueFlag::ok};
  const auto text = value.get<std::string>();
  for (const ValueFlag flag : {ValueFlag::inf, ValueFlag::undefined, ValueFlag::skipped, ValueFlag::failed})
    if (text == to_string(flag))
      return {flag == ValueFlag::inf ? std::numeric_limits<double>::infinity() : 0, flag};
  throw std::invalid_argument(fmt::format("'{}' is no score", text));
}

Status parse_status(const std::string& text) {
  for (const Status status : {Status::ok, Status::failed, Status::skipped})
    if (text == to_string(status)) return status;
  throw std::invalid_argument(fmt::format("'{}' is no status", text));
}

json metric_json(const MetricRow& metric) {
  return {
      {"name", metric.name},        {"unit", metric.unit},     {"convention", metric.convention},
      {"version", metric.version},  {"border", metric.border}, {"higher_is_better", metric.higher_is_better},
      {"decimals", metric.decimals}};
}

MetricRow parse_metric_row(const json& value) {
  return {.name = value.at("name"),
          .unit = value.at("unit"),
          .convention = value.at("convention"),
          .higher_is_better = value.at("higher_is_better"),
          .version = value.at("version"),
          .border = value.at("border"),
          .decimals = value.at("decimals")};
}

json decisions_json(const GateSide::Trial& trial, const std::vector<GateSide::Detector>& detectors) {
  json decisions = json::object();
  for (std::size_t i = 0; i < std::min(detectors.size(), trial.decisions.size()); ++i)
    if (trial.decisions[i]) decisions[detectors[i].name] = *trial.decisions[i];
  return decisions;
}

// Decisions of detectors that the file does not list are left out, as any key that is not known.
std::vector<std::optional<bool>> parse_decisions(const json& decisions,
                                                 const std::vector<GateSide::Detector>& detectors) {
  std::vector<std::optional<bool>> parsed(detectors.size());
  for (std::size_t i = 0; i < detectors.size(); ++i)
    if (const auto found = decisions.find(detectors[i].name); found != decisions.end())
      parsed[i] = found->get<bool>();
  return parsed;
}

json trial_json(const GateSide::Key& key, const GateSide::Trial& trial,
                const std::vector<GateSide::Detector>& detectors) {
  json value = {{"cell", std::get<0>(key)},
                {"picture", std::get<1>(key)},
                {"seed", std::get<2>(key)},
                {"status", to_string(trial.status)}};
  if (!trial.reason.empty()) value["reason"] = trial.reason;
  if (!trial.pixels.empty()) value["pixels"] = trial.pixels;
  value["scores"] = json::array();
  for (const GateSide::Score& score : trial.scores) value["scores"].push_back(score_json(score));
  if (json decisions = decisions_json(trial, detectors); !decisions.empty())
    value["decisions"] = std::move(decisions);
  if (!trial.model_seconds.empty()) value["model_seconds"] = trial.model_seconds;
  if (trial.peak_bytes > 0) value["peak_bytes"] = trial.peak_bytes;
  return value;
}

// A list with one element a line.
std::string lines(const char* name, const std::vector<json>& elements) {
  std::string text = fmt::format("  \"{}\": [\n", name);
  for (std::size_t i = 0; i < elements.size(); ++i)
    text += fmt::format("    {}{}\n", elements[i].dump(), i + 1 < elements.size() ? "," : "");
  return text + "  ]";
}

GateSide read(const json& file) {
  if (file.at("schema") != kSchema)
    throw std::invalid_argument(
        fmt::format("schema {}: this program reads {}", file["schema"].dump(), kSchema));
  GateSide side;
  side.run = file.at("run");
  side.environment = file.at("environment");
  for (const json& metric : file.at("metrics")) side.metrics.push_back(parse_metric_row(metric));
  for (const json& detector : file.value("detectors", json::array()))
    side.detectors.push_back({detector.at("name"), detector.at("version"), detector.at("calibrated"),
                              detector.value("calibration", "")});
  for (const json& cell : file.at("cells")) side.cells.push_back({cell.at("label"), cell.at("settings")});
  for (const json& picture : file.at("pictures"))
    side.pictures.push_back({picture.at("name"), picture.at("reference"), picture.value("input", "")});
  for (const json& value : file.at("trials")) {
    const GateSide::Key key{value.at("cell"), value.at("picture"), value.at("seed")};
    GateSide::Trial trial{
        .finished = true, .status = parse_status(value.at("status")), .reason = value.value("reason", "")};
    trial.pixels = value.value("pixels", "");
    for (const json& score : value.at("scores")) trial.scores.push_back(parse_score(score));
    trial.decisions = parse_decisions(value.value("decisions", json::object()), side.detectors);
    trial.model_seconds = value.value("model_seconds", std::vector<double>{});
    const json peak = value.value("peak_bytes", json(0u));
    if (!peak.is_number_unsigned())
      throw std::invalid_argument("trial " + value.dump() + ": peak_bytes is no number of bytes");
    trial.peak_bytes = peak.get<std::uint64_t>();
    if (std::get<0>(key) >= side.cells.size() || std::get<1>(key) >= side.pictures.size() ||
        trial.scores.size() != side.metrics.size())
      throw std::invalid_argument("trial " + value.dump() +
                                  " names a cell, picture or number of scores that there is not");
    if (!side.trials.emplace(key, std::move(trial)).second)
      throw std::invalid_argument("trial " + value.dump() + " is there twice");
  }
  return side;
}

}  // namespace

std::string baseline_text(const GateSide& side) {
  std::vector<json> metrics, detectors, cells, pictures, trials;
  for (const MetricRow& metric : side.metrics) metrics.push_back(metric_json(metric));
  for (const GateSide::Detector& detector : side.detectors) {
    detectors.push_back(
        {{"name", detector.name}, {"version", detector.version}, {"calibrated", detector.calibrated}});
    if (!detector.calibration.empty()) detectors.back()["calibration"] = detector.calibration;
  }
  for (const GateSide::Cell& cell : side.cells)
    cells.push_back({{"label", cell.label}, {"settings", cell.settings}});
  for (const GateSide::Picture& picture : side.pictures) {
    pictures.push_back({{"name", picture.name}, {"reference", picture.reference}});
    if (!picture.input.empty()) pictures.back()["input"] = picture.input;
  }
  for (const auto& [key, trial] : side.trials)
    if (trial.finished) trials.push_back(trial_json(key, trial, side.detectors));
  return fmt::format(
      "{{\n  \"schema\": \"{}\",\n  \"run\": {},\n  \"environment\": {},\n{},\n{}{},\n{},\n{}\n}}\n", kSchema,
      json(side.run).dump(), side.environment.dump(), lines("metrics", metrics),
      detectors.empty() ? "" : lines("detectors", detectors) + ",\n", lines("cells", cells),
      lines("pictures", pictures), lines("trials", trials));
}

GateSide parse_baseline(const std::string& text, const std::string& source) {
  try {
    GateSide side = read(json::parse(text));
    side.source = source;
    return side;
  } catch (const json::exception& error) {
    throw std::invalid_argument(fmt::format("{}: no baseline ({})", source, error.what()));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", source, error.what()));
  }
}

}  // namespace upbench
