#pragma once

#include <filesystem>
#include <vector>

#include "reports/sheet/sheet.h"

namespace upbench {

// Either way the memory does not grow with the sheet. Throw std::system_error where something cannot be
// written.

// PNG files of at most `most_side` pixels a side (more only where one entry is larger), each whole entries:
// FILE where one will do, else NAME-R.png or, where columns too are shared out, NAME-R-C.png, counted from 1.
// Returns them.
std::vector<std::filesystem::path> write_png_strips(Sheet& sheet, const std::filesystem::path& file,
                                                    int most_side = 16384);

// A Deep Zoom Image (Microsoft's format, which OpenSeadragon and others show): FILE and the pyramid of PNG
// tiles in NAME_files/LEVEL/COLUMN_ROW.png. Levels are halved by the rounded mean of 2 x 2 values. FILE is
// written last.
void write_deep_zoom(Sheet& sheet, const std::filesystem::path& file, int tile = 256);

}  // namespace upbench
