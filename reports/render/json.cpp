#include "reports/render/json.h"

#include <cmath>

#include "reports/render/format.h"

namespace upbench {

nlohmann::json json_row(const std::vector<Table::Column>& columns, const Table::Row& row) {
  nlohmann::json object = nlohmann::json::object(), flags = nlohmann::json::object();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Table::Column& column = columns[i];
    const Table::Cell& cell = row.cells[i];
    if (!is_number(column)) {
      object[column.id] = clean_text(cell.text);
      continue;
    }
    const bool usable = cell.value && std::isfinite(*cell.value);
    const bool whole = column.kind == Table::Kind::count || column.kind == Table::Kind::bytes;
    if (!usable)
      object[column.id] = nullptr;
    else if (whole)
      object[column.id] = std::llround(*cell.value);
    else
      object[column.id] = *cell.value;
    if (column.spread)
      object[column.id + "_sd"] = cell.spread ? nlohmann::json(*cell.spread) : nlohmann::json();
    if (column.interval) {
      object[column.id + "_low"] = cell.interval ? nlohmann::json(cell.interval->low) : nlohmann::json();
      object[column.id + "_high"] = cell.interval ? nlohmann::json(cell.interval->high) : nlohmann::json();
    }
    if (!usable && cell.flag != ValueFlag::ok) flags[column.id] = to_string(cell.flag);
  }
  if (!flags.empty()) object["flags_of_values"] = std::move(flags);
  return object;
}

nlohmann::json render_json(const Table& table) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Table::Row& row : table.rows) rows.push_back(json_row(table.columns, row));
  return rows;
}

}  // namespace upbench
