#pragma once

#include <string>
#include <string_view>

#include "reports/table.h"

// Numbers and names as people read them. Nothing here depends on the locale.
namespace upbench {

// Shortest text that reads back as the same double; "inf", "-inf", "nan".
std::string exact(double value);

// Fixed decimals; never "-0.00".
std::string fixed(double value, int decimals);

// A value alone, as its column asks: "32.730", "12.3 ms", "1.50 GiB", "25.0 %", "∞".
std::string format_value(const Table::Column& column, double value);
// The same with the decimals of the cell, where it has its own.
std::string format_value(const Table::Column& column, const Table::Cell& cell, double value);

// "[2.10, 3.60]", the interval of a cell that has one.
std::string format_interval(const Table::Column& column, const Table::Cell& cell);

// A whole cell: value, "± spread", interval, then the note in brackets; "–" where there is no value.
std::string format_cell(const Table::Column& column, const Table::Cell& cell);

// Text that came from files, models or prompts, safe to show as text: valid UTF-8, control characters (ANSI
// escapes, line breaks), line separators and direction overrides made visible as U+FFFD, at most 400 bytes.
std::string clean_text(std::string_view text);

// The same for sentences of our own that quote such texts: at most 4,000 bytes.
std::string clean_sentence(std::string_view text);

// The same for a text of many lines: line breaks and tabs stay, at most 200,000 bytes.
std::string clean_block(std::string_view text);

bool is_number(const Table::Column& column);

}  // namespace upbench
