#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/record.h"

namespace upbench {

inline constexpr std::uint32_t kNoValue = 0xFFFFFFFF;  // the cell has no such axis

struct ReportAxis {
  std::string path;                    // "upscale.tile"
  std::string title;                   // "tile", or the path where two stages have one
  std::vector<std::string> values;     // as written, in the order of the cells
  std::vector<std::uint32_t> of_cell;  // index into values, or kNoValue
  bool varies() const;                 // two cells differ in it
};

// Every axis of the cells' labels, in order of first appearance.
std::vector<ReportAxis> find_axes(const std::vector<CellRow>& cells);

// Those that name a cell among the others: the varying ones, run and models first; where none varies, the
// first axis alone.
std::vector<std::size_t> naming_axes(const std::vector<ReportAxis>& axes);

// "lanczos · tile 64": the first naming axis bare, the others with their titles.
std::string cell_name(const std::vector<ReportAxis>& axes, std::uint32_t cell);

// The value as written; empty where the cell has no such axis.
const std::string& axis_value(const ReportAxis& axis, std::uint32_t cell);

}  // namespace upbench
