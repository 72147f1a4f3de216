#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "harness/record.h"
#include "reports/statistics/bootstrap.h"

namespace upbench {

// What every report is made of. Producers put in unrounded values and say what kind of value they are;
// renderers (reports/render/) own formatting and escaping, and nothing is rounded before them.
struct Table {
  // seconds and bytes in SI base units, ratio as a fraction (0.25 is shown as 25 %); people see a suitable
  // prefix, data files the base unit.
  enum class Kind { text, number, decibel, ratio, seconds, bytes, count };
  enum class Better { neither, higher, lower };

  struct Column {
    std::string id;     // for programs: CSV header and JSON key, "cost_model_s"
    std::string title;  // for people
    Kind kind = Kind::text;
    int decimals = 4;  // for people; number, decibel and ratio only
    Better better = Better::neither;
    bool spread = false;    // cells may carry a standard deviation; data files get a second column ID_sd
    bool interval = false;  // cells may carry an interval; data files get the columns ID_low and ID_high
  };

  struct Cell {
    std::string text;  // of a text column; in others a note beside the value or the reason why there is none
    std::optional<double> value;  // empty: no value, `flag` says why
    std::optional<double> spread;
    std::optional<Interval> interval;  // finite
    std::optional<int> decimals;       // for people; other than the column's
    ValueFlag flag = ValueFlag::ok;
    bool best = false;
  };

  struct Row {
    std::vector<Cell> cells;  // as many as columns
    Status status = Status::ok;
    std::string key = {};  // "cell-3": what plots link to; unique in its report. Empty: nothing does
  };

  std::string id;     // "ranking"
  std::string title;  // "Ranking"
  std::string caption;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::size_t left_out = 0;  // rows that exist but are not in `rows`; renderers say so

  // Appends the row; throws std::logic_error unless it has one cell a column.
  void add(Row row);
};

Table::Cell text_cell(std::string text);
Table::Cell value_cell(double value, ValueFlag flag = ValueFlag::ok);
Table::Cell optional_cell(double value);              // NaN: no value
Table::Cell estimate_cell(const Estimate& estimate);  // with its interval where that is finite

}  // namespace upbench
