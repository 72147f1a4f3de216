#pragma once

#include <opencv2/core/mat.hpp>

#include "metrics/planes.h"

namespace upbench {

// Edges of an output against those of its reference, as ERQA 1.1 pairs them (Kirillova, Lyapustin,
// Antsiferova, Vatolin, ERQA: edge-restoration quality assessment for video super-resolution, 2022; package
// erqa 1.1.2). Masks are CV_8U, 0 or 1, of the pixels that both pictures share after the output was moved by
// the whole-pixel shift.
struct EdgeMatches {
  cv::Mat edges;            // of the output
  cv::Mat matched;          // of these: within one pixel of an edge of the reference that no other edge uses
  cv::Mat lost;             // of the reference's edges: without one in the output
  int right = 0, down = 0;  // shift of the output's content against the reference's, at most 3 px each way

  cv::Mat false_edges() const;  // in the output alone
  double precision() const;     // NaN: the output has no edges
  double recall() const;        // NaN: the reference has no edges
};

// Both of one size, at least 8 x 8.
EdgeMatches match_edges(const Planes& output, const Planes& reference);

}  // namespace upbench
