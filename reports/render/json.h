#pragma once

#include <nlohmann/json.hpp>

#include "reports/table.h"

namespace upbench {

// A list with one object a row: column id -> unrounded value (spread as ID_sd, interval as ID_low and
// ID_high). JSON has no infinity: such a value is null and its flag "inf"; "flags_of_values" of a row maps
// the ids of all columns without a usable number to the flag. Text is cleaned as in clean_text().
nlohmann::json render_json(const Table& table);

// One object of that list.
nlohmann::json json_row(const std::vector<Table::Column>& columns, const Table::Row& row);

}  // namespace upbench
