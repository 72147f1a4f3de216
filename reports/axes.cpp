#include "reports/axes.h"

#include <algorithm>
#include <map>

namespace upbench {
namespace {

std::string parameter(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

}  // namespace

bool ReportAxis::varies() const {
  return std::any_of(of_cell.begin(), of_cell.end(),
                     [&](std::uint32_t value) { return value != of_cell.front(); });
}

std::vector<ReportAxis> find_axes(const std::vector<CellRow>& cells) {
  std::vector<ReportAxis> axes;
  std::map<std::string, std::size_t> index;
  std::vector<std::map<std::string, std::uint32_t>> values;
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    for (const auto& [path, value] : cells[cell].label) {
      const auto [at, added] = index.try_emplace(path, axes.size());
      if (added) {
        axes.push_back({.path = path,
                        .title = {},
                        .values = {},
                        .of_cell = std::vector<std::uint32_t>(cells.size(), kNoValue)});
        values.emplace_back();
      }
      ReportAxis& axis = axes[at->second];
      const auto [known, is_new] =
          values[at->second].try_emplace(value, static_cast<std::uint32_t>(axis.values.size()));
      if (is_new) axis.values.push_back(value);
      axis.of_cell[cell] = known->second;
    }
  }
  std::map<std::string, int> uses;
  for (const ReportAxis& axis : axes) ++uses[parameter(axis.path)];
  for (ReportAxis& axis : axes)
    axis.title = uses[parameter(axis.path)] == 1 ? parameter(axis.path) : axis.path;
  return axes;
}

std::vector<std::size_t> naming_axes(const std::vector<ReportAxis>& axes) {
  std::vector<std::size_t> naming;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i].varies()) naming.push_back(i);
  std::ranges::stable_partition(
      naming, [&](std::size_t i) { return axes[i].path == "run" || parameter(axes[i].path) == "model"; });
  if (naming.empty() && !axes.empty()) naming.push_back(0);
  return naming;
}

std::string cell_name(const std::vector<ReportAxis>& axes, std::uint32_t cell) {
  std::string name;
  for (const std::size_t i : naming_axes(axes)) {
    if (axes[i].of_cell[cell] == kNoValue) continue;
    name += name.empty() ? "" : " · " + axes[i].title + " ";
    name += axis_value(axes[i], cell);
  }
  return name.empty() ? "the only cell" : name;
}

const std::string& axis_value(const ReportAxis& axis, std::uint32_t cell) {
  static const std::string kEmpty;
  return axis.of_cell[cell] == kNoValue ? kEmpty : axis.values[axis.of_cell[cell]];
}

}  // namespace upbench
