#pragma once

#include "datasets/resampling/passes.h"

// The loops of passes.h as compiled for each width of vectors.
#define UPBENCH_PASSES                                                                                  \
  void level_rows(const std::uint8_t* in, std::size_t height, std::size_t width,                        \
                  const WeightedAxis<std::int32_t>& axis, std::uint8_t* turned, std::uint8_t* out);     \
  void level_columns(const std::uint8_t* in, std::size_t width, const WeightedAxis<std::int32_t>& axis, \
                     std::size_t from, std::size_t to, std::uint8_t* out);                              \
  void plane(const float* in, std::size_t width, const WeightedAxis<float>& vertical,                   \
             const WeightedAxis<float>& horizontal, float* strip, float* interleaved, float* out);      \
  void plane_of_levels(const double* in, std::size_t width, const WeightedAxis<double>& vertical,       \
                       const WeightedAxis<double>& horizontal, double* strip, double* interleaved,      \
                       double* out);                                                                    \
  void blur_row(const float* const* rows, std::size_t width, const float* weights, std::size_t size,    \
                float* out);

namespace upbench::passes16 {
UPBENCH_PASSES
}
namespace upbench::passes8 {
UPBENCH_PASSES
}
namespace upbench::passes4 {
UPBENCH_PASSES
}
#undef UPBENCH_PASSES
