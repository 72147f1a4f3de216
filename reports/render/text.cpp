#include "reports/render/text.h"

#include <algorithm>

#include "reports/render/format.h"

namespace upbench {
namespace {

// Code points: every byte that does not continue one.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string render_text(const Table& table) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Table::Column& column : table.columns) lines[0].push_back(clean_text(column.title));
  for (const Table::Row& row : table.rows) {
    lines.emplace_back();
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      lines.back().push_back(format_cell(table.columns[i], row.cells[i]) + (row.cells[i].best ? "*" : ""));
  }
  std::vector<std::size_t> widths(table.columns.size(), 0);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  std::string text;
  for (const auto& line : lines) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string padding(widths[i] - width(line[i]), ' ');
      out += (i > 0 ? "  " : "") + (is_number(table.columns[i]) ? padding + line[i] : line[i] + padding);
    }
    text += out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace upbench
