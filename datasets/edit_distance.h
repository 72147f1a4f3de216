#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace upbench {

// For suggestions after a misspelt name. Optimal string alignment distance: insertions, deletions,
// replacements and swaps of neighbours that turn one text into the other. Takes time in proportion to the
// product of the lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

// ASCII letters only, whatever the locale.
std::string to_lower(std::string_view text);

}  // namespace upbench
