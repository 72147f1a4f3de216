#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/record.h"

namespace upbench {

// What of a metric counts as worse, in its own unit: below `tolerance` nothing is worse; below `margin` a
// change is shown to do no harm. 0 <= tolerance <= margin.
struct GateLimits {
  double tolerance = 0, margin = 0;
};

struct GatePolicy {
  std::map<std::string, GateLimits> metrics;    // by name as in the spec; others have limits_of's defaults
  GateLimits time{1.05, 1.10};                  // ratios of median model times
  bool require_time = false;                    // "cannot tell" about time is then incomplete
  GateLimits memory{1.05, 1.10};                // ratios of peak memory
  bool require_memory = false;                  // the same for memory
  GateLimits artifacts{0, 0.05};                // rises of the share of pictures with an artifact, and
  std::map<std::string, GateLimits> detectors;  // of one, by the detector's name
  bool require_artifacts = false;               // the same for them
  bool require_quality = true;                  // the same for metrics
  double family_error = 0.05;  // chance of any false "regressed" over all comparisons together
  // Of cells, as matches_cell() reads them (reports/gate/required.h).
  using Patterns = std::vector<std::string>;
  Patterns required_cells;            // each must be there with a picture that is ok; none: all of the base's
  std::size_t required_pictures = 0;  // ok on both sides, of every required cell; 0: all of the base's
  Patterns may_skip, may_fail;        // trials of these cells may be skipped, or fail, though they were ok
  bool may_not_run = false;           // so may those that an adaptive sweep left out
  int resamples = 10'000;
  std::uint64_t seed = 1;
};

// The policy's limits for a metric; without any: PSNR 0.01 and 0.05 dB, SSIM 0.0002 and 0.001, LPIPS 0.0005
// and 0.002, else 0.1 % and 0.5 % of the base's mean.
GateLimits limits_of(const GatePolicy& policy, const MetricRow& metric, double base_mean);

// YAML:
//   metrics: {psnr-y: {tolerance: 0.01, margin: 0.05}}
//   time: {tolerance: 1.05, margin: 1.1, required: false}
//   memory: {tolerance: 1.05, margin: 1.1, required: false}
//   artifacts: {tolerance: 0, margin: 0.05, required: false, detectors: {seam: {tolerance: 0, margin: 0.1}}}
//   quality: {required: true}
//   family_error: 0.05
//   require: {cells: [upscale.model = compact-x2], pictures: 20}     each may be all, which is the default
//   allow: {skipped: ["upscale.model = big*"], failed: [], not_run: true}
// Throws std::invalid_argument "FILE:LINE:COLUMN: ..." for whatever a spec would be
// refused for (unknown or repeated keys, aliases, size) and values out of range.
GatePolicy read_policy(const std::filesystem::path& file);
GatePolicy parse_policy(std::string_view text, const std::string& source);

}  // namespace upbench
