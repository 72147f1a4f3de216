#include "reports/decision/sweet_spots.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "harness/spec/read.h"
#include "reports/decision/verdict.h"
#include "reports/render/format.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

using Eigen::Index;

constexpr std::size_t kLeastSettings = 3, kLeastPictures = 3, kLeastOfClass = 5;
constexpr double kUneven = 3;  // greatest over least step of settings that are fitted over
using Line = std::map<double, std::uint32_t>;

struct Lines {
  std::vector<std::string> names;
  std::vector<Line> cells;
};

// The other axes' values as a name: "lanczos · overlap 8".
std::string name_of_others(const Analysis& analysis, std::size_t axis, std::uint32_t cell) {
  std::string name;
  for (const std::size_t i : analysis.naming) {
    if (i == axis || analysis.axes[i].of_cell[cell] == kNoValue) continue;
    name += name.empty() ? "" : " · " + analysis.axes[i].title + " ";
    name += axis_value(analysis.axes[i], cell);
  }
  return name;
}

// Where the cell lies along the axis.
std::optional<double> setting_of(const Analysis& analysis, std::size_t axis, const DenoiseStarts& starts,
                                 std::uint32_t cell) {
  if (starts.empty()) return plain_number(axis_value(analysis.axes[axis], cell));
  const std::optional<DenoiseStart>& start = starts[cell];
  return start && start->sigma > 0 ? std::optional(start->sigma) : std::nullopt;
}

// Only lines of kLeastSettings or more.
Lines find_lines(const Analysis& analysis, std::size_t axis, const DenoiseStarts& starts) {
  Lines lines;
  std::map<std::vector<std::uint32_t>, std::size_t> index;
  for (std::uint32_t cell = 0; cell < analysis.cells.size(); ++cell) {
    const std::optional<double> setting = setting_of(analysis, axis, starts, cell);
    if (!setting) continue;
    std::vector<std::uint32_t> others;
    for (std::size_t i = 0; i < analysis.axes.size(); ++i)
      if (i != axis) others.push_back(analysis.axes[i].of_cell[cell]);
    const auto [at, added] = index.try_emplace(others, lines.cells.size());
    if (added) {
      lines.names.push_back(name_of_others(analysis, axis, cell));
      lines.cells.emplace_back();
    }
    lines.cells[at->second].try_emplace(*setting, cell);
  }
  for (std::size_t i = lines.cells.size(); i-- > 0;)
    if (lines.cells[i].size() < kLeastSettings) {
      lines.cells.erase(lines.cells.begin() + static_cast<std::ptrdiff_t>(i));
      lines.names.erase(lines.names.begin() + static_cast<std::ptrdiff_t>(i));
    }
  return lines;
}

std::vector<Line> comparable_lines(const Analysis& analysis, std::size_t m, std::vector<Line> lines) {
  for (Line& line : lines)
    std::erase_if(line, [&](const auto& entry) {
      const MetricFigures& figures = analysis.cells[entry.second].metrics[m];
      return !figures.comparable || figures.scored == 0;
    });
  return lines;
}

// Settings that each of the lines has.
std::vector<double> shared_settings(const std::vector<Line>& lines) {
  std::map<double, std::size_t> count;
  for (const Line& line : lines)
    for (const auto& [setting, cell] : line) ++count[setting];
  std::vector<double> settings;
  for (const auto& [setting, times] : count)
    if (times == lines.size()) settings.push_back(setting);
  return settings;
}

// Of the stretch that all lines cover, the settings of the line with the most there; none where a line has
// too few.
std::vector<double> covered_settings(const std::vector<Line>& lines) {
  double from = 0, to = std::numeric_limits<double>::infinity();
  for (const Line& line : lines) {
    if (line.empty()) return {};
    from = std::max(from, line.begin()->first);
    to = std::min(to, line.rbegin()->first);
  }
  std::vector<double> most;
  for (const Line& line : lines) {
    std::vector<double> inside;
    for (const auto& [setting, cell] : line)
      if (setting >= from && setting <= to) inside.push_back(setting);
    if (inside.size() < kLeastSettings) return {};
    if (inside.size() > most.size()) most = std::move(inside);
  }
  return most;
}

