#pragma once

#include <string>

#include "reports/table.h"

namespace upbench {

// Aligned columns for a terminal, the best value marked with *. No escape sequence from outside gets through.
std::string render_text(const Table& table);

}  // namespace upbench
