#include "tests/support/csv.h"

namespace upbench::test {
namespace {

std::vector<std::vector<std::string>> split(std::string_view text) {
  std::vector<std::vector<std::string>> rows(1);
  std::string field;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"')
        field += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        field += text[++i];
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',' || c == '\n') {
      rows.back().push_back(field);
      field.clear();
      if (c == '\n') rows.emplace_back();
    } else if (c != '\r') {
      field += c;
    }
  }
  rows.pop_back();  // what follows the last line end
  return rows;
}

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text) {
  const auto rows = split(text);
  std::vector<CsvRow> parsed;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    CsvRow row;
    for (std::size_t c = 0; c < rows[r].size(); ++c) row[rows[0].at(c)] = rows[r][c];
    parsed.push_back(std::move(row));
  }
  return parsed;
}

std::string without_costs(std::string_view csv) {
  std::string text;
  for (const CsvRow& row : parse_csv(csv)) {
    for (const auto& [column, value] : row)
      if (!column.starts_with("cost_")) text += column + "=" + value + " ";
    text += "\n";
  }
  return text;
}

}  // namespace upbench::test
