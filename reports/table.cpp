#include "reports/table.h"

#include <cmath>
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

Table::Cell optional_cell(double value) {
  return std::isnan(value) ? Table::Cell{} : value_cell(value);
}

Table::Cell estimate_cell(const Estimate& estimate) {
  Table::Cell cell = optional_cell(estimate.value);
  if (std::isfinite(estimate.interval.low) && std::isfinite(estimate.interval.high))
    cell.interval = estimate.interval;
  return cell;
}

}  // namespace upbench
