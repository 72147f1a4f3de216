#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/calibration/cases.h"

// Defects of known strength, made on purpose.
namespace upbench {

inline constexpr std::array<const char*, 3> kTierNames = {"subtle", "visible", "severe"};
inline constexpr std::size_t kVisible = 1;  // the tier that calibration is judged by

struct Injector {
  std::string detector;               // that should see it
  std::string defect;                 // what is done, for people
  std::string unit;                   // of the strengths
  std::array<double, 3> strengths{};  // of the tiers
  void (*inject)(CalibrationCase& subject, double strength, Random& random) = nullptr;
  std::string only_class;   // empty: on every picture
  bool of_network = false;  // the network's result is what it would be without the defect
};

// The defects that thresholds are set on, and others of the same kind made in another way, which thresholds
// never see. Every detector of the catalog has at least one of each.
const std::vector<Injector>& first_injectors();
const std::vector<Injector>& second_injectors();

// What is easily taken for a defect and is none.
struct HardNegative {
  std::string name;
  void (*make)(CalibrationCase& subject, Random& random) = nullptr;
};
const std::vector<HardNegative>& hard_negatives();  // the first changes nothing

}  // namespace upbench
