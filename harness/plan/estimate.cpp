#include "harness/plan/estimate.h"

#include <algorithm>

namespace upbench {
namespace {

constexpr double kFloat = 4;     // bytes
constexpr double kPictures = 3;  // copies of input and output alive at once: as made, clamped, as scored

double macs_per_pixel(const ModelFacts& facts, int scale) {
  const auto own = facts.macs_by_scale.find(scale);
  return own == facts.macs_by_scale.end() ? facts.macs_per_pixel : own->second;
}

}  // namespace

// A network that works at input resolution with 64 channels and ends at output resolution with 64 more, two
// buffers of each alive: what SRVGG and RRDB need to within a factor of two.
double activation_bytes_per_pixel(double macs_per_pixel, int scale) {
  if (macs_per_pixel <= 0) return 0;
  const double enlarged = std::max(scale, 1);
  return 64 * kFloat * 2 * (1 + enlarged * enlarged);
}

double network_macs(const ModelFacts& facts, const StageOutcome& outcome) {
  const double coder = facts.diffusion ? facts.diffusion->coder_macs_per_pixel : 0;
  return macs_per_pixel(facts, outcome.scale) * outcome.pixels_read + coder * outcome.pixels_coded;
}

TrialCost trial_cost(const PlannedCell& cell, const Pipeline::Pass& pass, PictureSize input,
                     const Rates& rates) {
  TrialCost cost;
  double resampled = 0, stage_bytes = 0, weight_bytes = 0;
  for (std::size_t i = 0; i < pass.outcomes.size(); ++i) {
    const StageOutcome& outcome = pass.outcomes[i];
    resampled += outcome.pixels_resampled;
    cost.tiles += outcome.tiles;
    cost.evaluations += outcome.evaluations;
    if (const ModelFacts* facts = cell.models[i]) {
      const double macs = macs_per_pixel(*facts, outcome.scale);
      cost.macs += network_macs(*facts, outcome);
      weight_bytes += static_cast<double>(facts->weight_bytes);
      const double per_pixel = activation_bytes_per_pixel(macs, outcome.scale);
      stage_bytes = std::max(stage_bytes, outcome.largest_piece * per_pixel);
    }
  }
  const double pixels = input.pixels() + pass.output(input).pixels();
  cost.stage_seconds =
      cost.macs / rates.macs_per_second + resampled / 1e6 * rates.resample_seconds_per_megapixel;
  cost.other_seconds = pixels / 1e6 * rates.picture_seconds_per_megapixel + rates.trial_seconds;
  cost.output_megapixels = pass.output(input).pixels() / 1e6;
  cost.peak_bytes = weight_bytes + stage_bytes + pixels * 3 * kFloat * kPictures;
  return cost;
}

double metric_seconds_per_megapixel(const std::vector<MetricRow>& metrics, const Rates& rates) {
  double seconds = 0;
  for (const MetricRow& metric : metrics) {
    double own = 0;
    for (const auto& [beginning, rate] :
         rates.metric_seconds_per_megapixel)  // sorted: a longer beginning comes after a shorter one
      if (metric.name.starts_with(beginning)) own = rate;
    seconds += own;
  }
  return seconds;
}

double timing_seconds(const TimingSpec& timing, double stage_seconds) {
  return std::min(timing.repeats * stage_seconds, std::max(timing.budget_s, stage_seconds));
}

}  // namespace upbench
