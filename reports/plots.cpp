#include "reports/plots.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "reports/render/format.h"
#include "reports/statistics/descriptive.h"
#include "reports/summary.h"

namespace upbench {
namespace {

using nlohmann::json;

constexpr std::size_t kMostCells = 1000;  // points of quality against time
constexpr std::size_t kMostLines = 60;    // cells of a distribution that a reader can tell apart
constexpr std::size_t kMostTicks = 2000;  // pictures of a distribution; above it quantiles
constexpr std::size_t kMostValues = 500;  // values of an axis
constexpr std::size_t kMostGroups = 42;   // 7 colours x 6 shapes
constexpr std::size_t kMostLabels = 12;   // names written beside frontier points

// Okabe and Ito, Color Universal Design (2008): told apart with every common colour blindness. Its black and
// yellow are left out, as they vanish on a dark or white page. Seven colours and six shapes: the pairs repeat
// after 42.
const json kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C"};
const json kShapes = {"circle", "square", "triangle-up", "diamond", "triangle-down", "cross"};

std::string file_name(const std::string& text) {
  std::string name;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_')
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  return name.substr(0, 80);
}

std::string axis_title(const MetricRow& metric) {
  return fmt::format("{}{}, {} is better", clean_text(metric.name),
                     metric.unit.empty() ? "" : " [" + clean_text(metric.unit) + "]",
                     metric.higher_is_better ? "higher" : "lower");
}

json base(const std::string& title, const std::string& subtitle, json rows) {
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v6.json"},
          {"title", {{"text", title}, {"subtitle", subtitle}, {"anchor", "start"}}},
          {"description", title + ". " + subtitle},
          {"width", 520},
          {"data", {{"values", std::move(rows)}}}};
}

json tooltip(std::initializer_list<std::pair<const char*, const char*>> fields) {
  json list = json::array();
  for (const auto& [field, title] : fields) list.push_back({{"field", field}, {"title", title}});
  return list;
}

json quantitative(const char* field, const std::string& title) {
  return {{"field", field},
          {"type", "quantitative"},
          {"title", title},
          {"scale", {{"zero", false}, {"padding", 12}}}};
}

// Decades; over less than two of them also 2 and 5 times each.
json log_ticks(double least, double most) {
  json ticks = json::array();
  for (int decade = static_cast<int>(std::floor(std::log10(least))); std::pow(10.0, decade) <= most * 2;
       ++decade)
    for (const double step : {1.0, 2.0, 5.0})
      if (step == 1.0 || most < 100 * least) ticks.push_back(step * std::pow(10.0, decade));
  return ticks;
}

// A list of names in a given order; Vega-Lite would sort them.
json nominal(const char* field, json order, const std::string& title) {
  return {{"field", field}, {"type", "nominal"}, {"title", title}, {"sort", std::move(order)}};
}

std::string shown(const MetricRow& metric, double value) {
  return fixed(value, metric.decimals) + (metric.unit.empty() ? "" : " " + clean_text(metric.unit));
}

// --- quality against time
// ------------------------------------------------------------------------------------------------

// Of the comparable cells sorted by time, those better than every faster one.
std::vector<std::uint32_t> frontier(const Analysis& analysis, std::size_t m,
                                    const std::vector<std::uint32_t>& cells, double CellFigures::* clock) {
  std::vector<std::uint32_t> sorted;
  for (const std::uint32_t c : cells)
    if (analysis.cells[c].metrics[m].comparable) sorted.push_back(c);
  std::sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
    const CellFigures &left = analysis.cells[a], &right = analysis.cells[b];
    if (left.*clock != right.*clock) return left.*clock < right.*clock;
    return analysis.better(m, left.metrics[m].mean, right.metrics[m].mean);
  });
  std::vector<std::uint32_t> found;
  for (const std::uint32_t c : sorted)
    if (found.empty() ||
        analysis.better(m, analysis.cells[c].metrics[m].mean, analysis.cells[found.back()].metrics[m].mean))
      found.push_back(c);
  return found;
}

