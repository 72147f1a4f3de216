#include "reports/sheet/run_sheet.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/analysis.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

constexpr std::size_t kShownMetrics = 2;

// The sheet's font has no "·".
std::string plain(std::string text) {
  static const std::string kDot = " · ";
  for (std::size_t at = text.find(kDot); at != text.npos; at = text.find(kDot))
    text.replace(at, kDot.size(), ", ");
  return clean_text(text);
}

std::string scores_text(const RunData& data, std::size_t trial) {
  std::string text;
  for (std::size_t m = 0; m < std::min(kShownMetrics, data.plan.metrics.size()); ++m) {
    const MetricRow& metric = data.plan.metrics[m];
    const RunData::Score& score = data.score(trial, m);
    if (score.flag == ValueFlag::ok)
      text += fmt::format("  {} {}", metric.name, fixed(score.value, metric.decimals));
    if (score.flag == ValueFlag::inf) text += fmt::format("  {} inf", metric.name);
  }
  return text;
}

std::string why_missing(const RunData& data, const RunData::Trial& trial) {
  if (!trial.finished) return "not computed yet";
  if (trial.status == Status::ok) return "not kept";
  return fmt::format("{}: {}", to_string(trial.status), clean_text(data.text(trial.reason)));
}

struct Grid {
  using Row = std::pair<std::uint32_t, std::uint64_t>;  // picture, seed
  std::vector<std::uint32_t> cells;
  std::vector<Row> rows;
  std::map<std::pair<std::uint32_t, Row>, std::size_t> trials;  // by cell and row
  bool has_seeds = false;
};

Grid find_grid(const Analysis& analysis, const std::vector<std::filesystem::path>& kept) {
  const RunData& data = *analysis.data;
  Grid grid;
  std::set<std::uint32_t> cells;
  std::set<Grid::Row> rows;
  std::set<std::uint64_t> seeds;
  for (std::size_t t = 0; t < data.trials.size(); ++t) {
    const RunData::Trial& trial = data.trials[t];
    seeds.insert(trial.seed);
    if (kept[t].empty()) continue;
    cells.insert(trial.cell);
    rows.insert({trial.image, trial.seed});
  }
  for (const std::uint32_t cell : analysis.ranking)
    if (cells.contains(cell)) grid.cells.push_back(cell);
  grid.rows.assign(rows.begin(), rows.end());
  grid.has_seeds = seeds.size() > 1;
  for (std::size_t t = 0; t < data.trials.size(); ++t) {
    const Grid::Row row{data.trials[t].image, data.trials[t].seed};
    if (rows.contains(row) && cells.contains(data.trials[t].cell))
      grid.trials[{data.trials[t].cell, row}] = t;
  }
  return grid;
}

// A store that comes from elsewhere may name any file.
bool lies_inside(const std::filesystem::path& file) {
  return !file.is_absolute() && std::ranges::find(file, "..") == file.end();
}

}  // namespace

std::vector<std::string> kept_files(const Store& store, const Digest& run) {
  std::vector<std::string> files;
  store.for_each_trial(run, [&](const TrialResult& result) {
    files.push_back(lies_inside(result.kept_file) ? result.kept_file : std::string());
  });
  return files;
}

Sheet make_sheet(const RunData& data, const std::vector<std::filesystem::path>& kept) {
  const Analysis analysis = analyse(data);
  const Grid grid = find_grid(analysis, kept);
  if (grid.rows.empty())
    throw std::invalid_argument(fmt::format(
        "{}: keeps no output pictures to make a sheet of (upbench run --keep-outputs all)", data.source));
  std::vector<SheetEntry> entries;
  for (const Grid::Row& row : grid.rows)
    for (const std::uint32_t cell : grid.cells) {
      SheetEntry entry{.file = {},
                       .method = plain(analysis.cells[cell].name),
                       .picture = plain(data.plan.images[row.first].name),
                       .missing = "not part of the run"};
      if (grid.has_seeds) entry.picture += fmt::format(", seed {}", row.second);
      if (const auto found = grid.trials.find({cell, row}); found != grid.trials.end()) {
        const RunData::Trial& trial = data.trials[found->second];
        entry.file = kept[found->second];
        entry.width = trial.width;
        entry.height = trial.height;
        entry.picture += scores_text(data, found->second);
        entry.missing = entry.file.empty() ? why_missing(data, trial) : std::string();
      }
      entries.push_back(std::move(entry));
    }
  return {std::move(entries), grid.cells.size()};
}

}  // namespace upbench
