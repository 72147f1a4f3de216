#include "reports/headline.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "reports/render/format.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

constexpr std::size_t kFewPictures = 20;  // below this a mean of differences says little about other pictures

const char* plural(std::size_t n, const char* one = "", const char* many = "s") {
  return n == 1 ? one : many;
}

std::string with_unit(const MetricRow& metric, double value) {
  if (std::isinf(value)) return "∞";
  return fixed(value, metric.decimals) + (metric.unit.empty() ? "" : " " + metric.unit);
}

std::string names(const Analysis& analysis, const std::vector<std::uint32_t>& cells) {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < std::min<std::size_t>(cells.size(), 3); ++i)
    list.push_back(analysis.cells[cells[i]].name);
  if (cells.size() > 3) list.push_back(fmt::format("{} more", cells.size() - 3));
  return fmt::format("{}", fmt::join(list, ", "));
}

bool is_best(const Analysis& analysis, std::size_t m, std::uint32_t cell) {
  return std::count(analysis.best[m].begin(), analysis.best[m].end(), cell) > 0;
}

// The best comparable cell that `fits`; kNoValue for none.
std::uint32_t next_best(const Analysis& analysis, std::size_t m, auto fits) {
  std::uint32_t found = kNoValue;
  for (std::uint32_t c = 0; c < analysis.cells.size(); ++c) {
    const MetricFigures& figures = analysis.cells[c].metrics[m];
    if (!figures.comparable || !fits(c)) continue;
    if (found == kNoValue || analysis.better(m, figures.mean, analysis.cells[found].metrics[m].mean))
      found = c;
  }
  return found;
}

// "lanczos, 0.31 dB behind on average and beaten on 4 of 5 pictures"
std::string behind(const Analysis& analysis, std::size_t m, std::uint32_t first, std::uint32_t second) {
  const MetricRow& metric = analysis.metric(m);
  const CellFigures& cell = analysis.cells[second];
  const std::vector<double> differences =
      paired_differences(cell.metrics[m], analysis.cells[first].metrics[m]);
  if (differences.empty())
    return fmt::format("{} with {}", cell.name, with_unit(metric, cell.metrics[m].mean));
  const auto wins = std::count_if(differences.begin(), differences.end(),
                                  [&](double d) { return analysis.better(m, d, 0.0); });
  return fmt::format("{}, {} behind on average and beaten on {} of {} picture{}", cell.name,
                     with_unit(metric, std::abs(mean(differences))), wins, differences.size(),
                     plural(differences.size()));
}

std::string finding(const Analysis& analysis, std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  const std::vector<std::uint32_t>& best = analysis.best[m];
  if (best.empty()) {
    const auto scored =
        std::count_if(analysis.cells.begin(), analysis.cells.end(),
                      [&](const CellFigures& cell) { return !std::isnan(cell.metrics[m].mean); });
    if (scored == 0) return fmt::format("{}: no score.", metric.name);
    if (scored > 1)
      return fmt::format(
          "{}: fewer than two cells scored all the pictures that any cell scored, so none is called best.",
          metric.name);
    const auto& only =
        *std::find_if(analysis.cells.begin(), analysis.cells.end(),
                      [&](const CellFigures& cell) { return !std::isnan(cell.metrics[m].mean); });
    return fmt::format("{}: {} has {} (mean of {} picture{}); nothing to compare it with.", metric.name,
                       only.name, with_unit(metric, only.metrics[m].mean), only.metrics[m].scored,
                       plural(only.metrics[m].scored));
  }
  const CellFigures& first = analysis.cells[best.front()];
  const MetricFigures& figures = first.metrics[m];
  std::string text = best.size() == 1
                         ? fmt::format("{}: {} is best with a mean of {}", metric.name, first.name,
                                       with_unit(metric, figures.mean))
                         : fmt::format("{}: {} cells share the best mean of {}: {}", metric.name, best.size(),
                                       with_unit(metric, figures.mean), names(analysis, best));
  const std::uint32_t second =
      next_best(analysis, m, [&](std::uint32_t c) { return !is_best(analysis, m, c); });
  if (second == kNoValue) return text + ".";
  text += "; next is " + behind(analysis, m, best.front(), second);
  // Where the next is the same model with another tile, the reader wants to know the next model as well.
  const ReportAxis& axis = analysis.axes[analysis.naming.front()];
  const auto is_other = [&](std::uint32_t c) {
    return std::none_of(best.begin(), best.end(),
                        [&](std::uint32_t b) { return axis.of_cell[b] == axis.of_cell[c]; });
  };
  if (is_other(second)) return text + ".";
  const std::uint32_t other = next_best(analysis, m, is_other);
  return other == kNoValue ? text + "."
                           : text + fmt::format("; the next {} is {}.", axis.title,
                                                behind(analysis, m, best.front(), other));
}