std::optional<Plot> quality_against_time(const Analysis& analysis, std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  const bool model = std::any_of(analysis.cells.begin(), analysis.cells.end(),
                                 [](const CellFigures& cell) { return cell.model_seconds > 0; });
  double CellFigures::* const clock = model ? &CellFigures::model_seconds : &CellFigures::sweep_seconds;
  std::vector<std::uint32_t> cells;
  for (const std::uint32_t c : analysis.ranking)
    if (analysis.cells[c].*clock > 0 && std::isfinite(analysis.cells[c].metrics[m].mean)) cells.push_back(c);
  if (cells.empty()) return {};
  const std::size_t without = analysis.cells.size() - cells.size(), kept = std::min(cells.size(), kMostCells),
                    cut = cells.size() - kept;
  cells.resize(kept);
  const std::vector<std::uint32_t> best = frontier(analysis, m, cells, clock);
  const ReportAxis* axis = analysis.naming.empty() ? nullptr : &analysis.axes[analysis.naming.front()];

  json rows = json::array(), groups = json::array();
  for (const std::uint32_t c : cells) {
    const CellFigures& cell = analysis.cells[c];
    const MetricFigures& figures = cell.metrics[m];
    const std::string group = axis ? clean_text(axis_value(*axis, c)) : "";
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    const bool on_frontier = std::count(best.begin(), best.end(), c) > 0;
    rows.push_back(
        {{"cell", clean_text(cell.name)},
         {"group", group},
         {"seconds", cell.*clock},
         {"mean", figures.mean},
         {"shown", shown(metric, figures.mean) +
                       (std::isnan(figures.spread) ? "" : " ± " + shown(metric, figures.spread))},
         {"time", format_value({.id = {}, .title = {}, .kind = Table::Kind::seconds}, cell.*clock)},
         {"n", figures.scored},
         {"frontier", on_frontier}});
  }
  Plot plot;
  plot.name = file_name("quality-vs-time_" + metric.name);
  plot.title = fmt::format("{} against time", clean_text(metric.name));
  plot.caption = fmt::format(
      "One point a cell: mean over pictures, median {} time of a picture. The line joins cells that no "
      "faster cell matches.{}{}",
      model ? "model" : "sweep",
      without > 0 ? fmt::format(" {} without score or time left out.", without) : "",
      cut > 0 ? fmt::format(" The {} lowest ranked are left out.", cut) : "");
  plot.spec = base(plot.title,
                   fmt::format("{} cells, n = {} pictures", cells.size(), analysis.data->plan.images.size()),
                   std::move(rows));
  plot.spec["height"] = 300;
  const auto [least, most] = std::minmax_element(
      cells.begin(), cells.end(),
      [&](std::uint32_t a, std::uint32_t b) { return analysis.cells[a].*clock < analysis.cells[b].*clock; });
  const double shortest = analysis.cells[*least].*clock, longest = analysis.cells[*most].*clock;
  json x = quantitative("seconds", model ? "model time per picture [s]" : "sweep time per picture [s]");
  x["scale"] = {{"type", "log"}, {"nice", false}, {"padding", 24}};
  x["axis"] = {{"values", log_ticks(shortest, longest)}, {"format", "~g"}};
  plot.spec["encoding"] = {{"x", x}, {"y", quantitative("mean", axis_title(metric))}};
  const json on_frontier = {{{"filter", "datum.frontier"}}};
  json points = {
      {"mark", {{"type", "point"}, {"filled", true}, {"size", 90}, {"opacity", 0.9}}},
      {"encoding",
       {{"tooltip",
         tooltip({{"cell", "cell"}, {"shown", "mean ± sd"}, {"time", "time"}, {"n", "pictures"}})}}}};
  if (groups.size() > 1 && groups.size() <= kMostGroups) {
    const std::string title = clean_text(axis->title);
    points["encoding"]["color"] = {{"field", "group"},
                                   {"type", "nominal"},
                                   {"title", title},
                                   {"scale", {{"domain", groups}, {"range", kColours}}}};
    points["encoding"]["shape"] = {{"field", "group"},
                                   {"type", "nominal"},
                                   {"title", title},
                                   {"scale", {{"domain", groups}, {"range", kShapes}}}};
  }
  plot.spec["layer"] = json::array();
  plot.spec["layer"].push_back({{"transform", on_frontier},
                                {"mark",
                                 {{"type", "line"},
                                  {"interpolate", "step-after"},
                                  {"color", "#8C8C8C"},
                                  {"strokeWidth", 1.5},
                                  {"aria", false}}}});
  plot.spec["layer"].push_back(std::move(points));
  // Names grow towards the middle of the plot, so that they stay inside.
  if (best.size() <= kMostLabels)
    for (const bool right : {false, true}) {
      const std::string filter = fmt::format("datum.frontier && datum.seconds {} {}",
                                             right ? ">" : "<=", std::sqrt(shortest * longest));
      plot.spec["layer"].push_back({{"transform", {{{"filter", filter}}}},
                                    {"mark",
                                     {{"type", "text"},
                                      {"align", right ? "right" : "left"},
                                      {"dx", right ? 6 : -6},
                                      {"dy", metric.higher_is_better ? -11 : 15},
                                      {"limit", 280},
                                      {"aria", false}}},
                                    {"encoding", {{"text", {{"field", "cell"}}}}}});
    }
  return plot;
}

// --- response along an axis
// ----------------------------------------------------------------------------------------------

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

