#pragma once

#include <string>
#include <vector>

#include "datasets/codec/byte_order.h"
#include "datasets/codec/decode.h"

// How a camera was held: the EXIF tag 0x0112 (CIPA DC-008). 1 is upright; 5 to 8 exchange width and height.
namespace upbench {

// exif: a TIFF structure, as in PNG's eXIf and, after "Exif\0\0", in JPEG's APP1. Where it cannot be read or
// holds no such tag the answer is 1; a value outside 1..8 or a broken structure is noted as well.
int read_orientation(Bytes exif, std::vector<std::string>& notes);

// Brings the picture upright, and says so in its notes.
void apply_orientation(Raster& raster, int orientation);
void apply_orientation(RasterHeader& header, int orientation);

}  // namespace upbench
