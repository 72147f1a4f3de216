#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/gate/calibrate.h"
#include "reports/render/format.h"
#include "reports/render/markdown.h"

namespace upbench {
namespace {

bool is_time(const Calibration::Row& row) {
  return row.unit == "ratio";
}

std::string shown(const Calibration::Row& row, double value) {
  if (std::isnan(value)) return is_time(row) ? "" : "none: too few pictures";
  return fixed(value, row.decimals + 1) + (is_time(row) ? " times" : row.unit.empty() ? "" : " " + row.unit);
}

Table power_table(const Calibration& calibration) {
  Table table{.id = "found", .title = "What would be found"};
  for (const char* column :
       {"cell", "metric", "n", "noise (SD)", "tolerance", "smallest found", "where all change alike"})
    table.columns.push_back({.id = column, .title = column});
  for (const Calibration::Row& row : calibration.rows)
    table.add({{text_cell(row.cell), text_cell(row.metric), text_cell(std::to_string(row.pictures)),
                text_cell(is_time(row) ? fmt::format("{:.1f} %", 100 * row.noise) : exact(row.noise)),
                text_cell(exact(row.tolerance)), text_cell(shown(row, row.smallest)),
                text_cell(shown(row, row.smallest_alike))}});
  return table;
}

}  // namespace

std::string calibration_markdown(const Calibration& calibration) {
  std::string text = fmt::format(
      "### upbench: {} false alarms in {} comparisons of a version with itself\n\n"
      "That is {:.1f} % [{:.1f}, {:.1f}] of runs; at most {:.1f} % are meant. {} comparisons could not "
      "tell.\n\n"
      "Smallest worsening found: of metrics with 95 % power, where pictures differ as much among themselves "
      "as they change on average; of times with 90 %.\n\n{}",
      calibration.false_alarms, calibration.comparisons,
      100.0 * calibration.false_alarms / calibration.comparisons, 100 * calibration.alarm_rate.low,
      100 * calibration.alarm_rate.high, 100 * calibration.family_error, calibration.untold,
      render_markdown(power_table(calibration)));
  for (const std::string& note : calibration.notes) text += "\n- " + escape_markdown_sentence(note) + "\n";
  return text;
}

std::string calibration_json(const Calibration& calibration) {
  using nlohmann::json;
  const auto number = [](double value) { return std::isnan(value) ? json() : json(value); };
  json rows = json::array();
  for (const Calibration::Row& row : calibration.rows)
    rows.push_back({{"cell", row.cell},
                    {"metric", row.metric},
                    {"unit", row.unit},
                    {"n", row.pictures},
                    {"noise", row.noise},
                    {"tolerance", row.tolerance},
                    {"smallest", number(row.smallest)},
                    {"smallest_alike", number(row.smallest_alike)}});
  const json text = {{"schema", "upbench-calibration-1"},
                     {"comparisons", calibration.comparisons},
                     {"false_alarms", calibration.false_alarms},
                     {"untold", calibration.untold},
                     {"alarm_rate", {calibration.alarm_rate.low, calibration.alarm_rate.high}},
                     {"family_error", calibration.family_error},
                     {"rows", rows},
                     {"notes", calibration.notes}};
  return text.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace upbench
