#include "reports/gate/required.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace upbench {
namespace {

// How `run --adaptive` begins the reason of trials that it leaves out (harness/adaptive.h).
constexpr std::string_view kNotRun = "not run: ";

bool is_not_run(const GateSide::Trial& trial) {
  return trial.status == Status::skipped && trial.reason.starts_with(kNotRun);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "a = 1, b = 2" -> "a=1", "b=2"
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(", ");
    const std::string_view part = trimmed(text.substr(0, end));
    const std::size_t equals = part.find('=');
    parts.push_back(equals == part.npos ? std::string(part)
                                        : fmt::format("{}={}", trimmed(part.substr(0, equals)),
                                                      trimmed(part.substr(equals + 1))));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 2);
  }
}

// * stands for any text, also none. Goes back to the last * only, so it takes at most the product of lengths.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

// Pictures of a cell with a trial that is ok.
std::size_t ok_pictures(const GateSide& side, std::size_t cell) {
  std::set<std::size_t> pictures;
  for (auto it = side.trials.lower_bound({cell, 0, 0}); it != side.trials.end(); ++it) {
    if (std::get<0>(it->first) != cell) break;
    if (is_ok(it->second)) pictures.insert(std::get<1>(it->first));
  }
  return pictures.size();
}

bool may_be_lost(const GateSide::Trial& trial, const std::string& cell, const GatePolicy& policy) {
  if (!trial.finished || trial.status == Status::ok) return false;
  if (is_not_run(trial)) return policy.may_not_run;
  return matches_any(trial.status == Status::failed ? policy.may_fail : policy.may_skip, cell);
}

}  // namespace

bool matches_cell(std::string_view pattern, std::string_view label) {
  const std::vector<std::string> has = parts_of(label);
  return std::ranges::all_of(parts_of(pattern), [&](const std::string& part) {
    return std::ranges::any_of(has, [&](const std::string& one) { return fits(part, one); });
  });
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view label) {
  return std::ranges::any_of(patterns, [&](const std::string& one) { return matches_cell(one, label); });
}

GateSide without_allowed(const GateSide& base, const GateSide& now, const GatePolicy& policy,
                         Pairing& pairing, GateResult& result) {
  GateSide kept = base;
  std::erase_if(pairing.cells, [&](const Pairing::Pair& cell) {
    const std::string& label = base.cells[cell.base].label;
    std::size_t lost = 0, left = 0;
    std::string first;
    for (const auto& picture : pairing.pictures)
      for_each_seed(base, now, cell, picture,
                    [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t seed) {
                      if (!is_ok(was)) return;
                      if (!is || !may_be_lost(*is, label, policy)) {
                        ++left;
                        return;
                      }
                      kept.trials.erase({cell.base, picture.base, seed});
                      if (lost++ == 0) first = fmt::format("{}: {}", to_string(is->status), is->reason);
                    });
    if (lost > 0)
      result.allowed.push_back(
          fmt::format("{}: {} of {} trials are not ok any more, {}", label, lost, lost + left, first));
    return lost > 0 && left == 0;
  });
  return kept;
}

void note_lost_trials(const GateSide& base, const GateSide& now, const Pairing& pairing, GateResult& result) {
  for (const auto& cell : pairing.cells) {
    const std::string& label = base.cells[cell.base].label;
    std::size_t not_run = 0;
    std::string first;
    const auto note = [&](const std::string& picture, const GateSide::Trial* is, std::uint64_t seed) {
      const std::string name = fmt::format("{}, {}, seed {}", label, picture, seed);
      if (!is || !is->finished) {
        result.missing.push_back("trial " + name);
        return;
      }
      ++result.lost;
      if (!is_not_run(*is))
        result.failures.push_back(fmt::format("{}: {}: {}", name, to_string(is->status), is->reason));
      else if (not_run++ == 0)
        first = is->reason.substr(kNotRun.size());
    };
    for (const auto& picture : pairing.pictures)
      for_each_seed(base, now, cell, picture,
                    [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t seed) {
                      if (is_ok(was) && !(is && is_ok(*is))) note(base.pictures[picture.base].name, is, seed);
                    });
    if (not_run > 0)
      result.failures.push_back(fmt::format(
          "{}: {} trials were left out by an adaptive sweep ({}): `upbench run` of {} without --adaptive, "
          "with the same store, runs them; or the policy allows it: `allow: {{not_run: true}}`",
          label, not_run, first, now.run));
  }
}

void note_required(const GateSide& base, const GateSide& now, const GatePolicy& policy,
                   const Pairing& pairing, GateResult& result) {
  const std::vector<std::string>& patterns = policy.required_cells;
  if (patterns.empty() && policy.required_pictures == 0) return;
  for (const std::string& pattern : patterns) {
    const auto is_meant = [&](const GateSide::Cell& cell) { return matches_cell(pattern, cell.label); };
    if (std::ranges::none_of(base.cells, is_meant) && std::ranges::none_of(now.cells, is_meant))
      result.missing.push_back(fmt::format("cell {}: required, and there is none", pattern));
  }
  const std::size_t least = std::max<std::size_t>(policy.required_pictures, 1);
  for (std::size_t n = 0; n < now.cells.size(); ++n) {
    const std::string& label = now.cells[n].label;
    const auto pair = std::ranges::find(pairing.cells, n, &Pairing::Pair::now);
    const bool both = pair != pairing.cells.end();
    // Without a list: whatever the base had ok.
    const bool required =
        patterns.empty() ? both && ok_pictures(base, pair->base) > 0 : matches_any(patterns, label);
    const std::size_t pictures = both ? ok_pictures(base, now, *pair, pairing) : ok_pictures(now, n);
    if (required && pictures < least)
      result.missing.push_back(fmt::format("cell {}: {} of its pictures are ok{}, required are {}", label,
                                           pictures, both ? " on both sides" : "", least));
  }
}

}  // namespace upbench
