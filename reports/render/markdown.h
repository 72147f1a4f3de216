#pragma once

#include <string>
#include <string_view>

#include "reports/table.h"

namespace upbench {

// A GitHub table without heading: numbers right-aligned, the best value bold. Text from outside cannot open
// markup or a new column.
std::string render_markdown(const Table& table);

std::string escape_markdown(std::string_view text);

// The same for a sentence of our own, which may be longer than a name.
std::string escape_markdown_sentence(std::string_view text);

}  // namespace upbench
