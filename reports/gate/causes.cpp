#include "reports/gate/causes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/gate/changes.h"
#include "reports/gate/picture_evidence.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

using nlohmann::json;
using Basis = GateCause::Basis;
using About = GateComparison::About;

constexpr std::size_t kMostCellsLookedAt = 12;

void add_cause(GateResult& result, Basis basis, const std::string& text, const std::string& cell) {
  const auto same = [&](const GateCause& cause) { return cause.basis == basis && cause.text == text; };
  const auto found = std::ranges::find_if(result.causes, same);
  if (found == result.causes.end())
    result.causes.push_back({basis, text, {cell}});
  else if (std::ranges::find(found->cells, cell) == found->cells.end())
    found->cells.push_back(cell);
}

// Regressed, or as much worse by itself but not told from chance among all comparisons.
bool is_worse(const GateComparison& comparison) {
  return comparison.verdict == GateVerdict::regressed ||
         (comparison.verdict == GateVerdict::cannot_tell &&
          comparison.interval.low > comparison.limits.tolerance);
}

bool is_cost(About about) {
  return about == About::time || about == About::memory;
}

std::vector<std::string> cells_of(const GateResult& result, auto is_meant) {
  std::vector<std::string> cells;
  for (const GateComparison& comparison : result.comparisons)
    if (is_worse(comparison) && is_meant(comparison.about) &&
        std::ranges::find(cells, comparison.cell) == cells.end())
      cells.push_back(comparison.cell);
  return cells;
}

std::vector<std::string> worse_cells(const GateResult& result, About about) {
  return cells_of(result, [about](About one) { return one == about; });
}

// By metrics or artifacts.
std::vector<std::string> cells_of_worse_pictures(const GateResult& result) {
  return cells_of(result, [](About about) { return !is_cost(about); });
}

const GateSide::Cell* find_cell(const GateSide& side, const std::string& label) {
  const auto found = std::ranges::find(side.cells, label, &GateSide::Cell::label);
  return found == side.cells.end() ? nullptr : &*found;
}

std::string settings_text(const Difference& difference) {
  const std::string leaf = difference.where.substr(difference.where.rfind('.') + 1);
  const bool less = difference.base.is_number() && difference.now.is_number() &&
                    difference.now.get<double>() < difference.base.get<double>();
  const char* remark = !less               ? ""
                       : leaf == "context" ? " (smaller tile context)"
                       : leaf == "overlap" ? " (smaller tile overlap)"
                       : leaf == "tile"    ? " (smaller tiles)"
                                           : "";
  return "changed settings: " + to_text(difference) + remark;
}

// True when the cell's own settings or weights explain something.
bool add_recorded(const GateSide& base, const GateSide& now, const std::string& cell, GateResult& result) {
  const GateSide::Cell *before = find_cell(base, cell), *after = find_cell(now, cell);
  bool any = false;
  for (const Difference& difference : differences(before->settings, after->settings)) {
    const std::string leaf = difference.where.substr(difference.where.rfind('.') + 1);
    any = true;
    if (leaf == "weights")
      add_cause(result, Basis::recorded, "changed weights: " + to_text(difference), cell);
    else if (leaf == "version")
      add_cause(result, Basis::recorded, "changed code: " + to_text(difference), cell);
    else
      add_cause(result, Basis::recorded, settings_text(difference), cell);
  }
  return any;
}

// "4 of 20 pictures have other inputs": the same names and references, but not what was upscaled.
std::optional<std::string> other_inputs(const GateSide& base, const GateSide& now) {
  std::map<std::string, std::string> inputs;
  for (const GateSide::Picture& picture : now.pictures) inputs.emplace(picture.name, picture.input);
  std::size_t differ = 0, both = 0;
  std::string first;
  for (const GateSide::Picture& picture : base.pictures) {
    const auto found = inputs.find(picture.name);
    if (found == inputs.end() || picture.input.empty() || found->second.empty()) continue;
    ++both;
    if (picture.input == found->second) continue;
    if (differ++ == 0) first = picture.name;
  }
  if (differ == 0) return std::nullopt;
  return fmt::format(
      "changed inputs: {} of {} pictures are not upscaled from what they were ({} first): another file, or "
      "made "
      "smaller in another way",
      differ, both, first);
}

std::string program_text(const GateSide& base, const GateSide& now) {
  std::vector<std::string> lines;
  if (base.environment.empty() || now.environment.empty())
    return "weights, settings and inputs are recorded as the same; of the program a side does not say";
  for (const Difference& difference : environment_differences(base, now))
    lines.push_back(to_text(difference));
  return lines.empty() ? "weights, settings, inputs, program and libraries are recorded as the same"
                       : fmt::format(
                             "weights, settings and inputs are the same; the program or its environment "
                             "is not: {}",
                             fmt::join(lines, "; "));
}

