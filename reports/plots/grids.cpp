// Two axes against each other: how large tiles are and how much they share, which checkpoint goes with which.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "harness/spec/read.h"
#include "reports/plots/heat_map.h"
#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

namespace vl = vega_lite;

constexpr std::size_t kMostSide = 40;     // values of an axis that a reader can tell apart
constexpr const char* kSeam = "seam";     // the detector that says what tiles do
constexpr std::size_t kMostMatrices = 3;  // pairs of checkpoints

struct Pair {
  std::size_t x = 0, y = 0;  // axes
  std::string name, title;
};

std::string stage_of(const ReportAxis& axis) {
  return axis.path.substr(0, axis.path.find('.'));
}

std::string parameter_of(const ReportAxis& axis) {
  const std::size_t dot = axis.path.find('.');
  return dot == std::string::npos ? axis.path : axis.path.substr(dot + 1);
}

bool fits(const ReportAxis& axis) {
  return axis.varies() && axis.values.size() <= kMostSide;
}

// Of one stage: the size of its tiles, and what they share (or, where that is fixed, what is thrown away).
std::vector<Pair> tile_pairs(const std::vector<ReportAxis>& axes) {
  std::vector<Pair> pairs;
  for (std::size_t size = 0; size < axes.size(); ++size) {
    const std::string parameter = parameter_of(axes[size]);
    if (!fits(axes[size]) || (parameter != "tile" && parameter != "tile.size")) continue;
    for (const char* shared : {"overlap", "tile.overlap", "tile.padding", "context"})
      for (std::size_t other = 0; other < axes.size(); ++other)
        if (fits(axes[other]) && stage_of(axes[other]) == stage_of(axes[size]) &&
            parameter_of(axes[other]) == shared &&
            std::ranges::none_of(pairs, [&](const Pair& pair) { return pair.x == size; }))
          pairs.push_back({size, other, fmt::format("tiles_{}", stage_of(axes[size])),
                           fmt::format("tile size and {}", clean_text(axes[other].title))});
  }
  return pairs;
}

// Weights of two stages, or of two parts of one.
std::vector<Pair> checkpoint_pairs(const std::vector<ReportAxis>& axes) {
  constexpr const char* kWeights[] = {"model",    "checkpoint", "refiner", "refiner.checkpoint",
                                      "upscaler", "vae",        "lora",    "control-net"};
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (fits(axes[i]) && std::ranges::find(kWeights, parameter_of(axes[i])) != std::end(kWeights))
      which.push_back(i);
  std::vector<Pair> pairs;
  for (std::size_t a = 0; a < which.size(); ++a)
    for (std::size_t b = a + 1; b < which.size() && pairs.size() < kMostMatrices; ++b)
      pairs.push_back(
          {which[b], which[a], fmt::format("checkpoints_{}_{}", axes[which[a]].path, axes[which[b]].path),
           fmt::format("{} and {}", clean_text(axes[which[a]].title), clean_text(axes[which[b]].title))});
  return pairs;
}

// Numbers ascend, whatever else comes first.
std::vector<std::uint32_t> drawn_order(const ReportAxis& axis) {
  std::vector<std::uint32_t> order(axis.values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t value) {
    return plain_number(axis.values[value]).value_or(-std::numeric_limits<double>::infinity());
  });
  return order;
}

// The mean over the cells of a field of what a cell has.
class Grid {
 public:
  Grid(const Analysis& analysis, const Pair& pair)
      : x_(analysis.axes[pair.x]),
        y_(analysis.axes[pair.y]),
        columns_(drawn_order(x_)),
        rows_(drawn_order(y_)),
        cells_(columns_.size() * rows_.size()) {
    for (std::uint32_t cell = 0; cell < analysis.cells.size(); ++cell) {
      if (x_.of_cell[cell] == kNoValue || y_.of_cell[cell] == kNoValue) continue;
      const auto i = std::ranges::find(columns_, x_.of_cell[cell]) - columns_.begin(),
                 j = std::ranges::find(rows_, y_.of_cell[cell]) - rows_.begin();
      cells_[static_cast<std::size_t>(j) * columns_.size() + static_cast<std::size_t>(i)].push_back(cell);
    }
    map_.x_title = clean_text(x_.title);
    map_.y_title = clean_text(y_.title);
    for (const std::uint32_t value : columns_) map_.x.push_back(clean_text(x_.values[value]));
    for (const std::uint32_t value : rows_) map_.y.push_back(clean_text(y_.values[value]));
  }

