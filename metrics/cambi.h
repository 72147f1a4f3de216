#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

#include "metrics/planes.h"

namespace upbench {

// Contrast-aware multiscale banding index of one picture (Tandon, Afonso, Sole, Krasula, CAMBI:
// Contrast-aware multiscale banding index, Picture Coding Symposium 2021), written from its description with
// the constants of libvmaf: luma in 10-bit limited-range codes, anti-dithering 2 x 2 mean, flat pixels of
// 7 x 7 neighbourhoods, windows of 63 x 63 at five scales, contrasts of 1..4 codes seen on a BT.1886 display
// of 300 cd/m2 (a step above 1.9 % of the luminance), mean of the upper 60 %. The window is the same for
// every picture size; libvmaf adapts it to that of a video.
struct Banding {
  double score = 0;  // 0: none; about 5 is annoying; at most 31
  cv::Mat map;       // CV_32F, one value a pixel: contrast x its share of the window at full scale, 0..4
};

inline constexpr int kSmallestForBanding = 16;  // side, pixels

// Both sides at least kSmallestForBanding.
Banding cambi_of(const Planes& picture);

}  // namespace upbench
