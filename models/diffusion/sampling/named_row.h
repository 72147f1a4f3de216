#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench {

// The row of a table whose `name` is this. Throws std::invalid_argument "unknown WHAT 'x', expected one of a,
// b".
template <class Row>
const Row& named_row(const std::vector<Row>& rows, std::string_view name, std::string_view what) {
  std::vector<std::string> known;
  for (const Row& row : rows) {
    if (row.name == name) return row;
    known.push_back(row.name);
  }
  throw std::invalid_argument(
      fmt::format("unknown {} '{}', expected one of {}", what, name, fmt::join(known, ", ")));
}

}  // namespace upbench
