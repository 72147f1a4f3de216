#pragma once

#include <optional>
#include <span>
#include <vector>

#include "metrics/metric.h"

namespace upbench {

// One metric of a scorer, for score_on_device().
struct ScoreTask {
  const ScoreFunction* function = nullptr;
  const std::optional<SignalScore>* signals = nullptr;
  int border = 0;        // cut at each side
  bool quantize = true;  // else the clamped, unrounded picture
  FeatureSource features;
};

// Scores where the pictures are, one score a task: everything is queued on the current stream of their device
// and one transfer brings the results, which waits for that stream. Metrics of signals with one border share
// a pass (metrics/device_similarity.h); one that knows the CPU alone gets the pictures there.
//
// The scores are those on the CPU to within 1e-5 dB (PSNR), 1e-6 (MSE, relative), 4e-6 (SSIM) and 1e-5
// (LPIPS, relative): float32 in another order. Equal pictures score exactly the same.
//
// A metric that throws gives a failed score; what ends the device (DeviceFault::lost) is thrown.
std::vector<Score> score_on_device(const Image& output, const Image& reference,
                                   std::span<const ScoreTask> tasks);

}  // namespace upbench
