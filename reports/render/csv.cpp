#include "reports/render/csv.h"

#include <charconv>
#include <string_view>
#include <system_error>

#include "reports/render/format.h"

namespace upbench {
namespace {

// What a spreadsheet would compute. A plain number such as -0.5 is none.
bool is_formula(std::string_view text) {
  if (text.empty() || std::string_view("=+-@").find(text.front()) == std::string_view::npos) return false;
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec != std::errc() || parsed.ptr != text.data() + text.size();
}

// Line breaks are gone by clean_text().
std::string field(std::string_view text) {
  std::string guarded = (is_formula(text) ? "'" : "") + std::string(text);
  if (guarded.find_first_of(",\"") == std::string::npos) return guarded;
  std::string quoted = "\"";
  for (const char c : guarded) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string number(const std::optional<double>& value) {
  return value ? exact(*value) : std::string();
}

}  // namespace

std::string csv_header(const std::vector<Table::Column>& columns) {
  std::string line;
  for (const Table::Column& column : columns) {
    if (!line.empty()) line += ',';
    line += field(clean_text(column.id));
    if (column.spread) line += ',' + field(clean_text(column.id + "_sd"));
    if (column.interval)
      line += ',' + field(clean_text(column.id + "_low")) + ',' + field(clean_text(column.id + "_high"));
  }
  return line + "\r\n";
}

std::string csv_row(const std::vector<Table::Column>& columns, const Table::Row& row) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) line += ',';
    line += is_number(columns[i]) ? number(row.cells[i].value) : field(clean_text(row.cells[i].text));
    if (columns[i].spread) line += ',' + number(row.cells[i].spread);
    if (const auto& interval = row.cells[i].interval; columns[i].interval)
      line += interval ? ',' + exact(interval->low) + ',' + exact(interval->high) : ",,";
  }
  return line + "\r\n";
}

std::string render_csv(const Table& table) {
  std::string text = csv_header(table.columns);
  for (const Table::Row& row : table.rows) text += csv_row(table.columns, row);
  return text;
}

}  // namespace upbench
