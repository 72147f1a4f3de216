#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace upbench {

// What is asked of a network's values on their way: which tile is not finite, and how many of all values lie
// outside [0, 1]. On a device the answers stay there until they are asked for, which waits once for all of
// them. The kernel `statistics` where it is chosen (UPBENCH_DEVICE_KERNELS), else ATen's operators. What is
// noted again for a tile, after memory ran out on the way, replaces what was noted before.
class TileChecks {
 public:
  explicit TileChecks(std::size_t tiles);

  // batch: [N, 3, h, w] of `tiles` in their order; N may be larger.
  void note_finite(std::span<const std::size_t> tiles, const at::Tensor& batch);
  // values: [3, h, w] of one tile, or once of all that a network made.
  void note_outside(std::size_t tile, const at::Tensor& values);

  struct Answer {
    std::optional<std::size_t> not_finite;  // the first tile that holds a NaN or an infinity
    double outside_share = 0;               // of the values noted
  };
  Answer answer() const;

 private:
  // By tile, 0-dimensional and on the device: undefined where nothing was noted, or the other way was taken.
  std::vector<at::Tensor> least_, greatest_;  // float32; a NaN is both
  std::vector<at::Tensor> not_finite_;        // how many values, int64: what the kernel gives
  std::vector<at::Tensor> outside_;           // how many values, int64
  std::vector<std::int64_t> noted_;           // how many values note_outside() got
};

}  // namespace upbench
