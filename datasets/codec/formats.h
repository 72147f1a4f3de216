#pragma once

#include "datasets/codec/byte_order.h"
#include "datasets/codec/decode.h"

// One pair of functions a format, for decode.cpp alone. A header is read without allocating for the picture,
// so that limits can be checked first. All throw std::runtime_error with the reason only; decode.cpp puts the
// file's name before it.
namespace upbench {

RasterHeader read_png_header(Bytes file);
Raster decode_png(Bytes file);

RasterHeader read_jpeg_header(Bytes file);
Raster decode_jpeg(Bytes file);

RasterHeader read_bmp_header(Bytes file);
Raster decode_bmp(Bytes file);

}  // namespace upbench
