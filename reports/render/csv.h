#pragma once

#include <string>
#include <vector>

#include "reports/table.h"

// RFC 4180 (CRLF, quotes doubled). Numbers as the shortest text that reads back exactly, in base units, "inf"
// for infinity, empty for no value. Text that a spreadsheet would take for a formula (first character = + -
// @, and not a plain number) gets an apostrophe before it.
namespace upbench {

std::string csv_header(const std::vector<Table::Column>& columns);
std::string csv_row(const std::vector<Table::Column>& columns, const Table::Row& row);
std::string render_csv(const Table& table);

}  // namespace upbench