// The cells that a setting within the line lies between, and how far from the first to the second.
struct Between {
  std::uint32_t first = 0, second = 0;
  double share = 0;
};

Between between(const Line& line, double setting) {
  const auto second = line.lower_bound(setting);
  if (second->first == setting) return {second->second, second->second, 0};
  const auto first = std::prev(second);
  return {first->second, second->second,
          std::log(setting / first->first) / std::log(second->first / first->first)};
}

// Turned so that greater is better; averaged over the lines.
Eigen::MatrixXd scores_along(const Analysis& analysis, std::size_t m, const std::vector<Line>& lines,
                             const std::vector<double>& settings,
                             const std::vector<std::uint32_t>& pictures) {
  Eigen::MatrixXd scores =
      Eigen::MatrixXd::Zero(static_cast<Index>(pictures.size()), static_cast<Index>(settings.size()));
  const double weight =
      (analysis.metric(m).higher_is_better ? 1.0 : -1.0) / static_cast<double>(lines.size());
  for (const Line& line : lines)
    for (std::size_t j = 0; j < settings.size(); ++j) {
      const auto [first, second, share] = between(line, settings[j]);
      const std::vector<double>&before = analysis.cells[first].metrics[m].of_picture,
            &after = analysis.cells[second].metrics[m].of_picture;
      for (std::size_t i = 0; i < pictures.size(); ++i)
        scores(static_cast<Index>(i), static_cast<Index>(j)) +=
            weight * std::lerp(before[pictures[i]], after[pictures[i]], share);
    }
  return scores;
}

double greatest_step_ratio(const std::vector<double>& positions) {
  double least = std::numeric_limits<double>::infinity(), greatest = 0;
  for (std::size_t i = 1; i < positions.size(); ++i) {
    least = std::min(least, positions[i] - positions[i - 1]);
    greatest = std::max(greatest, positions[i] - positions[i - 1]);
  }
  return greatest / least;
}

// Where the curve is fitted: what a step of sigma does follows its ratio. A spline over very uneven steps
// makes up what it likes in the wide ones.
std::vector<double> choose_positions(SweetSpot& spot) {
  std::vector<double> positions = spot.settings;
  if (!spot.over_sigma && greatest_step_ratio(positions) <= kUneven) return positions;
  if (positions.front() > 0) {
    std::ranges::for_each(positions, [](double& value) { value = std::log2(value); });
    spot.logarithmic = greatest_step_ratio(positions) <= kUneven;
    if (spot.logarithmic) return positions;
  }
  spot.by_order = true;
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<double>(i);
  return positions;
}

// Positions of the fit -> settings.
void back_to_settings(SweetSpot& spot) {
  if (!spot.logarithmic && !spot.by_order) return;
  const auto back = [&](double& position) {
    if (spot.logarithmic) {
      position = std::exp2(position);
      return;
    }
    const std::size_t below = std::min(static_cast<std::size_t>(position), spot.settings.size() - 2);
    position =
        std::lerp(spot.settings[below], spot.settings[below + 1], position - static_cast<double>(below));
  };
  std::ranges::for_each(spot.response.at, back);
  back(spot.response.best);
  back(spot.response.best_interval.low);
  back(spot.response.best_interval.high);
}

// What the best setting, and each, is in the tools' own strengths.
void translate(SweetSpot& spot, const std::vector<Line>& lines, const DenoiseStarts& starts) {
  std::vector<std::uint32_t> cells;
  spot.in_tools.assign(spot.settings.size(), {});
  for (const Line& line : lines)
    for (const auto& [sigma, cell] : line) {
      cells.push_back(cell);
      const auto at = std::ranges::lower_bound(spot.settings, sigma);
      if (at == spot.settings.end() || *at != sigma) continue;
      std::string& text = spot.in_tools[static_cast<std::size_t>(at - spot.settings.begin())];
      if (text.empty()) text = tools_text(*starts[cell]);
    }
  if (spot.response.verdict != ResponseVerdict::no_effect)
    spot.denoise = translate_sigma(spot.response.best, starts, cells);
}

