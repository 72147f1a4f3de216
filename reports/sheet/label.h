#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace upbench {

inline constexpr int kLabelHeight = 20;  // pixels, of a line of text

// A line of text in black on white, grey values width x kLabelHeight, row by row. What does not fit is cut
// and ends in "..". Characters outside of printable ASCII are shown as "?": the font has no others.
std::vector<std::uint8_t> draw_label(const std::string& text, int width);

}  // namespace upbench
