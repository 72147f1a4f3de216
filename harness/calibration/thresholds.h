#pragma once

#include <cstddef>
#include <span>
#include <vector>

// From what detectors say of clean pictures and of defects to thresholds.
namespace upbench {

// Of one detector on the tuning set. NaN: it does not apply.
struct TuningValues {
  std::vector<double> clean;      // one for each picture, in the same order for every detector
  std::vector<double> defective;  // of visible defects of its kind
};

// Above every clean picture but the `exceptions` highest: half way to all but a tenth of the defects where
// these lie apart, but 15 % above the clean ones at least. Six significant digits.
double threshold_above(const TuningValues& values, std::size_t exceptions);

// Thresholds that flag, all together, at most `budget` clean pictures, spent one at a time where they find
// most more defects. A detector whose threshold is far too high for one odd picture thus gets a useful one.
std::vector<double> choose_thresholds(std::span<const TuningValues> detectors, std::size_t budget);

}  // namespace upbench