  // value: NaN where the cell has none; shown: with unit.
  HeatMap map(const std::function<double(std::uint32_t cell)>& value,
              const std::function<std::size_t(std::uint32_t cell)>& pictures) const {
    HeatMap map = map_;
    map.fields.resize(cells_.size());
    for (std::size_t f = 0; f < cells_.size(); ++f) {
      std::vector<double> values;
      for (const std::uint32_t cell : cells_[f]) {
        if (!std::isfinite(value(cell))) continue;
        values.push_back(value(cell));
        map.fields[f].pictures = std::max(map.fields[f].pictures, pictures(cell));
      }
      map.fields[f].cells = values.size();
      if (!values.empty()) map.fields[f].value = mean(values);
    }
    return map;
  }

  bool averages() const {
    return std::ranges::any_of(cells_, [](const auto& cells) { return cells.size() > 1; });
  }

 private:
  const ReportAxis &x_, &y_;
  std::vector<std::uint32_t> columns_, rows_;
  std::vector<std::vector<std::uint32_t>> cells_;  // as HeatMap::fields
  HeatMap map_;
};

std::string caption_of(const Grid& grid, const char* what) {
  return fmt::format("{}{} Empty: not part of the run, or no score.", what,
                     grid.averages() ? ", mean over the cells that differ in the other axes." : ".");
}

std::optional<Plot> quality_map(const Analysis& analysis, const Grid& grid, const Pair& pair, std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  HeatMap map = grid.map(
      [&](std::uint32_t cell) {
        const MetricFigures& figures = analysis.cells[cell].metrics[m];
        return figures.comparable ? figures.mean : std::nan("");
      },
      [&](std::uint32_t cell) { return analysis.cells[cell].metrics[m].scored; });
  for (HeatMap::Field& field : map.fields) {
    field.shown = fixed(field.value, metric.decimals);
    field.told = vl::shown(metric, field.value);
  }
  map.name = fmt::format("{}_{}", pair.name, metric.name);
  map.title = fmt::format("{} by {}", clean_text(metric.name), pair.title);
  map.subtitle = fmt::format("n = {} pictures", analysis.data->plan.images.size());
  map.caption = caption_of(grid, "Mean over pictures of cells that scored all of them");
  map.value_title = vl::axis_title(metric);
  map.higher_is_better = metric.higher_is_better;
  return plot_heat_map(map);
}

std::optional<Plot> time_map(const Analysis& analysis, const Grid& grid, const Pair& pair) {
  const CellTimes seconds(analysis);
  HeatMap map = grid.map([&](std::uint32_t cell) { return seconds(cell) > 0 ? seconds(cell) : std::nan(""); },
                         [&](std::uint32_t cell) {
                           return seconds.is_model() ? analysis.cells[cell].model_timed
                                                     : analysis.data->plan.images.size();
                         });
  for (HeatMap::Field& field : map.fields)
    field.shown = field.told =
        format_value({.id = {}, .title = {}, .kind = Table::Kind::seconds}, field.value);
  map.name = fmt::format("{}_time", pair.name);
  map.title = fmt::format("time by {}", pair.title);
  map.subtitle = fmt::format("{} time, n = {} pictures", seconds.clock(), analysis.data->plan.images.size());
  map.caption = caption_of(grid, "Median time of a picture");
  map.value_title = fmt::format("{} time [s], lower is better", seconds.clock());
  map.higher_is_better = false;
  return plot_heat_map(map);
}

}  // namespace

std::vector<Plot> plot_grids(const Analysis& analysis) {
  std::vector<Plot> plots;
  const auto add = [&](std::optional<Plot> plot) {
    if (plot) plots.push_back(std::move(*plot));
  };
  std::vector<Pair> pairs = tile_pairs(analysis.axes);
  std::ranges::move(checkpoint_pairs(analysis.axes), std::back_inserter(pairs));
  for (const Pair& pair : pairs) {
    const Grid grid(analysis, pair);
    const std::vector<std::size_t> quality = analysis.quality_metrics();
    for (std::size_t m = 0; m < analysis.data->plan.metrics.size(); ++m)
      if (std::ranges::count(quality, m) > 0 || analysis.metric(m).name == kSeam)
        add(quality_map(analysis, grid, pair, m));
    add(time_map(analysis, grid, pair));
  }
  return plots;
}

}  // namespace upbench
