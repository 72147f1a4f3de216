#include "datasets/resampling/passes.h"

#include "datasets/resampling/passes_of_lanes.h"
#include "datasets/wide_vectors.h"

namespace upbench {
namespace {

constexpr Passes kWidest = {passes16::level_rows, passes16::level_columns, passes16::plane,
                            passes16::plane_of_levels, passes16::blur_row};
constexpr Passes kWide = {passes8::level_rows, passes8::level_columns, passes8::plane,
                          passes8::plane_of_levels, passes8::blur_row};
constexpr Passes kPlain = {passes4::level_rows, passes4::level_columns, passes4::plane,
                           passes4::plane_of_levels, passes4::blur_row};

}  // namespace

const Passes& passes() {
  switch (vector_lanes()) {
    case 16:
      return kWidest;
    case 8:
      return kWide;
    default:
      return kPlain;
  }
}

}  // namespace upbench
