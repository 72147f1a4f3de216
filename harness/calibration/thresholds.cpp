#include "harness/calibration/thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr double kToSpare = 0.15;  // of the highest clean value

double six_digits(double value) {
  return std::stod(fmt::format("{:.6g}", value));
}

std::vector<double> that_apply(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return values;
}

double share_above(const std::vector<double>& values, double threshold) {
  const std::vector<double> known = that_apply(values);
  if (known.empty()) return 0;
  const auto above = std::ranges::count_if(known, [&](double value) { return value > threshold; });
  return static_cast<double>(above) / static_cast<double>(known.size());
}

// A detector's threshold lowered: what that gains and costs.
struct Step {
  std::size_t detector = 0, exceptions = 0;
  double threshold = 0, gain = 0;  // share of defects found more
  std::size_t cost = 0;            // clean pictures that nothing flagged before
};

class Allocation {
 public:
  explicit Allocation(std::span<const TuningValues> detectors)
      : detectors_(detectors), exceptions_(detectors.size()) {
    for (const TuningValues& values : detectors) thresholds_.push_back(threshold_above(values, 0));
    if (!detectors.empty()) flagged_.resize(detectors[0].clean.size());
  }

  // The step within what is left that gains most a picture; none: nothing more is gained.
  std::optional<Step> best(std::size_t left) const {
    constexpr double kLeastGain = 0.005;  // less is not worth a false alarm
    std::optional<Step> best;
    for (std::size_t d = 0; d < detectors_.size(); ++d)
      for (std::size_t more = 1; more <= left + paid_; ++more) {
        const Step step = lowered(d, exceptions_[d] + more);
        if (step.cost > left ||
            step.gain < kLeastGain * static_cast<double>(std::max<std::size_t>(1, step.cost)))
          continue;
        if (!best || worth(step) > worth(*best)) best = step;
      }
    return best;
  }

  void take(const Step& step) {
    exceptions_[step.detector] = step.exceptions;
    thresholds_[step.detector] = step.threshold;
    const std::vector<double>& clean = detectors_[step.detector].clean;
    for (std::size_t i = 0; i < clean.size(); ++i)
      if (clean[i] > step.threshold) flagged_[i] = true;
    paid_ += step.cost;
  }

  const std::vector<double>& thresholds() const { return thresholds_; }

 private:
  static double worth(const Step& step) { return step.gain / (static_cast<double>(step.cost) + 0.5); }

  Step lowered(std::size_t detector, std::size_t exceptions) const {
    const TuningValues& values = detectors_[detector];
    Step step{
        .detector = detector, .exceptions = exceptions, .threshold = threshold_above(values, exceptions)};
    step.gain =
        share_above(values.defective, step.threshold) - share_above(values.defective, thresholds_[detector]);
    for (std::size_t i = 0; i < values.clean.size(); ++i)
      if (values.clean[i] > step.threshold && !flagged_[i]) ++step.cost;
    return step;
  }

  std::span<const TuningValues> detectors_;
  std::vector<std::size_t> exceptions_;
  std::vector<double> thresholds_;
  std::vector<bool> flagged_;  // by picture
  std::size_t paid_ = 0;       // of these
};

}  // namespace

double threshold_above(const TuningValues& values, std::size_t exceptions) {
  std::vector<double> clean = that_apply(values.clean), defective = that_apply(values.defective);
  if (clean.empty()) return std::numeric_limits<double>::max();
  std::ranges::sort(clean, std::ranges::greater{});
  const double highest = clean[std::min(exceptions, clean.size() - 1)];
  const double above = highest + kToSpare * std::abs(highest);
  if (defective.empty()) return six_digits(above);
  std::ranges::sort(defective);
  const double low = defective[defective.size() / 10];
  return six_digits(low > highest ? std::max(above, (highest + low) / 2) : above);
}

std::vector<double> choose_thresholds(std::span<const TuningValues> detectors, std::size_t budget) {
  Allocation allocation(detectors);
  while (const std::optional<Step> step = allocation.best(budget)) {
    allocation.take(*step);
    budget -= step->cost;
  }
  return allocation.thresholds();
}

}  // namespace upbench
