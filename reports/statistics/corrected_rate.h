#pragma once

#include <cstddef>

#include "reports/statistics/distributions.h"

// The true rate behind a detector that errs.
namespace upbench {

// How often a detector is right, as counted on labelled pictures.
struct DetectorCounts {
  std::size_t found = 0, defective = 0;  // sensitivity = found / defective
  std::size_t passed = 0, clean = 0;     // specificity = passed / clean
  double sensitivity() const { return static_cast<double>(found) / static_cast<double>(defective); }
  double specificity() const { return static_cast<double>(passed) / static_cast<double>(clean); }
  // Something is known of both, and flags are more frequent among the defective than among the clean.
  bool tells() const { return defective > 0 && clean > 0 && sensitivity() + specificity() > 1; }
};

// (k / n + Sp - 1) / (Se + Sp - 1), cut to [0, 1] (Rogan, Gladen, Estimating prevalence from the results of a
// screening test, 1978). trials > 0, detector.tells().
double corrected_rate(std::size_t flagged, std::size_t trials, const DetectorCounts& detector);

// Of the true rate, with the uncertainty of sensitivity and specificity (Lang, Reiczigel, Confidence limits
// for prevalence of disease adjusted for estimated sensitivity and specificity, 2014). trials > 0,
// detector.tells().
Interval corrected_rate_interval(std::size_t flagged, std::size_t trials, const DetectorCounts& detector,
                                 double confidence = 0.95);

// The largest rate that so few flags do not contradict, one-sided (Clopper, Pearson 1934): 0 of 20 says at
// most 14 %. trials > 0.
double rate_upper_bound(std::size_t flagged, std::size_t trials, double confidence = 0.95);

// The share that such a detector flags where the true rate is this.
double flagged_rate(double rate, double sensitivity, double specificity);

}  // namespace upbench
