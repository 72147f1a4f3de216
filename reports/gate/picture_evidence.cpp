#include "reports/gate/picture_evidence.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/store.h"
#include "harness/store/kept_names.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

constexpr std::size_t kMostPictures = 3;

std::optional<std::size_t> place_of_cell(const GateSide& side, const std::string& label) {
  const auto found = std::ranges::find(side.cells, label, &GateSide::Cell::label);
  if (found == side.cells.end()) return std::nullopt;
  return static_cast<std::size_t>(found - side.cells.begin());
}

// The first seed's trial.
const GateSide::Trial* find_trial(const GateSide& side, const std::string& cell, const std::string& picture) {
  const auto c = place_of_cell(side, cell);
  const auto p = std::ranges::find(side.pictures, picture, &GateSide::Picture::name);
  if (!c || p == side.pictures.end()) return nullptr;
  const auto place = static_cast<std::size_t>(p - side.pictures.begin());
  const auto found = side.trials.lower_bound({*c, place, 0});
  if (found == side.trials.end() || std::get<0>(found->first) != *c || std::get<1>(found->first) != place)
    return nullptr;
  return &found->second;
}

// Empty: there is none. A baseline is a text that anyone may have edited; only a digest names a file.
std::filesystem::path kept_file(const GateSide& side, const GateSide::Trial& trial) {
  if (side.outputs.empty() || trial.pixels.empty()) return {};
  std::filesystem::path file;
  try {
    file = side.outputs / kept_output_name(parse_digest(trial.pixels));
  } catch (const std::invalid_argument&) {
    return {};
  }
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) ? file : std::filesystem::path();
}

std::string no_pictures(const GateSide& side) {
  return side.outputs.empty()
             ? fmt::format("{} has no pictures to tell causes by; --base-outputs names their folder",
                           side.source)
             : fmt::format("{} does not hold the pictures to tell causes by", side.outputs.string());
}

// Boundaries of the last stage's tiles, whose pixels are those of the output.
std::vector<BoundaryRow> boundaries_of(const GateSide& side, const GateSide::Trial& trial,
                                       const nlohmann::json& settings) {
  if (trial.output.empty() || !settings.is_array() || settings.empty()) return {};
  const std::string last = settings.back().value("id", "");
  std::vector<BoundaryRow> boundaries =
      Store(side.source, Store::Access::read).boundaries(parse_digest(trial.output));
  std::erase_if(boundaries, [&](const BoundaryRow& boundary) { return boundary.stage != last; });
  return boundaries;
}

struct Looked {
  std::string picture;
  std::vector<PictureChange> changes;
};

// The kind that is telling on most pictures, the most explaining one where several are.
std::string told(const std::vector<Looked>& looked) {
  std::string best;
  double most = 0;
  for (const auto kind : {PictureChange::Kind::shift, PictureChange::Kind::channels,
                          PictureChange::Kind::tone, PictureChange::Kind::tile_borders}) {
    std::vector<double> explained;
    std::vector<std::string> names;
    const PictureChange* example = nullptr;
    for (const Looked& one : looked)
      for (const PictureChange& change : one.changes)
        if (change.kind == kind && is_telling(change)) {
          explained.push_back(change.explained);
          names.push_back(one.picture);
          if (!example || change.explained > example->explained) example = &change;
        }
    if (2 * names.size() <= looked.size() || median(explained) <= most) continue;
    most = median(explained);
    best = kind == PictureChange::Kind::tile_borders
               ? fmt::format("{} (looked at {})", example->text, fmt::join(names, ", "))
               : fmt::format(
                     "{}: the same done to the base's pictures removes {:.0f} % of the difference (looked "
                     "at {})",
                     example->text, 100 * most, fmt::join(names, ", "));
  }
  return best;
}

}  // namespace

PictureEvidence::Finding PictureEvidence::look(const std::string& cell,
                                               const std::vector<std::string>& pictures) const {
  Finding finding;
  std::vector<Looked> looked;
  for (const std::string& picture : pictures) {
    if (looked.size() == kMostPictures) break;
    const GateSide::Trial *before = find_trial(base_, cell, picture),
                          *after = find_trial(now_, cell, picture);
    if (!before || !after || before->pixels == after->pixels) continue;
    const std::filesystem::path was = kept_file(base_, *before), is = kept_file(now_, *after);
    if (was.empty() || is.empty()) {
      finding.why_not = no_pictures(was.empty() ? base_ : now_);
      continue;
    }
    try {
      std::vector<BoundaryRow> boundaries =
          boundaries_of(now_, *after, now_.cells[*place_of_cell(now_, cell)].settings);
      if (boundaries.empty())
        boundaries = boundaries_of(base_, *before, base_.cells[*place_of_cell(base_, cell)].settings);
      looked.push_back({picture, explain_difference(read_planes(was), read_planes(is), boundaries)});
    } catch (const std::exception& error) {
      finding.why_not = fmt::format("{}: {}", picture, error.what());
    }
  }
  finding.looked_at = looked.size();
  finding.text = told(looked);
  if (finding.text.empty() && !looked.empty())
    finding.why_not = fmt::format(
        "{}: its pictures differ by no shift, channel order, tone or borders of tiles "
        "alone",
        cell);
  return finding;
}

}  // namespace upbench
