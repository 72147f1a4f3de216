#include "datasets/resampling/pass_loops.h"
#include "datasets/resampling/passes_of_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_PASSES_NAMESPACE {

void blur_row(const float* const* rows, std::size_t width, const float* weights, std::size_t size,
              float* out) {
  constexpr std::size_t kBlocks = kBlurStep / kLanes;
  for (std::size_t x = 0; x < width; x += kBlurStep) {
    Lanes<float> sums[kBlocks];
    for (std::size_t ky = 0; ky < size; ++ky) {
      for (std::size_t kx = 0; kx < size; ++kx) {
        const float* samples = rows[ky] + x + kx;
        const float weight = weights[ky * size + kx];
        for (std::size_t block = 0; block < kBlocks; ++block)
          sums[block].add(weight, samples + block * kLanes);
      }
    }
    for (std::size_t block = 0; block < kBlocks; ++block) sums[block].store(out + x + block * kLanes);
  }
}

}  // namespace upbench::UPBENCH_PASSES_NAMESPACE
UPBENCH_WIDE_VECTORS_END
