#include "reports/decision/sweet_spots.h"
#include "harness/spec/read.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "harness/spec/read.h"
#include "reports/decision/verdict.h"
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

// Only lines of kLeastSettings or more.
Lines find_lines(const Analysis& analysis, std::size_t axis) {
  Lines lines;
  std::map<std::vector<std::uint32_t>, std::size_t> index;
  for (std::uint32_t cell = 0; cell < analysis.cells.size(); ++cell) {
    const std::optional<double> setting = plain_number(axis_value(analysis.axes[axis], cell));
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

// Settings that each of the lines has a comparable cell at.
std::vector<double> shared_settings(const Analysis& analysis, std::size_t m, const std::vector<Line>& lines) {
  std::map<double, std::size_t> count;
  for (const Line& line : lines)
    for (const auto& [setting, cell] : line)
      if (const MetricFigures& figures = analysis.cells[cell].metrics[m];
          figures.comparable && figures.scored > 0)
        ++count[setting];
  std::vector<double> settings;
  for (const auto& [setting, times] : count)
    if (times == lines.size()) settings.push_back(setting);
  return settings;
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
    for (std::size_t j = 0; j < settings.size(); ++j)
      for (std::size_t i = 0; i < pictures.size(); ++i)
        scores(static_cast<Index>(i), static_cast<Index>(j)) +=
            weight * analysis.cells[line.at(settings[j])].metrics[m].of_picture[pictures[i]];
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

// Where the curve is fitted. A spline over very uneven steps makes up what it likes in the wide ones.
std::vector<double> choose_positions(SweetSpot& spot) {
  std::vector<double> positions = spot.settings;
  if (greatest_step_ratio(positions) <= kUneven) return positions;
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

std::optional<SweetSpot> fit(const Analysis& analysis, SweetSpot spot, const std::vector<Line>& lines,
                             std::vector<std::uint32_t> pictures) {
  spot.settings = shared_settings(analysis, spot.metric, lines);
  if (spot.settings.size() < kLeastSettings) return {};
  std::erase_if(pictures, [&](std::uint32_t picture) {
    return !std::isfinite(
        analysis.cells[lines.front().at(spot.settings.front())].metrics[spot.metric].of_picture[picture]);
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
    const Lines lines = find_lines(analysis, axis);
    if (lines.cells.empty()) continue;
    const std::size_t groups = lines.cells.size() > 1 && lines.cells.size() <= kMostGroups
                                   ? lines.cells.size()
                                   : 0,
                      contents = classes.names.size() > 1 ? classes.names.size() : 0;
    for (std::size_t m = 0; m < analysis.data->plan.metrics.size(); ++m) {
      SweetSpot spot;
      spot.axis = axis;
      spot.metric = m;
      add(fit(analysis, spot, lines.cells, all));
      for (std::size_t g = 0; g < groups; ++g) {
        spot.group = lines.names[g];
        add(fit(analysis, spot, {lines.cells[g]}, all));
      }
      spot.group.clear();
      for (std::size_t c = 0; c < contents; ++c) {
        spot.content = classes.names[c];
        if (classes.pictures[c].size() >= kLeastOfClass)
          add(fit(analysis, spot, lines.cells, classes.pictures[c]));
      }
    }
  }
  return spots;
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
