#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/codec/byte_order.h"

namespace upbench {

// What a JPEG file says before its first scan, and where it ends (ITU-T T.81 annex B), read without decoding
// anything.
struct JpegMarkers {
  int process = -1;   // n of the SOFn marker: 0 baseline, 2 progressive, ...; -1: no such marker
  int precision = 8;  // bits a sample
  Bytes exif;         // the first EXIF block, without "Exif\0\0"; empty: none
  std::vector<std::uint8_t> profile;  // ICC, its segments joined (ICC.1:2022 annex B.4)
  std::string profile_problem;        // why there is no profile although there are segments of one
  std::size_t end = 0;                // behind the end marker; 0: none was found
};

// Stops where the structure breaks: refusing that is left to the decoder.
JpegMarkers read_jpeg_markers(Bytes file);

// "lossless (SOF3)" for what is not decoded; empty for what is: baseline, extended sequential and
// progressive, all with Huffman coding and 8 bits.
std::string unsupported_process(const JpegMarkers& markers);

}  // namespace upbench
