#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "harness/calibration/calibrate.h"
#include "harness/calibration/cases.h"
#include "metrics/artifacts/calibration.h"

// What every detector says of clean pictures and of the defects made on them.
namespace upbench {

inline constexpr std::array<Evidence, 2> kEvidences = {Evidence::reference, Evidence::input};

// What one detector said of one defect.
struct Seen {
  std::size_t injector = 0, tier = 0;
  double value = 0;            // of the injector's own detector; NaN: it does not apply
  std::vector<double> of_all;  // of every detector: at the visible tier only
};

struct EvidenceFigures {
  std::vector<double> clean;  // of every detector; NaN: it does not apply
  std::vector<Seen> first, second;
};

struct PictureFigures {
  std::string name, kind;  // "text-017"; class and kind of clean picture
  std::array<EvidenceFigures, kEvidences.size()> by;
  const EvidenceFigures& of(Evidence evidence) const { return by[evidence == Evidence::reference ? 0 : 1]; }
};

// Which defects are made: on the tuning set those that thresholds are set by.
enum class Defects { some_visible, all };

// Pictures in parallel, results by number. done: after each picture, one at a time.
std::vector<PictureFigures> measure_pictures(std::uint64_t count, int threads, Defects defects,
                                             const std::function<CleanPicture(std::uint64_t)>& make,
                                             const std::function<void()>& done);

}  // namespace upbench
