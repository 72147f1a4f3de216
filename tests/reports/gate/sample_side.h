#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "reports/gate/side.h"

namespace upbench {

// Two cells ("model = a", "model = b") of 20 pictures with PSNR and LPIPS, and nine timings each.
GateSide sample_side();

// The same with a calibrated detector more that finds nothing.
GateSide with_detector(GateSide side, const std::string& name);

// The same with a change made to each trial: change(cell, picture, trial).
template <class Change>
GateSide changed(GateSide side, Change change) {
  side.source = "new.db";
  for (auto& [key, trial] : side.trials) change(std::get<0>(key), std::get<1>(key), trial);
  return side;
}

// Why the policy "p.yaml" of this text is refused; "accepted" if it is not.
std::string policy_refusal(const std::string& text);

}  // namespace upbench
