#pragma once

#include <string>
#include <vector>

#include "reports/run_data.h"
#include "reports/sheet/sheet.h"

namespace upbench {

// Of each trial of the run, by place: the kept output below Store::output_folder(); empty: there is none.
std::vector<std::string> kept_files(const Store& store, const Digest& run);

// A run's kept outputs as a sheet: a column a cell, best first by the first metric, a row a picture and seed.
// Above each picture stand the cell, the picture and its scores by the first two metrics; in the place of one
// that is not there stands why. Cells and pictures without any output are left out. kept: paths by trial.
// Throws std::invalid_argument where no output was kept.
Sheet make_sheet(const RunData& data, const std::vector<std::filesystem::path>& kept);

}  // namespace upbench
