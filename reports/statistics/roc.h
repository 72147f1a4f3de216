#pragma once

#include <span>
#include <vector>

// How well a number tells the defective from the clean; larger means more defective. No NaN.
namespace upbench {

// Area under the receiver operating characteristic: the probability that a defective one has the larger
// number, ties count half (Hanley, McNeil, The meaning and use of the area under a ROC curve, 1982). NaN
// where either is empty.
double area_under_roc(std::span<const double> defective, std::span<const double> clean);

// Mean precision over the defective ones, from the largest number down; equal numbers are taken together. NaN
// where nothing is defective.
double average_precision(std::span<const double> defective, std::span<const double> clean);

// The share of the defective above the threshold at which at most this share of the clean is above.
double sensitivity_at(double false_positive_rate, std::span<const double> defective,
                      std::span<const double> clean);

}  // namespace upbench