std::string fastest(const Analysis& analysis) {
  const auto by = [&](double CellFigures::* clock) {
    std::uint32_t found = kNoValue;
    for (std::uint32_t c = 0; c < analysis.cells.size(); ++c)
      if (!std::isnan(analysis.cells[c].*clock) &&
          (found == kNoValue || analysis.cells[c].*clock < analysis.cells[found].*clock))
        found = c;
    return found;
  };
  const Table::Column column{.id = {}, .title = {}, .kind = Table::Kind::seconds};
  const auto sentence = [&](std::uint32_t cell, double seconds, const char* clock) {
    return fmt::format("Fastest: {} with {} a picture ({}).", analysis.cells[cell].name,
                       format_value(column, seconds), clock);
  };
  if (const std::uint32_t c = by(&CellFigures::model_seconds); c != kNoValue)
    return sentence(c, analysis.cells[c].model_seconds, "model time, median");
  if (const std::uint32_t c = by(&CellFigures::sweep_seconds); c != kNoValue)
    return sentence(c, analysis.cells[c].sweep_seconds, "sweep time, median; model time was not measured");
  return {};
}

struct Totals {
  explicit Totals(const Analysis& analysis) {
    for (const CellFigures& cell : analysis.cells) {
      ok += cell.ok;
      failed += cell.failed;
      skipped += cell.skipped;
      pending += cell.pending;
      repeats += cell.repeats;
      for (const MetricFigures& figures : cell.metrics) infinite += figures.infinite;
    }
  }
  std::size_t all() const { return ok + failed + skipped + pending; }
  std::size_t ok = 0, failed = 0, skipped = 0, pending = 0, repeats = 0, infinite = 0;
};

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

std::vector<std::string> make_warnings(const Analysis& analysis, const Totals& totals) {
  const RunPlan& plan = analysis.data->plan;
  std::vector<std::string> warnings = analysis.data->warnings;
  const std::size_t n = plan.images.size();
  if (totals.pending > 0)
    warnings.push_back(fmt::format("The run is not finished: {} of {} trials are still to do.",
                                   totals.pending, totals.all()));
  if (totals.failed > 0)
    warnings.push_back(
        fmt::format("{} of {} trials failed; see “Failed and skipped trials”.", totals.failed, totals.all()));
  if (totals.skipped > 0)
    warnings.push_back(fmt::format("{} of {} trials were skipped.", totals.skipped, totals.all()));
  if (n > 0 && n < kFewPictures)
    warnings.push_back(
        fmt::format("Only {} picture{}: small differences may not hold for others (fewer than {}).", n,
                    plural(n), kFewPictures));
  for (const auto& [cells, metrics] : partial_cells(analysis))
    warnings.push_back(fmt::format(
        "{}: {} did not score every picture (failed, missing or infinite); shown, but not called best.",
        fmt::join(metrics, ", "), names(analysis, cells)));
  if (totals.infinite > 0)
    warnings.push_back(
        fmt::format("{} infinite score{} (output identical to the reference) left out of the means.",
                    totals.infinite, plural(totals.infinite)));
  for (std::string& warning : copied_models(analysis)) warnings.push_back(std::move(warning));
  for (std::string& warning : mixed_borders(plan.metrics)) warnings.push_back(std::move(warning));
  const auto unusable = std::count_if(plan.images.begin(), plan.images.end(),
                                      [](const ImageRow& image) { return !image.problem.empty(); });
  if (unusable > 0)
    warnings.push_back(
        fmt::format("{} of {} pictures cannot be used; see “Notes on pictures”.", unusable, n));
  const auto unreferenced = std::count_if(plan.images.begin(), plan.images.end(), [](const ImageRow& image) {
    return image.reference.is_zero() && image.problem.empty();
  });
  if (unreferenced > 0)
    warnings.push_back(fmt::format(
        "{} of {} pictures have no reference: metrics that need one were skipped there.", unreferenced, n));
  return warnings;
}

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

}  // namespace

Headline make_headline(const Analysis& analysis) {
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
    headline.findings.push_back("No trial has finished.");
  else if (totals.ok == 0)
    headline.findings.push_back("No trial succeeded.");
  if (totals.all() > totals.pending)
    for (std::size_t m = 0; m < plan.metrics.size(); ++m) headline.findings.push_back(finding(analysis, m));
  if (std::string speed = fastest(analysis); !speed.empty()) headline.findings.push_back(std::move(speed));
  headline.warnings = make_warnings(analysis, totals);
  return headline;
}

}  // namespace upbench
