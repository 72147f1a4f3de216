#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reports/gate/judge.h"

namespace upbench {

// What both sides have: indices into each.
struct Pairing {
  struct Pair {
    std::size_t base, now;
  };
  std::vector<Pair> cells, pictures, metrics, detectors;
};

// Cells by label, pictures, metrics and calibrated detectors by name. What only one side has goes to the
// result: missing, allowed (where the policy does not require it) or added. Throws std::invalid_argument
// where a picture's reference is not the same in both, or no cell or no picture pairs.
Pairing pair_sides(const GateSide& base, const GateSide& now, const GatePolicy& policy, GateResult& result);

// visit(base's trial, the new side's or nullptr, seed) for every trial of the base of a cell and picture.
template <class Visit>
void for_each_seed(const GateSide& base, const GateSide& now, Pairing::Pair cell, Pairing::Pair picture,
                   Visit visit) {
  const auto begin = base.trials.lower_bound({cell.base, picture.base, 0});
  for (auto it = begin; it != base.trials.end(); ++it) {
    const auto& [c, p, seed] = it->first;
    if (c != cell.base || p != picture.base) break;
    const auto found = now.trials.find({cell.now, picture.now, seed});
    visit(it->second, found == now.trials.end() ? nullptr : &found->second, seed);
  }
}

bool is_ok(const GateSide::Trial& trial);

// Pictures of a cell with a trial that is ok on both sides.
std::size_t ok_pictures(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                        const Pairing& pairing);

}  // namespace upbench