// Drawn from the rows of axes_table().
std::optional<Plot> axis_response(const Analysis& analysis, const Table& table, const ReportAxis& axis,
                                  std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  const std::size_t column = 3 + 2 * m;
  json rows = json::array(), order = json::array();
  bool numeric = true;
  std::size_t values = 0, cut = 0;
  for (const Table::Row& row : table.rows) {
    if (row.cells[0].text != axis.title || !row.cells[column].value ||
        !std::isfinite(*row.cells[column].value))
      continue;
    if (++values > kMostValues) {
      ++cut;
      continue;
    }
    const Table::Cell& cell = row.cells[column];
    const std::string value = clean_text(row.cells[1].text);
    numeric = numeric && number(value);
    order.push_back(value);
    const double spread = cell.spread.value_or(0);
    rows.push_back(
        {{"value", value},
         {"mean", *cell.value},
         {"low", *cell.value - spread},
         {"high", *cell.value + spread},
         {"shown", shown(metric, *cell.value) + (cell.spread ? " ± " + shown(metric, spread) : "")}});
    if (const Table::Cell& effect = row.cells[column + 1]; effect.value)
      rows.back()["effect"] = shown(metric, *effect.value);
    else
      rows.back()["effect"] = "–";
  }
  if (values < 2) return {};
  // Two numbers are two settings; three or more are a curve, and its steps may be uneven.
  const bool curve = numeric && values >= 3;
  if (curve)
    for (json& row : rows) row["value"] = *number(row["value"].get<std::string>());
  Plot plot;
  const std::string title = clean_text(axis.title);
  plot.name = file_name(fmt::format("axis_{}_{}", axis.path, metric.name));
  plot.title = fmt::format("{} along {}", clean_text(metric.name), title);
  plot.caption = fmt::format(
      "Mean of all cells with the value; bar: ± one standard deviation over pictures (their difficulty, not "
      "an error of the mean).{}",
      cut > 0 ? fmt::format(" {} values are left out.", cut) : "");
  plot.spec =
      base(plot.title, fmt::format("n = {} pictures", analysis.data->plan.images.size()), std::move(rows));
  const std::string score = axis_title(metric);
  // Numbers run along x as a curve; names stand beside y, where they can be read.
  const char *along = curve ? "x" : "y", *across = curve ? "y" : "x";
  const std::string across_end = std::string(across) + "2";
  json first = curve ? quantitative("value", title) : nominal("value", order, "");
  if (!curve) first["axis"] = {{"labelLimit", 260}, {"grid", true}};
  plot.spec["height"] = curve ? json(220) : json{{"step", 30}};
  plot.spec["encoding"] = {{along, first}};
  plot.spec["layer"] = {
      {{"mark", {{"type", "rule"}, {"color", "#8C8C8C"}, {"strokeWidth", 2}, {"aria", false}}},
       {"encoding", {{across, quantitative("low", score)}, {across_end, {{"field", "high"}}}}}}};
  if (curve)
    plot.spec["layer"].push_back({{"mark", {{"type", "line"}, {"color", "#0072B2"}, {"aria", false}}},
                                  {"encoding", {{across, quantitative("mean", score)}}}});
  plot.spec["layer"].push_back(
      {{"mark", {{"type", "point"}, {"filled", true}, {"size", 80}, {"opacity", 1}, {"color", "#0072B2"}}},
       {"encoding",
        {{across, quantitative("mean", score)},
         {"tooltip", tooltip({{"value", "value"}, {"shown", "mean ± sd"}, {"effect", "Δ to the first"}})}}}});
  return plot;
}

// --- scores of the pictures
// ----------------------------------------------------------------------------------------------

json picture_rows(const Analysis& analysis, const std::vector<std::uint32_t>& cells, std::size_t m) {
  json rows = json::array();
  for (const std::uint32_t c : cells) {
    const MetricFigures& figures = analysis.cells[c].metrics[m];
    for (std::size_t picture = 0; picture < figures.of_picture.size(); ++picture)
      if (const double value = figures.of_picture[picture]; std::isfinite(value))
        rows.push_back({{"cell", clean_text(analysis.cells[c].name)},
                        {"value", value},
                        {"shown", shown(analysis.metric(m), value)},
                        {"picture", clean_text(analysis.data->plan.images[picture].name)}});
  }
  return rows;
}

json quantile_rows(const Analysis& analysis, const std::vector<std::uint32_t>& cells, std::size_t m) {
  json rows = json::array();
  for (const std::uint32_t c : cells) {
    std::vector<double> values = analysis.cells[c].metrics[m].of_picture;
    std::erase_if(values, [](double value) { return !std::isfinite(value); });
    rows.push_back({{"cell", clean_text(analysis.cells[c].name)},
                    {"p5", quantile(values, 0.05)},
                    {"p25", quantile(values, 0.25)},
                    {"value", median(values)},
                    {"p75", quantile(values, 0.75)},
                    {"p95", quantile(values, 0.95)},
                    {"shown", shown(analysis.metric(m), median(values))}});
  }
  return rows;
}

