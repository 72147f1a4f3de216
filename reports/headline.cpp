#include "reports/headline.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "reports/artifact_rates.h"
#include "reports/headline_words.h"
#include "reports/totals.h"

namespace upbench {
namespace {

std::string sizes(const std::vector<ImageRow>& images) {
  std::vector<const ImageRow*> known;  // of the others nobody knows the size
  for (const ImageRow& image : images)
    if (image.input_width > 0) known.push_back(&image);
  if (known.empty()) return images.empty() ? "none" : fmt::format("{}", images.size());
  const auto [least, most] = std::ranges::minmax_element(known, {}, [](const ImageRow* image) {
    return std::int64_t{image->input_width} * image->input_height;
  });
  const std::string low = fmt::format("{}x{}", (*least)->input_width, (*least)->input_height),
                    high = fmt::format("{}x{}", (*most)->input_width, (*most)->input_height);
  return fmt::format("{}, input {}{}", images.size(), low,
                     low == high ? " px" : fmt::format(" to {} px", high));
}

std::string scales(const std::vector<ImageRow>& images) {
  std::set<double> found;
  for (const ImageRow& image : images)
    if (!image.reference.is_zero() && image.input_width > 0)
      found.insert(std::round(static_cast<double>(image.reference_width) / image.input_width * 100) / 100);
  return found.empty() ? "" : fmt::format("x{}", fmt::join(found, ", x"));
}

// A string anywhere in the environment; empty where there is none.
std::string lookup(const nlohmann::json& environment, const char* pointer) {
  const nlohmann::json::json_pointer at(pointer);
  return environment.contains(at) && environment[at].is_string() ? environment[at].get<std::string>() : "";
}

// Where none of the detectors that flag something is calibrated: which they flag most.
std::vector<Sentence> experimental_findings(const Analysis& analysis) {
  constexpr std::size_t kMost = 3;
  std::map<std::string, ArtifactRate> most;  // by detector, of the cell with the greatest share
  const auto share = [](const ArtifactRate& rate) {
    return static_cast<double>(rate.flagged) / static_cast<double>(rate.pictures);
  };
  for (const ArtifactRate& rate : artifact_rates(analysis)) {
    if (!rate.picture_class.empty() || rate.flagged == 0) continue;
    if (rate.gates) return {};
    const auto [known, added] = most.try_emplace(rate.artifact, rate);
    if (!added && share(rate) > share(known->second)) known->second = rate;
  }
  std::vector<ArtifactRate> rates;
  for (const auto& [artifact, rate] : most) rates.push_back(rate);
  std::ranges::stable_sort(rates, std::greater(), share);
  std::vector<std::string> said;
  for (std::size_t i = 0; i < std::min(rates.size(), kMost); ++i)
    said.push_back(fmt::format("{} most often with {} ({} of {} picture{})", rates[i].artifact,
                               analysis.cells[rates[i].cell].name, rates[i].flagged, rates[i].pictures,
                               plural(rates[i].pictures)));
  if (said.empty()) return {};
  return {
      {fmt::format("Artifacts, by detectors whose thresholds are experimental: {}.", fmt::join(said, ", ")),
       "artifacts"}};
}

}  // namespace

Headline make_headline(const Analysis& analysis, const Decisions& decisions) {
  const RunPlan& plan = analysis.data->plan;
  const Totals totals(analysis);
  Headline headline;
  headline.title = plan.run.name.empty() ? "unnamed run" : plan.run.name;
  const nlohmann::json environment = nlohmann::json::parse(plan.environment.json, nullptr, false);
  const auto fact = [&](const char* name, std::string value) {
    if (!value.empty()) headline.facts.emplace_back(name, std::move(value));
  };
  fact("started", plan.run.started_at);
  fact("finished", plan.run.finished_at.empty() && totals.pending == 0 ? ""
                   : plan.run.finished_at.empty()                      ? "not yet"
                                                                       : plan.run.finished_at);
  fact("upbench", lookup(environment, "/upbench"));
  fact("device", lookup(environment, "/device/description").empty()
                     ? lookup(environment, "/device/name")
                     : lookup(environment, "/device/description"));
  fact("pictures", sizes(plan.images));
  fact("scale", scales(plan.images));
  fact("cells", fmt::format("{}", plan.cells.size()));
  fact("trials",
       fmt::format("{} ({} ok, {} failed, {} skipped, {} to do; {} repeat another, {} gave "
                   "another cell's pixels by themselves)",
                   totals.all(), totals.ok, totals.failed, totals.skipped, totals.pending, totals.repeats,
                   std::count_if(analysis.same_pixels.begin(), analysis.same_pixels.end(),
                                 [](std::uint32_t twin) { return twin != kNoTrial; })));
  std::vector<std::string> conventions;
  for (const MetricRow& metric : plan.metrics)
    conventions.push_back(
        fmt::format("{}: {}{}", metric.name, metric.convention,
                    metric.border > 0 ? fmt::format(", {} px border cut", metric.border) : ""));
  fact("conventions", fmt::format("{}", fmt::join(conventions, " · ")));
  if (totals.all() == totals.pending)
    headline.findings.push_back({"No trial has finished.", ""});
  else if (totals.ok == 0)
    headline.findings.push_back({"No trial succeeded.", "failures"});
  const auto add = [](std::vector<Sentence>& to, std::vector<Sentence> sentences) {
    std::ranges::move(sentences, std::back_inserter(to));
  };
  if (totals.all() > totals.pending) {
    add(headline.findings, make_findings(analysis, decisions));
    std::vector<Sentence> artifacts = artifact_findings(analysis);
    add(headline.findings, artifacts.empty() ? experimental_findings(analysis) : std::move(artifacts));
  }
  headline.warnings = make_warnings(analysis, decisions);
  add(headline.warnings, artifact_warnings(analysis));
  return headline;
}

}  // namespace upbench
