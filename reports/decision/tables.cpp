#include "reports/decision/tables.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench {
namespace {

constexpr std::size_t kMostRows = 1000;

using Kind = Table::Kind;

Table::Column column(std::string id, std::string title, Kind kind = Kind::text, int decimals = 4) {
  return {.id = std::move(id), .title = std::move(title), .kind = kind, .decimals = decimals};
}

Table::Column with_interval(Table::Column made) {
  made.interval = true;
  return made;
}

void add_capped(Table& table, std::vector<Table::Cell> cells) {
  if (table.rows.size() < kMostRows)
    table.add({.cells = std::move(cells)});
  else
    ++table.left_out;
}

Table::Cell count_cell(std::size_t count) {
  return value_cell(static_cast<double>(count));
}

Table::Cell in_digits(Table::Cell cell, const MetricRow& metric) {
  cell.decimals = metric.decimals;
  return cell;
}

// In the metric's own direction.
double own(const Analysis& analysis, std::size_t metric, double turned) {
  return analysis.metric(metric).higher_is_better ? turned : -turned;
}

std::string cell_names(const Analysis& analysis, const std::vector<std::uint32_t>& cells) {
  std::vector<std::string> names;
  for (const std::uint32_t cell : cells) names.push_back(analysis.cells[cell].name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string axis_name(const Analysis& analysis, const SweetSpot& spot) {
  return analysis.axes[spot.axis].title + (spot.over_sigma ? " (start sigma)" : "");
}

std::string standing_text(const Verdict& verdict, std::size_t i) {
  const Rival& rival = verdict.contenders[i].rival;
  if (rival.worse) return "worse";
  const bool best = verdict.is_settled();
  if (i == 0) return best ? "best" : "best mean";
  if (rival.equal) return best ? "best (equal)" : "equal to the best mean";
  if (verdict.contenders[i].same)
    return best ? "best (equal to within the margin)" : "equal to within the margin";
  return "not told from it";
}

void add_comparisons(Table& table, const Analysis& analysis, const Verdict& verdict) {
  const MetricRow& metric = analysis.metric(verdict.metric);
  for (std::size_t i = 0; i < verdict.contenders.size(); ++i) {
    const auto& [cell, rival, same] = verdict.contenders[i];
    Table::Cell mean = in_digits(value_cell(analysis.cells[cell].metrics[verdict.metric].mean), metric);
    mean.best = verdict.tells_anything() && verdict.leads(i);
    Table::Cell rank = value_cell(rival.standing.rank);
    rank.interval = rival.standing.ranks;
    rank.decimals = rival.standing.rank == std::floor(rival.standing.rank) ? 0 : 1;  // equals share a rank
    const bool itself = i == 0;
    const auto unless_itself = [&](const Table::Cell& shown) { return itself ? Table::Cell{} : shown; };
    add_capped(table,
               {text_cell(metric.name), text_cell(analysis.cells[cell].name), count_cell(verdict.pictures),
                mean, rank, value_cell(rival.standing.best_share),
                unless_itself(in_digits(estimate_cell(rival.behind), metric)),
                unless_itself(value_cell(rival.p_adjusted)), unless_itself(count_cell(rival.wins)),
                unless_itself(optional_cell(rival.standardised)), text_cell(standing_text(verdict, i))});
  }
}

}  // namespace

Table comparison_table(const Analysis& analysis, const Decisions& decisions) {
  Table table{
      .id = "comparison", .title = "Compared with the best", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "Paired by picture. Rank with the interval and share of first places over resampled pictures; mean "
      "distance to the cell with the best mean, with its 95 % bootstrap interval; p: Wilcoxon signed rank, "
      "adjusted for all pairs of cells of the metric (Holm, Shaffer); pictures on which the best is better; "
      "effect: mean "
      "over standard deviation of the distance. Worse: p at most 0.05 and interval above 0.";
  table.columns = {column("metric", "metric"),
                   column("cell", "cell"),
                   column("n", "n", Kind::count),
                   column("mean", "mean", Kind::number),
                   with_interval(column("rank", "rank", Kind::number, 0)),
                   column("first_places", "first places", Kind::ratio, 0),
                   with_interval(column("behind", "behind the best", Kind::number)),
                   column("p", "p", Kind::number),
                   column("beaten_on", "beaten on", Kind::count),
                   column("effect", "effect", Kind::number, 2),
                   column("verdict", "verdict")};
  for (const Verdict& verdict : decisions.verdicts) add_comparisons(table, analysis, verdict);
  return table;
}

Table classes_table(const Analysis& analysis, const Decisions& decisions) {
  Table table{.id = "classes", .title = "By class of picture", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "The cell with the best mean on the pictures of each class, and the best cell that is not its equal. "
      "Few pictures a class can rarely tell.";
  table.columns = {column("class", "class"),
                   column("metric", "metric"),
                   column("n", "n", Kind::count),
                   column("best", "best mean"),
                   column("mean", "mean", Kind::number),
                   column("next", "next"),
                   with_interval(column("behind", "behind", Kind::number)),
                   column("p", "p", Kind::number),
                   column("leaders", "not worse than the best")};
  for (std::size_t c = 0; c < decisions.by_class.size(); ++c)
    for (const Verdict& verdict : decisions.by_class[c]) {
      if (verdict.contenders.empty()) continue;
      const MetricRow& metric = analysis.metric(verdict.metric);
      const Contender& best = verdict.contenders.front();
      const auto next = std::ranges::find_if(
          verdict.contenders, [](const Contender& contender) { return !contender.rival.equal; });
      const bool any = next != verdict.contenders.end();
      Table::Cell mean =
          in_digits(value_cell(own(analysis, verdict.metric, best.rival.standing.mean)), metric);
      mean.best = verdict.is_settled();
      add_capped(table, {text_cell(decisions.classes.names[c]), text_cell(metric.name),
                         count_cell(verdict.pictures), text_cell(analysis.cells[best.cell].name), mean,
                         text_cell(any ? analysis.cells[next->cell].name : ""),
                         any ? in_digits(estimate_cell(next->rival.behind), metric) : Table::Cell{},
                         any ? value_cell(next->rival.p_adjusted) : Table::Cell{},
                         text_cell(verdict.tells_anything() ? cell_names(analysis, verdict.leaders())
                                                            : "nothing can be told")});
    }
  return table;
}

Table stability_table(const Analysis& analysis, const Decisions& decisions) {
  Table table{.id = "stability",
              .title = "Winners that hang on one picture",
              .caption = {},
              .columns = {},
              .rows = {}};
  table.caption =
      "Leaving out the picture makes another cell best, one that is behind by more than the metric's margin "
      "now.";
  table.columns = {column("metric", "metric"), column("best", "best mean"), column("without", "without"),
                   column("winner", "best mean then")};
  for (const Verdict& verdict : decisions.verdicts)
    for (const auto& [picture, winner] : verdict.flips)
      add_capped(table, {text_cell(analysis.metric(verdict.metric).name),
                         text_cell(analysis.cells[verdict.contenders.front().cell].name),
                         text_cell(analysis.data->plan.images[picture].name),
                         text_cell(analysis.cells[winner].name)});
  return table;
}

const char* verdict_text(const SweetSpot& spot) {
  switch (spot.response.verdict) {
    case ResponseVerdict::sweet_spot:
      return "sweet spot";
    case ResponseVerdict::edge_optimum:
      return "best at the end of the range: widen it";
    case ResponseVerdict::no_effect:
      return spot.response.flat_within_margin ? "no effect: all within the margin"
                                              : "no effect that can be told";
  }
  return "";
}

Table sweet_spots_table(const Analysis& analysis, const Decisions& decisions) {
  Table table{.id = "sweet-spots", .title = "Sweet spots", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "Smoothed mean curve over the numeric values of an axis; best setting with its 95 % interval over "
      "resampled "
      "pictures (uneven settings are fitted over their logarithm or their order); plateau: settings "
      "shown to be worse than the best by at most the margin.";
  table.columns = {column("axis", "axis"),
                   column("others", "other settings"),
                   column("class", "class"),
                   column("metric", "metric"),
                   column("n", "n", Kind::count),
                   column("verdict", "verdict"),
                   with_interval(column("best", "best", Kind::number, 3)),
                   column("score", "score there", Kind::number),
                   column("margin", "margin", Kind::number),
                   column("plateau_from", "plateau from", Kind::number, 3),
                   column("plateau_to", "to", Kind::number, 3)};
  const auto over_sigma = [](const SweetSpot& spot) { return spot.over_sigma; };
  if (std::ranges::any_of(decisions.sweet_spots, over_sigma))
    table.caption +=
        " A denoise axis is followed over the start sigma, which means the same in every tool and with every "
        "scheduler; the curves of the other settings are averaged over the stretch of sigma that all cover.";
  for (const SweetSpot& spot : decisions.sweet_spots) {
    const MetricRow& metric = analysis.metric(spot.metric);
    const bool told = spot.response.verdict != ResponseVerdict::no_effect;
    const Interval plateau = plateau_of(spot);
    add_capped(table,
               {text_cell(axis_name(analysis, spot)), text_cell(spot.group.empty() ? "all" : spot.group),
                text_cell(spot.content.empty() ? "all" : spot.content), text_cell(metric.name),
                count_cell(spot.pictures), text_cell(verdict_text(spot)),
                told ? estimate_cell({spot.response.best, spot.response.best_interval}) : Table::Cell{},
                told ? in_digits(value_cell(own(analysis, spot.metric, spot.response.best_value)), metric)
                     : Table::Cell{},
                in_digits(value_cell(spot.margin), metric), optional_cell(plateau.low),
                optional_cell(plateau.high)});
  }
  return table;
}

Table denoise_table(const Analysis& analysis, const Decisions& decisions) {
  Table table{
      .id = "denoise", .title = "Best start sigma as denoise", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "The strength to set in each tool so that it starts from the best sigma, with these steps and this "
      "scheduler; –: none starts near it. Tools that make int(denoise x steps) steps start at the nearest "
      "level that they have.";
  std::set<std::string> rules;
  for (const SweetSpot& spot : decisions.sweet_spots)
    for (const DenoiseTranslation& translation : spot.denoise)
      for (const DenoiseTranslation::Tool& tool : translation.tools) rules.insert(tool.rule);
  table.columns = {column("axis", "axis"),
                   column("others", "other settings"),
                   column("class", "class"),
                   column("metric", "metric"),
                   with_interval(column("best", "best sigma", Kind::number, 3)),
                   column("with", "with")};
  for (const std::string& rule : rules)
    table.columns.push_back(column("denoise_" + rule, tool_name(rule), Kind::number, 2));
  for (const SweetSpot& spot : decisions.sweet_spots)
    for (const DenoiseTranslation& translation : spot.denoise) {
      std::vector<Table::Cell> cells = {text_cell(analysis.axes[spot.axis].title),
                                        text_cell(spot.group.empty() ? "all" : spot.group),
                                        text_cell(spot.content.empty() ? "all" : spot.content),
                                        text_cell(analysis.metric(spot.metric).name),
                                        estimate_cell({spot.response.best, spot.response.best_interval}),
                                        text_cell(translation.context)};
      for (const std::string& rule : rules) {
        const auto tool = std::ranges::find(translation.tools, rule, &DenoiseTranslation::Tool::rule);
        cells.push_back(tool == translation.tools.end() ? Table::Cell{} : value_cell(tool->denoise));
      }
      add_capped(table, std::move(cells));
    }
  return table;
}

Table front_table(const Analysis& analysis, const Decisions& decisions) {
  Table table{.id = "front", .title = "Quality for the time", .caption = {}, .columns = {}, .rows = {}};
  table.caption = fmt::format(
      "Cells that are better than every faster one, and how often they are over resampled pictures ({} time, "
      "median of a picture; the times are taken as they are). Cells below 1 % are left out.",
      CellTimes(analysis).clock());
  table.columns = {column("metric", "metric"),           column("cell", "cell"),
                   column("mean", "mean", Kind::number), column("cost_s", "time", Kind::seconds),
                   column("on_front", "on the front"),   column("share", "of resamples", Kind::ratio, 0)};
  for (std::size_t m = 0; m < decisions.fronts.size(); ++m)
    for (const Front::Point& point : decisions.fronts[m].points)
      if (point.efficiency.on_front || point.efficiency.share >= 0.01)
        add_capped(table,
                   {text_cell(analysis.metric(m).name), text_cell(analysis.cells[point.cell].name),
                    in_digits(value_cell(point.mean), analysis.metric(m)), value_cell(point.seconds),
                    text_cell(point.efficiency.on_front ? "yes" : "no"), value_cell(point.efficiency.share)});
  return table;
}

Table shares_table(const Analysis& analysis, const Decisions& decisions) {
  Table table{.id = "shares", .title = "What the axes explain", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "Share of the differences between the cells' means that an axis explains beyond the others, and two "
      "axes "
      "together beyond each alone.";
  table.columns = {column("axis", "axis")};
  std::vector<std::size_t> metrics;
  for (std::size_t m = 0; m < decisions.shares.size(); ++m)
    if (!decisions.shares[m].empty()) metrics.push_back(m);
  if (metrics.empty()) return table;
  for (const std::size_t m : metrics)
    table.columns.push_back(column(analysis.metric(m).name, analysis.metric(m).name, Kind::ratio, 1));
  for (std::size_t i = 0; i < decisions.shares[metrics.front()].size(); ++i) {
    const auto& [first, second, unused] = decisions.shares[metrics.front()][i];
    const auto title = [&](std::size_t axis) { return analysis.axes[analysis.naming[axis]].title; };
    std::vector<Table::Cell> cells = {
        text_cell(first == second ? title(first) : title(first) + " × " + title(second))};
    for (const std::size_t m : metrics) cells.push_back(value_cell(decisions.shares[m][i].share));
    add_capped(table, std::move(cells));
  }
  return table;
}

Table agreement_table(const Analysis& analysis, const Decisions& decisions) {
  Table table{
      .id = "agreement", .title = "Agreement of the metrics", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "Kendall's tau of the cells' order: 1 the same, 0 unrelated, -1 opposite; and the cells that each "
      "metric "
      "does not tell from its best.";
  table.columns = {column("first", "metric"),
                   column("second", "and"),
                   column("cells", "cells", Kind::count),
                   column("tau", "tau", Kind::number, 2),
                   column("best_by_first", "best by the one"),
                   column("best_by_second", "by the other")};
  const auto best = [&](std::size_t m) {
    const Verdict& verdict = decisions.verdicts[m];
    return verdict.tells_anything() ? cell_names(analysis, verdict.leaders())
                                    : std::string("nothing can be told");
  };
  for (const Agreement& agreement : decisions.agreements)
    add_capped(table, {text_cell(analysis.metric(agreement.first).name),
                       text_cell(analysis.metric(agreement.second).name), count_cell(agreement.cells),
                       value_cell(agreement.tau), text_cell(best(agreement.first)),
                       text_cell(best(agreement.second))});
  return table;
}

}  // namespace upbench