std::optional<Plot> picture_scores(const Analysis& analysis, std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  std::vector<std::uint32_t> cells;
  std::size_t ticks = 0;
  for (const std::uint32_t c : analysis.ranking)
    if (analysis.cells[c].metrics[m].scored > 0) cells.push_back(c);
  const auto mean_of = [&](std::uint32_t c) { return analysis.cells[c].metrics[m].mean; };
  std::stable_sort(cells.begin(), cells.end(), [&](std::uint32_t a, std::uint32_t b) {
    return analysis.better(m, mean_of(a), mean_of(b));
  });
  if (cells.empty()) return {};
  const std::size_t cut = cells.size() - std::min(cells.size(), kMostLines);
  cells.resize(cells.size() - cut);
  json order = json::array(), means = json::array();
  for (const std::uint32_t c : cells) {
    order.push_back(clean_text(analysis.cells[c].name));
    ticks += analysis.cells[c].metrics[m].scored;
    means.push_back({{"cell", clean_text(analysis.cells[c].name)},
                     {"value", mean_of(c)},
                     {"shown", shown(metric, mean_of(c))},
                     {"picture", "mean"}});
  }
  const bool each = ticks <= kMostTicks;
  Plot plot;
  plot.wide = true;
  plot.name = file_name("pictures_" + metric.name);
  plot.title = fmt::format("{} of each picture", clean_text(metric.name));
  plot.caption =
      fmt::format("{}{}",
                  each ? "Tick: one picture; diamond: mean."
                       : "Line: 5 % to 95 % of the pictures; bar: 25 % to 75 %; tick: median; diamond: mean.",
                  cut > 0 ? fmt::format(" The {} cells with the lowest rank are left out.", cut) : "");
  plot.spec = base(plot.title,
                   fmt::format("{} cells, n = {} pictures, best mean on top", cells.size(),
                               analysis.data->plan.images.size()),
                   each ? picture_rows(analysis, cells, m) : quantile_rows(analysis, cells, m));
  plot.spec["height"] = {{"step", 22}};
  json y = nominal("cell", order, "");
  y["axis"] = {{"labelLimit", 360}, {"grid", true}};
  plot.spec["encoding"] = {{"y", y}};
  const std::string x = axis_title(metric);
  json layers = json::array();
  if (!each) {
    layers.push_back({{"mark", {{"type", "rule"}, {"color", "#8C8C8C"}, {"aria", false}}},
                      {"encoding", {{"x", quantitative("p5", x)}, {"x2", {{"field", "p95"}}}}}});
    layers.push_back({{"mark", {{"type", "bar"}, {"height", 8}, {"color", "#56B4E9"}, {"aria", false}}},
                      {"encoding", {{"x", quantitative("p25", x)}, {"x2", {{"field", "p75"}}}}}});
  }
  layers.push_back(
      {{"mark", {{"type", "tick"}, {"thickness", 2}, {"color", "#0072B2"}, {"opacity", 0.65}}},
       {"encoding",
        {{"x", quantitative("value", x)},
         {"tooltip", each ? tooltip({{"cell", "cell"}, {"picture", "picture"}, {"shown", "score"}})
                          : tooltip({{"cell", "cell"}, {"shown", "median"}})}}}});
  layers.push_back(
      {{"data", {{"values", means}}},
       {"mark",
        {{"type", "point"}, {"shape", "diamond"}, {"filled", true}, {"size", 70}, {"color", "#D55E00"}}},
       {"encoding",
        {{"x", quantitative("value", x)}, {"tooltip", tooltip({{"cell", "cell"}, {"shown", "mean"}})}}}});
  plot.spec["layer"] = std::move(layers);
  return plot;
}

}  // namespace

std::vector<Plot> make_plots(const Analysis& analysis) {
  std::vector<Plot> plots;
  const auto add = [&](std::optional<Plot> plot) {
    if (!plot) return;
    const auto taken = std::count_if(plots.begin(), plots.end(),
                                     [&](const Plot& other) { return other.name == plot->name; });
    if (taken > 0) plot->name += fmt::format("_{}", plots.size());
    plots.push_back(std::move(*plot));
  };
  const std::size_t metrics = analysis.data->plan.metrics.size();
  for (std::size_t m = 0; m < metrics; ++m) add(quality_against_time(analysis, m));
  const Table axes = axes_table(analysis);
  for (const ReportAxis& axis : analysis.axes)
    if (axis.varies())
      for (std::size_t m = 0; m < metrics; ++m) add(axis_response(analysis, axes, axis, m));
  for (std::size_t m = 0; m < metrics; ++m) add(picture_scores(analysis, m));
  return plots;
}

}  // namespace upbench
