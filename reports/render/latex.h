#pragma once

#include <string>
#include <string_view>

#include "reports/table.h"

namespace upbench {

// A floating table with booktabs rules, label tab:ID, the best value bold. Needs \usepackage{booktabs} and
// UTF-8 input.
std::string render_latex(const Table& table);

std::string escape_latex(std::string_view text);

}  // namespace upbench
