#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/digest.h"
#include "metrics/metric.h"

namespace upbench {

const std::vector<Metric>& metrics();

// "psnr-y@b0@float" -> the metric and its options: @bN cuts N pixels at each side whatever the caller's
// default; @float scores the clamped, unrounded picture.
struct MetricRequest {
  std::string name;  // as written, options in canonical order
  const Metric* metric = nullptr;
  int border = -1;  // -1: the caller's default for metrics that cut, 0 for others
  bool quantize = true;
};

// Throws std::invalid_argument "unknown metric 'psnrr'; did you mean 'psnr-y'? known: ...".
MetricRequest parse_metric(std::string_view text);

// A list as a spec has it; "artifacts" stands for every detector that is not named beside it. Throws
// std::invalid_argument for a metric that is named twice.
std::vector<MetricRequest> parse_metrics(const std::vector<std::string>& texts);

// Scores pictures with a fixed list of metrics; weights are loaded once, and what networks make of a
// reference is kept for its next score. Thread-safe after construction.
class Scorer {
 public:
  static constexpr std::size_t kReferenceCacheBytes = 256u << 20;  // LPIPS: 43 MB a megapixel and metric

  // Throws std::invalid_argument naming the file when a metric's weights are there but wrong; absent weights
  // make its scores skipped.
  Scorer(std::vector<MetricRequest> requests, int default_border,
         std::size_t reference_cache_bytes = kReferenceCacheBytes);
  ~Scorer();
  Scorer(Scorer&&) noexcept;

  struct Result {
    Score score;
    double seconds = 0;
  };
  // One result per request, in order; never throws for a metric's own failure. Pictures on a device are
  // scored there (metrics/device_scoring.h says how far those scores may differ from the CPU's; one thread
  // and stream at a time then), where a device that is lost is thrown. output: unclamped; clamped (and
  // rounded to 8 bit unless @float) once for all metrics, as is the reference. Throws std::invalid_argument
  // when sizes differ or the layout is not an image's.
  std::vector<Result> score(const Image& output, const Image& reference) const;
  // Only those metrics whose index is listed. reference_name: tells the reference's pixels from those of any
  // other of its size, say the digest of its file; without one (zero) nothing is kept.
  std::vector<Result> score(const Image& output, const Image& reference,
                            const std::vector<std::size_t>& which, const Digest& reference_name = {}) const;
  const std::vector<MetricRequest>& requests() const;
  int border(std::size_t request) const;  // the border actually cut

  struct ReferenceCacheUse {
    std::size_t hits = 0, misses = 0;
    std::size_t bytes = 0;  // kept now
  };
  ReferenceCacheUse reference_cache_use() const;

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace upbench
