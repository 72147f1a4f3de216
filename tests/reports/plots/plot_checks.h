#pragma once

#include <string>
#include <vector>

#include "reports/plots.h"

namespace upbench::test {

// A misspelt field gives an empty plot and no error: fails the test unless each field that a layer names is
// in every row that it draws, and unless the plot says how many pictures, cells or samples are behind it.
void expect_whole(const Plot& plot);

const Plot* find_plot(const std::vector<Plot>& plots, const std::string& name);  // nullptr: there is none

// Marks that a browser would draw.
std::size_t marks_of(const Plot& plot);

}  // namespace upbench::test
