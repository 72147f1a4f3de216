#include "reports/gate/pairing.h"

#include <map>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "reports/gate/required.h"

namespace upbench {
namespace {

template <class Item, class Name, class Required>
std::vector<Pairing::Pair> pair_up(const std::vector<Item>& base, const std::vector<Item>& now, Name name,
                                   const char* what, Required required, GateResult& result) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < now.size(); ++i) places.emplace(name(now[i]), i);
  std::vector<Pairing::Pair> pairs;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const auto found = places.find(name(base[i]));
    if (found == places.end()) {
      if (required(name(base[i])))
        result.missing.push_back(fmt::format("{} {}", what, name(base[i])));
      else
        result.allowed.push_back(
            fmt::format("{} {} is not there, and the policy does not require it", what, name(base[i])));
      continue;
    }
    pairs.push_back({i, found->second});
    places.erase(found);
  }
  for (const auto& [left, place] : places) result.added.push_back(fmt::format("{} {}", what, left));
  return pairs;
}

void check_references(const GateSide& base, const GateSide& now, const std::vector<Pairing::Pair>& pictures) {
  for (const auto& [b, n] : pictures)
    if (base.pictures[b].reference != now.pictures[n].reference)
      throw std::invalid_argument(
          fmt::format("picture {}: its reference is not the same in {} ({}) and {} ({}); scores against "
                      "different references cannot be "
                      "compared",
                      base.pictures[b].name, base.source, base.pictures[b].reference.substr(0, 12),
                      now.source, now.pictures[n].reference.substr(0, 12)));
}

}  // namespace

Pairing pair_sides(const GateSide& base, const GateSide& now, const GatePolicy& policy, GateResult& result) {
  Pairing pairing;
  pairing.cells = pair_up(
      base.cells, now.cells, [](const auto& cell) { return cell.label; }, "cell",
      [&](const std::string& label) {
        return policy.required_cells.empty() || matches_any(policy.required_cells, label);
      },
      result);
  pairing.pictures = pair_up(
      base.pictures, now.pictures, [](const auto& picture) { return picture.name; }, "picture",
      [&](const std::string&) { return policy.required_pictures == 0; }, result);
  pairing.metrics = pair_up(
      base.metrics, now.metrics, [](const auto& metric) { return metric.name; }, "metric",
      [](const std::string&) { return true; }, result);
  pairing.detectors = pair_up(
      base.detectors, now.detectors, [](const auto& detector) { return detector.name; }, "detector",
      [&](const std::string&) { return policy.require_artifacts; }, result);
  std::erase_if(pairing.detectors,
                [&](const Pairing::Pair& pair) { return !base.detectors[pair.base].calibrated; });
  check_references(base, now, pairing.pictures);
  if (pairing.cells.empty() || pairing.pictures.empty())
    throw std::invalid_argument(fmt::format("{} and {} have no {} in common", base.source, now.source,
                                            pairing.cells.empty() ? "cell" : "picture"));
  return pairing;
}

bool is_ok(const GateSide::Trial& trial) {
  return trial.finished && trial.status == Status::ok;
}

std::size_t ok_pictures(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                        const Pairing& pairing) {
  std::size_t pictures = 0;
  for (const auto& picture : pairing.pictures) {
    bool any = false;
    for_each_seed(base, now, cell, picture,
                  [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t) {
                    any = any || (is_ok(was) && is && is_ok(*is));
                  });
    pictures += any ? 1 : 0;
  }
  return pictures;
}

}  // namespace upbench
