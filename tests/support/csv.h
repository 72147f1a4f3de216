#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace upbench::test {

// RFC 4180, as `upbench report --csv` writes it: rows of fields by column name.
using CsvRow = std::map<std::string, std::string>;
std::vector<CsvRow> parse_csv(std::string_view text);

// One line a trial without its measured costs, which differ between any two runs.
std::string without_costs(std::string_view csv);

}  // namespace upbench::test
