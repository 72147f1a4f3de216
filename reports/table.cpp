#include "reports/table.h"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace upbench {

void Table::add(Row row) {
  if (row.cells.size() != columns.size())
    throw std::logic_error(
        fmt::format("table '{}': a row of {} cells, expected {}", id, row.cells.size(), columns.size()));
  rows.push_back(std::move(row));
}

Table::Cell text_cell(std::string text) {
  return {.text = std::move(text)};
}

Table::Cell value_cell(double value, ValueFlag flag) {
  return {.value = value, .flag = flag};
}

}  // namespace upbench
