#pragma once

namespace upbench {

// Where the distribution function of Beta(alpha, beta) reaches `probability`: 0 for 0, 1 for 1. Absolute
// error below 1e-12 for the shapes of schedules, around 0.5. Throws std::invalid_argument unless probability
// is in [0, 1] and both shapes are positive.
double beta_quantile(double probability, double alpha, double beta);

}  // namespace upbench
