#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/gate/calibrate.h"
#include "reports/render/format.h"
#include "reports/render/markdown.h"

namespace upbench {
namespace {

bool is_time(const GateCalibration::Row& row) {
  return row.unit == "ratio";
}

bool is_rate(const GateCalibration::Row& row) {
  return row.unit == "rate";
}

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

std::string shown(const GateCalibration::Row& row, double value) {
  if (std::isnan(value)) return is_time(row) ? "" : "none: too few pictures";
  if (is_rate(row))
    return fmt::format("{} -> {}", percent(row.rate), percent(std::min(1.0, row.rate + value)));
  return fixed(value, row.decimals + 1) + (is_time(row) ? " times" : row.unit.empty() ? "" : " " + row.unit);
}

Table power_table(const GateCalibration& calibration) {
  Table table{.id = "found", .title = "What would be found"};
  for (const char* column :
       {"cell", "metric", "n", "noise (SD)", "tolerance", "smallest found", "where all change alike"})
    table.columns.push_back({.id = column, .title = column});
  for (const GateCalibration::Row& row : calibration.rows)
    table.add({{text_cell(row.cell), text_cell(row.metric), text_cell(std::to_string(row.pictures)),
                text_cell(is_time(row) || is_rate(row) ? percent(row.noise) : exact(row.noise)),
                text_cell(exact(row.tolerance)), text_cell(shown(row, row.smallest)),
                text_cell(is_rate(row) ? "" : shown(row, row.smallest_alike))}});
  return table;
}

// What repeats say about drift; nothing of one repeat.
std::string drift_text(const RunDrift& drift) {
  if (drift.repeats < 2) return {};
  return fmt::format(
      "Model times drift from run to run by {} (standard deviation over {} repeats, 95 % interval {} to {}) "
      "in "
      "all cells together and by {} in each cell of its own; comparisons drawn here drift as much.\n\n",
      percent(drift.all_cells), drift.repeats, percent(drift.all_cells_interval.low),
      percent(drift.all_cells_interval.high), percent(drift.each_cell));
}

}  // namespace

std::string calibration_markdown(const GateCalibration& calibration) {
  std::string text = fmt::format(
      "### upbench: {} false alarms in {} comparisons of a version with itself\n\n"
      "That is {:.1f} % [{:.1f}, {:.1f}] of runs; at most {:.1f} % are meant. {} comparisons could not "
      "tell.\n\n{}"
      "Smallest worsening found: of metrics with 95 % power, where pictures differ as much among themselves "
      "as they change on average; of artifact rates with 95 %; of times with 90 %.\n\n{}",
      calibration.false_alarms, calibration.comparisons,
      100.0 * calibration.false_alarms / calibration.comparisons, 100 * calibration.alarm_rate.low,
      100 * calibration.alarm_rate.high, 100 * calibration.family_error, calibration.untold,
      drift_text(calibration.drift), render_markdown(power_table(calibration)));
  for (const std::string& note : calibration.notes) text += "\n- " + escape_markdown_sentence(note) + "\n";
  return text;
}

std::string calibration_json(const GateCalibration& calibration) {
  using nlohmann::json;
  const auto number = [](double value) { return std::isnan(value) ? json() : json(value); };
  json rows = json::array();
  for (const GateCalibration::Row& row : calibration.rows)
    rows.push_back({{"cell", row.cell},
                    {"metric", row.metric},
                    {"unit", row.unit},
                    {"n", row.pictures},
                    {"noise", row.noise},
                    {"tolerance", row.tolerance},
                    {"rate", is_rate(row) ? json(row.rate) : json()},
                    {"smallest", number(row.smallest)},
                    {"smallest_alike", number(row.smallest_alike)}});
  const json text = {
      {"schema", "upbench-calibration-1"},
      {"comparisons", calibration.comparisons},
      {"false_alarms", calibration.false_alarms},
      {"untold", calibration.untold},
      {"alarm_rate", {calibration.alarm_rate.low, calibration.alarm_rate.high}},
      {"family_error", calibration.family_error},
      {"drift",
       {{"repeats", calibration.drift.repeats},
        {"all_cells", calibration.drift.all_cells},
        {"all_cells_interval",
         {calibration.drift.all_cells_interval.low, calibration.drift.all_cells_interval.high}},
        {"each_cell", calibration.drift.each_cell}}},
      {"rows", rows},
      {"notes", calibration.notes}};
  return text.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace upbench
