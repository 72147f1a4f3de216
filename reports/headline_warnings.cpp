// What limits the findings, each with the table that shows it.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "reports/headline.h"
#include "reports/headline_words.h"
#include "reports/totals.h"

namespace upbench {
namespace {

constexpr std::size_t kFewPictures = 20;  // below this a mean of differences says little about other pictures
constexpr double kUnsteady = 0.05;        // median absolute deviation over median

// Variants of one metric that cut different borders are easily taken for each other.
std::vector<std::string> mixed_borders(const std::vector<MetricRow>& metrics) {
  std::map<std::string, std::set<int>> borders;
  for (const MetricRow& metric : metrics)
    borders[metric.name.substr(0, metric.name.find('@'))].insert(metric.border);
  std::vector<std::string> warnings;
  for (const auto& [name, values] : borders)
    if (values.size() > 1)
      warnings.push_back(
          fmt::format("{} was scored with different borders ({} px): those columns are not comparable.", name,
                      fmt::join(values, ", ")));
  return warnings;
}

// Cells whose mean rests on other pictures than the rest -> the metrics for which just these do.
std::map<std::vector<std::uint32_t>, std::vector<std::string>> partial_cells(const Analysis& analysis) {
  std::map<std::vector<std::uint32_t>, std::vector<std::string>> partial;
  for (std::size_t m = 0; m < analysis.data->plan.metrics.size(); ++m) {
    std::vector<std::uint32_t> cells;
    for (std::uint32_t c = 0; c < analysis.cells.size(); ++c)
      if (const MetricFigures& figures = analysis.cells[c].metrics[m];
          !std::isnan(figures.mean) && !figures.comparable)
        cells.push_back(c);
    if (!cells.empty()) partial[cells].push_back(analysis.metric(m).name);
  }
  return partial;
}

bool models_differ(const CellRow& a, const CellRow& b) {
  for (std::size_t i = 0; i < std::min(a.label.size(), b.label.size()); ++i)
    if (a.label[i].first.ends_with(".model") && a.label[i] != b.label[i]) return true;
  return false;
}

// Two models that agree in every pixel of every picture are hardly two models.
std::vector<std::string> copied_models(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t>
      equal;  // by cell and the cell it agrees with
  for (std::size_t t = 0; t < data.trials.size(); ++t)
    if (const std::uint32_t twin = analysis.same_pixels[t]; twin != kNoTrial)
      ++equal[{data.trials[t].cell, data.trials[twin].cell}];
  std::vector<std::string> warnings;
  for (const auto& [cells, count] : equal) {
    const CellFigures& cell = analysis.cells[cells.first];
    if (count != cell.ok - cell.repeats ||
        !models_differ(data.plan.cells[cells.first], data.plan.cells[cells.second]))
      continue;
    warnings.push_back(
        fmt::format("{} gave the very pixels of {} on every picture: one may be a copy of the other.",
                    cell.name, analysis.cells[cells.second].name));
  }
  return warnings;
}

// Timed trials that the measurement itself doubts or that vary much, and what disturbed their sessions.
std::vector<std::string> unsteady_clock(const RunData& data) {
  std::size_t timed = 0, doubtful = 0;
  for (const RunData::Trial& trial : data.trials) {
    if (trial.model_time == 0 || trial.same_as != kNoTrial) continue;
    const ModelTime& time = data.model_times[trial.model_time];
    ++timed;
    doubtful += !time.flags.empty() || time.mad > kUnsteady * trial.model_seconds;
  }
  std::vector<std::string> warnings;
  if (doubtful > 0)
    warnings.push_back(fmt::format("{} of {} model times are doubtful (flagged, or spread above {:.0f} %).",
                                   doubtful, timed, 100 * kUnsteady));
  std::set<std::string> causes;
  for (const auto& [session, facts] : data.timing_sessions) {
    const nlohmann::json parsed = nlohmann::json::parse(facts, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("flags") || !parsed["flags"].is_array()) continue;
    for (const nlohmann::json& flag : parsed["flags"])
      if (flag.is_string()) causes.insert(flag.get<std::string>());
  }
  if (!causes.empty())
    warnings.push_back(
        fmt::format("The clock was disturbed while model time was measured: {}.", fmt::join(causes, "; ")));
  return warnings;
}

void add_trials(const Analysis& analysis, std::vector<Sentence>& warnings) {
  const Totals totals(analysis);
  if (totals.pending > 0)
    warnings.push_back({fmt::format("The run is not finished: {} of {} trials are still to do.",
                                    totals.pending, totals.all()),
                        "trials"});
  if (totals.failed > 0)
    warnings.push_back({fmt::format("{} of {} trials failed.", totals.failed, totals.all()), "failures"});
  if (totals.skipped > 0)
    warnings.push_back(
        {fmt::format("{} of {} trials were skipped.", totals.skipped, totals.all()), "failures"});
  for (const auto& [cells, metrics] : partial_cells(analysis))
    warnings.push_back(
        {fmt::format(
             "{}: {} did not score every picture (failed, missing or infinite); shown, but not called best.",
             fmt::join(metrics, ", "), names(analysis, cells)),
         totals.failed + totals.skipped > 0 ? "failures" : "missing"});
  if (totals.infinite > 0)
    warnings.push_back(
        {fmt::format("{} infinite score{} (output identical to the reference) left out of the means.",
                     totals.infinite, plural(totals.infinite)),
         "trials"});
}

void add_pictures(const std::vector<ImageRow>& images, std::vector<Sentence>& warnings) {
  const std::size_t n = images.size();
  if (n > 0 && n < kFewPictures)
    warnings.push_back(
        {fmt::format("Only {} picture{}: small differences may not hold for others (fewer than {}).", n,
                     plural(n), kFewPictures),
         "comparison"});
  const auto unusable =
      std::ranges::count_if(images, [](const ImageRow& image) { return !image.problem.empty(); });
  if (unusable > 0)
    warnings.push_back({fmt::format("{} of {} pictures cannot be used.", unusable, n), "notes"});
  const auto unreferenced = std::ranges::count_if(
      images, [](const ImageRow& image) { return image.reference.is_zero() && image.problem.empty(); });
  if (unreferenced > 0)
    warnings.push_back(
        {fmt::format("{} of {} pictures have no reference: metrics that need one were skipped there.",
                     unreferenced, n),
         "missing"});
}

}  // namespace

std::vector<Sentence> make_warnings(const Analysis& analysis, const Decisions& decisions) {
  const RunPlan& plan = analysis.data->plan;
  std::vector<Sentence> warnings;
  const auto add = [&](std::vector<std::string> texts, const char* evidence) {
    for (std::string& text : texts) warnings.push_back({std::move(text), evidence});
  };
  add(analysis.data->warnings, "environment");
  add_trials(analysis, warnings);
  add_pictures(plan.images, warnings);
  add(copied_models(analysis), "same-pixels");
  add(mixed_borders(plan.metrics), "conventions");
  add(unsteady_clock(*analysis.data), "model_time");
  if (std::ranges::any_of(decisions.verdicts,
                          [](const Verdict& verdict) { return verdict.contenders.size() > 1; }) &&
      decisions.verdicts.size() > 5)
    warnings.push_back(
        {fmt::format("{} metrics were asked: at 5 % each, one of them may well be wrong about its winner.",
                     decisions.verdicts.size()),
         "agreement"});
  return warnings;
}

}  // namespace upbench