std::optional<SweetSpot> fit(const Analysis& analysis, SweetSpot spot, const std::vector<Line>& all_lines,
                             const DenoiseStarts& starts, std::vector<std::uint32_t> pictures) {
  const std::vector<Line> lines = comparable_lines(analysis, spot.metric, all_lines);
  spot.over_sigma = !starts.empty();
  spot.settings = spot.over_sigma ? covered_settings(lines) : shared_settings(lines);
  if (spot.settings.size() < kLeastSettings) return {};
  std::erase_if(pictures, [&](std::uint32_t picture) {
    const std::uint32_t any = lines.front().begin()->second;
    return !std::isfinite(analysis.cells[any].metrics[spot.metric].of_picture[picture]);
  });
  if (pictures.size() < kLeastPictures) return {};
  spot.pictures = pictures.size();
  spot.margin = margin_of(analysis, spot.metric);
  const Eigen::MatrixXd scores = scores_along(analysis, spot.metric, lines, spot.settings, pictures);
  const double sign = analysis.metric(spot.metric).higher_is_better ? 1 : -1;
  for (Index j = 0; j < scores.cols(); ++j) spot.means.push_back(sign * scores.col(j).mean());
  const std::vector<double> positions = choose_positions(spot);
  spot.response =
      fit_response(positions, scores,
                   {.margin = spot.margin, .bootstrap = affordable_resamples(spot.pictures, kResponseGrid)});
  back_to_settings(spot);
  if (spot.over_sigma) translate(spot, lines, starts);
  return spot;
}

}  // namespace

std::vector<SweetSpot> find_sweet_spots(const Analysis& analysis, const PictureClasses& classes) {
  std::vector<SweetSpot> spots;
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < analysis.data->plan.images.size(); ++i) all.push_back(i);
  const auto add = [&](std::optional<SweetSpot> spot) {
    if (spot) spots.push_back(std::move(*spot));
  };
  for (std::size_t axis = 0; axis < analysis.axes.size(); ++axis) {
    const DenoiseStarts starts = denoise_starts(analysis, axis);
    const Lines lines = find_lines(analysis, axis, starts);
    if (lines.cells.empty()) continue;
    const std::size_t groups = lines.cells.size() > 1 && lines.cells.size() <= kMostGroups
                                   ? lines.cells.size()
                                   : 0,
                      contents = classes.names.size() > 1 ? classes.names.size() : 0;
    for (std::size_t m = 0; m < analysis.data->plan.metrics.size(); ++m) {
      SweetSpot spot;
      spot.axis = axis;
      spot.metric = m;
      add(fit(analysis, spot, lines.cells, starts, all));
      for (std::size_t g = 0; g < groups; ++g) {
        spot.group = lines.names[g];
        add(fit(analysis, spot, {lines.cells[g]}, starts, all));
      }
      spot.group.clear();
      for (std::size_t c = 0; c < contents; ++c) {
        spot.content = classes.names[c];
        if (classes.pictures[c].size() >= kLeastOfClass)
          add(fit(analysis, spot, lines.cells, starts, classes.pictures[c]));
      }
    }
  }
  return spots;
}

std::string SweetSpot::shown(double setting) const {
  if (over_sigma) return fixed(setting, setting >= 9.995 ? 1 : setting >= 0.9995 ? 2 : 3);
  const double range = settings.back() - settings.front();
  return fixed(setting, range >= 50 ? 0 : range >= 5 ? 1 : range >= 0.5 ? 2 : 3);
}

Interval plateau_of(const SweetSpot& spot) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const std::vector<bool>& on = spot.response.plateau;
  std::optional<std::size_t> nearest;
  const auto away = [&](std::size_t i) { return std::abs(spot.settings[i] - spot.response.best); };
  for (std::size_t i = 0; i < on.size(); ++i)
    if (on[i] && (!nearest || away(i) < away(*nearest))) nearest = i;
  if (!nearest) return {kNone, kNone};
  std::size_t first = *nearest, last = *nearest;
  while (first > 0 && on[first - 1]) --first;
  while (last + 1 < on.size() && on[last + 1]) ++last;
  return {spot.settings[first], spot.settings[last]};
}

}  // namespace upbench
