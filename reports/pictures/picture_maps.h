#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/pictures/shown_picture.h"

namespace upbench {

// Lies over a method's whole picture, stretched to its size: from black over red and yellow to white.
struct PictureMap {
  std::size_t method = 0;
  std::string kind;  // a detector's name; "local SSIM", "local error"
  std::string unit;
  double black = 0, white = 1;      // what these colours stand for; what lies beyond white is white too
  std::optional<double> threshold;  // of a detector, in the unit
  Raster colours;
};

// What detectors flagged, as the stores kept it, and where each method differs from the reference.
std::vector<PictureMap> picture_maps(const ShownPicture& picture, const PictureFiles& files,
                                     const RunData& data, const ShownMethods& methods);

}  // namespace upbench
