#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/plan.h"

namespace upbench {

// What the tiles of a refine stage are, drawn to scale as an SVG of a few kilobytes: the masks (merged
// predictions: the tiles) in their order from light to dark, what one of them sees and at which size it is
// processed, and where neighbours are mixed. settings: settled. A1111's crops are drawn by the reach of the
// blur; the last pixel or two of OpenCV's fixed-point kernel may be black.
std::string tile_figure(const nlohmann::json& settings, int factor, PictureSize picture);

// Of every tiled refine stage of every cell, for the first picture that it takes: {"cell-1-refine", SVG}; of
// the first 100 cells.
std::vector<std::pair<std::string, std::string>> tile_figures(const Plan& plan);

}  // namespace upbench
