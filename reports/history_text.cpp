#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/history.h"
#include "reports/render/format.h"
#include "reports/render/markdown.h"
#include "reports/render/text.h"
#include "reports/table.h"

namespace upbench {
namespace {

bool is_time(const HistorySeries& series) {
  return series.unit == "ratio";
}

std::string change_text(const HistorySeries& series, double worsening) {
  const std::string digits =
      fixed(is_time(series) ? worsening : std::abs(worsening), series.decimals + !is_time(series));
  if (is_time(series)) return fmt::format("{} times as long", digits);
  return fmt::format("{} by {}{}", worsening > 0 ? "worse" : "better", digits,
                     series.unit.empty() ? "" : " " + series.unit);
}

std::string between(const HistoryReport& report, const HistorySeries::Change& change) {
  return fmt::format("after {}, up to and with {}", report.labels[change.last_before],
                     report.labels[change.first]);
}

Table change_table(const HistoryReport& report) {
  Table table{.id = "changes", .title = "Changes"};
  for (const char* column : {"cell", "metric", "change", "before", "after", "came in"})
    table.columns.push_back({.id = column, .title = column});
  for (const HistorySeries& series : report.series)
    for (const HistorySeries::Change& change : series.changes)
      table.add({{text_cell(series.cell), text_cell(series.metric),
                  text_cell(change_text(series, change.worsening)),
                  text_cell(fixed(change.before, series.decimals)),
                  text_cell(fixed(change.after, series.decimals)), text_cell(between(report, change))}});
  return table;
}

Table series_table(const HistoryReport& report) {
  Table table{.id = "series", .title = "Series"};
  for (const char* column : {"cell", "metric", "runs", "first", "newest", "newest against the one before"})
    table.columns.push_back({.id = column, .title = column});
  for (const HistorySeries& series : report.series)
    table.add(
        {{text_cell(series.cell), text_cell(series.metric), text_cell(std::to_string(series.values.size())),
          text_cell(fixed(series.values.front(), series.decimals)),
          text_cell(fixed(series.values.back(), series.decimals)),
          text_cell(series.newest_differs ? change_text(series, series.newest_worsening) : "the same")}});
  return table;
}

std::string heading(const HistoryReport& report) {
  std::size_t changes = 0;
  for (const HistorySeries& series : report.series) changes += series.changes.size();
  const auto count = [](std::size_t number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  };
  return fmt::format("{}, {} to {}; {}", count(report.labels.size(), "run"), report.labels.front(),
                     report.labels.back(), count(changes, "change"));
}

template <class Render>
std::string rendered(const HistoryReport& report, Render render) {
  std::string text;
  if (const Table changes = change_table(report); !changes.rows.empty()) text += render(changes) + "\n";
  return text + render(series_table(report));
}

}  // namespace

std::string history_text(const HistoryReport& report) {
  std::string text = clean_sentence(heading(report)) + "\n\n" + rendered(report, render_text);
  for (const std::string& note : report.notes) text += clean_sentence(note) + "\n";
  return text;
}

std::string history_markdown(const HistoryReport& report) {
  std::string text = fmt::format("### upbench: {}\n\n{}", escape_markdown_sentence(heading(report)),
                                 rendered(report, render_markdown));
  for (const std::string& note : report.notes) text += "\n- " + escape_markdown_sentence(note) + "\n";
  return text;
}

std::string history_json(const HistoryReport& report) {
  using nlohmann::json;
  json list = json::array();
  for (const HistorySeries& series : report.series) {
    json changes = json::array();
    for (const HistorySeries::Change& change : series.changes)
      changes.push_back({{"last_before", change.last_before},
                         {"first", change.first},
                         {"before", change.before},
                         {"after", change.after},
                         {"worsening", change.worsening},
                         {"p", change.p}});
    list.push_back({{"cell", series.cell},
                    {"metric", series.metric},
                    {"unit", series.unit},
                    {"pictures", series.pictures},
                    {"runs", series.runs},
                    {"values", series.values},
                    {"changes", changes},
                    {"newest_differs", series.newest_differs},
                    {"newest_worsening", series.newest_worsening}});
  }
  const json text = {{"schema", "upbench-history-report-1"},
                     {"runs", report.labels},
                     {"series", list},
                     {"notes", report.notes}};
  return text.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace upbench
