#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/artifact_rates.h"
#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostLines = 40;  // that a reader can tell apart

using Rates = std::vector<const ArtifactRate*>;

std::string percent(double share) {
  return fmt::format("{:.3g} %", 100 * share);
}

json rate_row(const std::string& line, const ArtifactRate& rate) {
  const double share = static_cast<double>(rate.flagged) / static_cast<double>(rate.pictures);
  return {{"line", line},
          {"rate", share},
          {"low", rate.interval.low},
          {"high", rate.interval.high},
          {"flagged", rate.flagged},
          {"n", rate.pictures},
          {"shown", fmt::format("{} [{}, {}]", percent(share), percent(rate.interval.low),
                                percent(rate.interval.high))}};
}

json rate_axis(const char* field) {
  json x = vl::quantitative(field, "share of pictures that are flagged");
  x["scale"] = {{"domain", {0, 1}}};
  x["axis"] = {{"format", ".0%"}};
  return x;
}

// One line a rate, in the given order.
Plot rates_plot(std::string title, const std::string& subtitle, const std::vector<std::string>& names,
                const Rates& rates) {
  json rows = json::array(), order = json::array();
  for (std::size_t i = 0; i < rates.size(); ++i) {
    rows.push_back(rate_row(names[i], *rates[i]));
    if (std::count(order.begin(), order.end(), names[i]) == 0) order.push_back(names[i]);
  }
  Plot plot{.name = {}, .title = std::move(title), .caption = {}, .wide = true, .spec = {}};
  plot.spec = vl::frame(plot.title, subtitle, std::move(rows));
  plot.spec["height"] = {{"step", 24}};
  json y = vl::nominal("line", order, "");
  y["axis"] = {{"labelLimit", 360}, {"grid", true}};
  plot.spec["encoding"] = {{"y", y}};
  json& layers = plot.spec["layer"];
  layers.push_back({{"mark", {{"type", "rule"}, {"color", vl::kGrey}, {"strokeWidth", 2}, {"aria", false}}},
                    {"encoding", {{"x", rate_axis("low")}, {"x2", {{"field", "high"}}}}}});
  layers.push_back(
      {{"mark", {{"type", "point"}, {"filled", true}, {"size", 80}, {"opacity", 1}, {"color", vl::kRed}}},
       {"encoding",
        {{"x", rate_axis("rate")},
         {"tooltip", vl::tooltip({{"line", "cell"},
                                  {"shown", "rate, 95 % interval"},
                                  {"flagged", "flagged"},
                                  {"n", "of pictures"}})}}}});
  return plot;
}

std::string pictures_text(const Rates& rates) {
  const auto [least, most] = std::ranges::minmax_element(rates, {}, &ArtifactRate::pictures);
  return (*least)->pictures == (*most)->pictures
             ? fmt::format("n = {} pictures", (*least)->pictures)
             : fmt::format("n = {} to {} pictures", (*least)->pictures, (*most)->pictures);
}

Plot by_cell(const Analysis& analysis, const std::string& artifact, Rates rates) {
  const std::size_t cut = rates.size() - std::min(rates.size(), kMostLines);
  rates.resize(rates.size() - cut);
  std::vector<std::string> names;
  for (const ArtifactRate* rate : rates) names.push_back(clean_text(analysis.cells[rate->cell].name));
  const bool gates = rates.front()->gates;
  Plot plot = rates_plot(fmt::format("How often: {}", clean_text(artifact)),
                         fmt::format("{}{}, best cell by the first metric on top", pictures_text(rates),
                                     gates ? "" : ", experimental detector"),
                         names, rates);
  plot.name = vl::file_name("artifacts_" + artifact);
  plot.caption =
      fmt::format("Point: share of the cell's pictures that are flagged; bar: Wilson's 95 % interval.{}",
                  cut > 0 ? fmt::format(" The {} lowest ranked cells are left out.", cut) : "");
  return plot;
}

// The classes of pictures, each with its cells.
Plot by_class(const Analysis& analysis, const std::string& artifact, Rates rates) {
  const std::size_t cut = rates.size() - std::min(rates.size(), kMostLines);
  rates.resize(rates.size() - cut);
  std::vector<std::string> names;
  for (const ArtifactRate* rate : rates)
    names.push_back(clean_text(rate->picture_class) + " · " + clean_text(analysis.cells[rate->cell].name));
  Plot plot = rates_plot(fmt::format("How often by class of picture: {}", clean_text(artifact)),
                         fmt::format("{} a class", pictures_text(rates)), names, rates);
  plot.name = vl::file_name("artifact-classes_" + artifact);
  plot.caption =
      fmt::format("Point: share of the pictures of a class that are flagged; bar: Wilson's 95 % interval.{}",
                  cut > 0 ? fmt::format(" {} lines of cells further down are left out.", cut) : "");
  return plot;
}

}  // namespace

std::vector<Plot> plot_artifact_rates(const Analysis& analysis) {
  const std::vector<ArtifactRate> rates = artifact_rates(analysis);
  std::vector<std::string> artifacts;  // as they come
  std::map<std::string, std::size_t> flagged;
  for (const ArtifactRate& rate : rates) {
    if (std::ranges::find(artifacts, rate.artifact) == artifacts.end()) artifacts.push_back(rate.artifact);
    flagged[rate.artifact] += rate.flagged;
  }
  std::vector<std::size_t> place(analysis.cells.size());
  for (std::size_t i = 0; i < analysis.ranking.size(); ++i) place[analysis.ranking[i]] = i;
  std::vector<Plot> plots;
  std::vector<std::string> never;
  for (const std::string& artifact : artifacts) {
    if (flagged[artifact] == 0 && artifact != kAnyArtifact) {
      never.push_back(clean_text(artifact));
      continue;
    }
    Rates all, of_class;
    for (const ArtifactRate& rate : rates)
      if (rate.artifact == artifact) (rate.picture_class.empty() ? all : of_class).push_back(&rate);
    const auto by_rank = [&](const ArtifactRate* rate) { return place[rate->cell]; };
    std::ranges::stable_sort(all, {}, by_rank);
    std::ranges::stable_sort(of_class, {}, by_rank);
    if (!all.empty()) plots.push_back(by_cell(analysis, artifact, std::move(all)));
    if (!of_class.empty()) plots.push_back(by_class(analysis, artifact, std::move(of_class)));
  }
  if (!plots.empty() && !never.empty())
    plots.front().caption += fmt::format(" No picture is flagged by: {}.", fmt::join(never, ", "));
  return plots;
}

}  // namespace upbench
