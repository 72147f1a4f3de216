#include "datasets/resampling/passes.h"

#include "datasets/resampling/passes_of_lanes.h"
#include "datasets/wide_vectors.h"

namespace upbench {

const Passes& passes() {
  switch (vector_lanes()) {
    case 16:
      return passes16::kPasses;
    case 8:
      return passes8::kPasses;
    default:
      return passes4::kPasses;
  }
}

}  // namespace upbench
