#pragma once

// Distribution functions; special functions come from Eigen.
namespace upbench {

struct Interval {
  double low = 0, high = 0;
};

double normal_cdf(double z);
double normal_quantile(double p);                                          // p in (0, 1); +-inf at 0 and 1
double student_cdf(double t, double degrees);                              // degrees of freedom > 0
double student_quantile(double p, double degrees);                         // p in (0, 1)
double chi_square_quantile(double p, double degrees);                      // p in (0, 1)
double binomial_cdf(double successes, double trials, double probability);  // P(X <= successes)

}  // namespace upbench
