#pragma once

#include "models/checkpoint/checkpoint.h"

namespace upbench {

// A short warm-up to `highest`, then half a cosine down to 1e-6 at the last of `steps`.
double learning_rate_at(int step, int steps, double highest);

// mean = keep * mean + (1 - keep) * weights, name by name; keep rises to 0.999, so that the first weights
// count for little.
void average_weights(NamedTensors& mean, const NamedTensors& weights, int step);

}  // namespace upbench