// Of time or memory: how much more, and whether it is so in all cells.
void explain_costs(About about, GateResult& result) {
  const std::vector<std::string> cells = worse_cells(result, about);
  if (cells.empty()) return;
  std::size_t measured = 0;
  double least = INFINITY, most = 0;
  for (const GateComparison& comparison : result.comparisons) {
    if (comparison.about != about || comparison.verdict == GateVerdict::not_comparable) continue;
    ++measured;
    if (!is_worse(comparison)) continue;
    least = std::min(least, comparison.worsening);
    most = std::max(most, comparison.worsening);
  }
  const bool all = cells.size() == measured && measured > 1, alike = most <= 1.1 * least;
  const bool time = about == About::time;
  std::string text = fmt::format(
      "{}: {} times as {}", time ? "slower" : "more memory",
      cells.size() > 1 ? fmt::format("{} to {}", fixed(least, 2), fixed(most, 2)) : fixed(most, 2),
      time ? "long" : "much");
  if (measured > 1)
    text += fmt::format(" in {} of {} {} cells", cells.size(), measured, time ? "timed" : "measured");
  if (all && alike)
    text += fmt::format(": all alike, so {}the build or what all cells share", time ? "the machine, " : "");
  else if (!all && measured > 1)
    text += ": not in the others, so what only these cells use";
  result.causes.push_back({Basis::measured, text, cells});
}

// Without pictures: which metrics moved together.
std::optional<std::string> pattern_of(const GateResult& result, const std::string& cell) {
  const GateComparison *y = nullptr, *rgb = nullptr, *ssim = nullptr;
  for (const GateComparison& comparison : result.comparisons) {
    if (comparison.cell != cell || comparison.pictures == 0) continue;
    if (comparison.metric == "psnr-y") y = &comparison;
    if (comparison.metric == "psnr-rgb") rgb = &comparison;
    if (comparison.metric == "ssim-y") ssim = &comparison;
  }
  const auto worse = [](const GateComparison* comparison) { return comparison && is_worse(*comparison); };
  if (y && worse(rgb) && rgb->worsening > 0.1 + 2 * std::max(y->worsening, 0.0))
    return fmt::format(
        "colour rather than brightness: psnr-rgb fell by {} dB, psnr-y by {} dB; channels swapped "
        "or another colour conversion would do that",
        fixed(rgb->worsening, 2), fixed(y->worsening, 2));
  if (ssim && worse(y) && y->worsening > 1 && ssim->worsening < 0.01)
    return fmt::format(
        "levels rather than detail: psnr-y fell by {} dB, ssim-y by {} only; another gamma or range "
        "would do that",
        fixed(y->worsening, 2), fixed(ssim->worsening, 4));
  return std::nullopt;
}

std::vector<std::string> worst_pictures_of(const GateResult& result, const std::string& cell) {
  std::vector<std::string> names;
  for (const GateComparison& comparison : result.comparisons) {
    if (comparison.cell != cell || is_cost(comparison.about) || !is_worse(comparison)) continue;
    for (const auto& picture : comparison.worst)
      if (std::ranges::find(names, picture.name) == names.end()) names.push_back(picture.name);
  }
  return names;
}

void explain_pictures(const GateSide& base, const GateSide& now, const std::vector<std::string>& cells,
                      GateResult& result) {
  PictureEvidence evidence(base, now);
  std::set<std::string> notes;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i == kMostCellsLookedAt) {
      notes.insert(
          fmt::format("pictures of the first {} cells that got worse were looked at", kMostCellsLookedAt));
      break;
    }
    const PictureEvidence::Finding found = evidence.look(cells[i], worst_pictures_of(result, cells[i]));
    if (!found.text.empty()) {
      add_cause(result, Basis::pictures, found.text, cells[i]);
      continue;
    }
    if (!found.why_not.empty()) notes.insert(found.why_not);
    if (found.looked_at > 0) continue;
    if (const auto pattern = pattern_of(result, cells[i]))
      add_cause(result, Basis::scores, *pattern, cells[i]);
  }
  result.cause_notes.assign(notes.begin(), notes.end());
}

}  // namespace

void name_causes(const GateSide& base, const GateSide& now, GateResult& result) {
  const std::vector<std::string> worse = cells_of_worse_pictures(result);
  if (!worse.empty()) explain_pictures(base, now, worse, result);
  explain_costs(About::time, result);
  explain_costs(About::memory, result);
  const auto inputs = other_inputs(base, now);
  std::set<std::string> all(worse.begin(), worse.end());
  for (const About about : {About::time, About::memory})
    for (std::string& cell : worse_cells(result, about)) all.insert(std::move(cell));
  for (const GateSide::Cell& cell : base.cells) {
    if (!all.contains(cell.label)) continue;
    const bool of_quality = std::ranges::find(worse, cell.label) != worse.end();
    if (inputs && of_quality) add_cause(result, Basis::recorded, *inputs, cell.label);
    if (!add_recorded(base, now, cell.label, result) && !(inputs && of_quality))
      add_cause(result, Basis::recorded, program_text(base, now), cell.label);
  }
}

}  // namespace upbench
