#pragma once

#include <vector>

namespace upbench {

struct SigmaStep {
  double from = 0, to = 0;  // a step may begin above the end of the one before: noise leads up to it
};

// The levels in order, each to the next.
std::vector<SigmaStep> plain_steps(const std::vector<double>& sigmas);

// The steps of restart sampling (Xu, Deng, Cheng, Tian, Liu, Jaakkola, Restart sampling for improving
// generative processes, 2023) as A1111 chooses them from a list of n steps: below 20 none is added; from 20
// on 9 of the n steps, from 36 on twice n // 4, go again from the level nearest to 2 down to the one nearest
// to 0.1, the others down from the first level; both evenly in sigma^(1/7), whatever the list's own levels
// between its first and last but one. Still n steps in all.
std::vector<SigmaStep> restart_steps(const std::vector<double>& sigmas);

}  // namespace upbench
