#pragma once

#include <type_traits>

#include "datasets/resampling/passes.h"

// The loops of passes.h as compiled for each width of vectors.
#define UPBENCH_PASSES                                                      \
  std::remove_pointer_t<decltype(Passes::level_rows)> level_rows;           \
  std::remove_pointer_t<decltype(Passes::level_columns)> level_columns;     \
  std::remove_pointer_t<decltype(Passes::plane)> plane;                     \
  std::remove_pointer_t<decltype(Passes::plane_of_levels)> plane_of_levels; \
  std::remove_pointer_t<decltype(Passes::blur_row)> blur_row;               \
  inline constexpr Passes kPasses = {level_rows, level_columns, plane, plane_of_levels, blur_row};

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
