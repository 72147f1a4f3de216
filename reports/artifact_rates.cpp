#include "reports/artifact_rates.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "reports/decision/classes.h"
#include "reports/headline_words.h"
#include "reports/statistics/proportion.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

using Decision = RunData::Decision;

// What one cell says of each picture: nothing, clean, or flagged.
using OfPictures = std::vector<Decision>;

Decision joined(Decision before, Decision now) {
  return std::max(before, now);  // flagged by any seed or detector is flagged
}

std::vector<std::size_t> deciding_metrics(const RunData& data) {
  std::vector<std::size_t> metrics;
  for (std::size_t m = 0; m < data.plan.metrics.size(); ++m)
    if (data.calibrated_by.contains(data.plan.metrics[m].name)) metrics.push_back(m);
  return metrics;
}

// Pictures of which a finished trial has no decision have none.
class CellDecisions {
 public:
  explicit CellDecisions(const Analysis& analysis)
      : analysis_(analysis), metrics_(deciding_metrics(*analysis.data)) {
    const RunData& data = *analysis.data;
    const std::size_t pictures = data.plan.images.size();
    all_.assign(analysis.cells.size(),
                std::vector<OfPictures>(metrics_.size(), OfPictures(pictures, Decision::none)));
    std::vector<std::vector<std::vector<bool>>> lost(
        analysis.cells.size(), std::vector<std::vector<bool>>(metrics_.size(), std::vector<bool>(pictures)));
    for (std::size_t t = 0; t < data.trials.size(); ++t) {
      const RunData::Trial& trial = data.trials[t];
      if (!trial.finished || trial.status == Status::skipped) continue;
      for (std::size_t i = 0; i < metrics_.size(); ++i) {
        const Decision now = data.decision(t, metrics_[i]);
        if (now == Decision::none) lost[trial.cell][i][trial.image] = true;
        Decision& kept = all_[trial.cell][i][trial.image];
        kept = joined(kept, now);
      }
    }
    for (std::size_t c = 0; c < all_.size(); ++c)
      for (std::size_t i = 0; i < metrics_.size(); ++i)
        for (std::size_t p = 0; p < pictures; ++p)
          if (lost[c][i][p]) all_[c][i][p] = Decision::none;
  }

  const std::vector<std::size_t>& metrics() const { return metrics_; }
  const OfPictures& of(std::size_t cell, std::size_t index) const { return all_[cell][index]; }
  bool gates(std::size_t index) const { return analysis_.data->gating.contains(name(index)); }
  const std::string& name(std::size_t index) const { return analysis_.metric(metrics_[index]).name; }
  bool any_gates() const {
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      if (gates(i)) return true;
    return false;
  }

  // By the detectors that gate: flagged where any says so, else clean where any says so.
  OfPictures together(std::size_t cell) const {
    OfPictures result(analysis_.data->plan.images.size(), Decision::none);
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      if (gates(i))
        for (std::size_t p = 0; p < result.size(); ++p) result[p] = joined(result[p], all_[cell][i][p]);
    return result;
  }

 private:
  const Analysis& analysis_;
  std::vector<std::size_t> metrics_;
  std::vector<std::vector<OfPictures>> all_;  // by cell and metric
};

std::size_t count_of(const nlohmann::json& object, const char* name, const char* which) {
  const nlohmann::json::json_pointer at(fmt::format("/{}/{}", name, which));
  return object.contains(at) && object[at].is_number_unsigned() ? object[at].get<std::size_t>() : 0;
}

// Zero counts where the calibration does not say.
DetectorCounts counts_of(const RunData& data, const std::string& version, const std::string& detector) {
  const auto file = data.calibrations.find(version);
  if (file == data.calibrations.end()) return {};
  const nlohmann::json json = nlohmann::json::parse(file->second, nullptr, false);
  const nlohmann::json::json_pointer at(detector == kAnyArtifact ? "/union" : "/detectors/" + detector);
  if (!json.is_object() || !json.contains(at)) return {};
  const nlohmann::json& object = json[at];
  return {.found = count_of(object, "sensitivity", "k"),
          .defective = count_of(object, "sensitivity", "n"),
          .passed = count_of(object, "specificity", "k"),
          .clean = count_of(object, "specificity", "n")};
}

// The union was measured for all detectors that gate: with fewer of them in the run nothing is known.
DetectorCounts union_counts(const CellDecisions& decisions, const RunData& data) {
  std::string version;
  std::size_t gating = 0;
  for (std::size_t i = 0; i < decisions.metrics().size(); ++i) {
    if (!decisions.gates(i)) continue;
    ++gating;
    version = data.calibrated_by.at(decisions.name(i));
  }
  const auto file = data.calibrations.find(version);
  if (file == data.calibrations.end()) return {};
  const nlohmann::json json = nlohmann::json::parse(file->second, nullptr, false);
  if (!json.is_object() || !json.contains("detectors")) return {};
  const auto all = std::ranges::count_if(json["detectors"], [](const nlohmann::json& detector) {
    return detector.is_object() && detector.value("status", "") == "calibrated";
  });
  return static_cast<std::size_t>(all) == gating ? counts_of(data, version, kAnyArtifact) : DetectorCounts{};
}

std::optional<ArtifactRate> rate_of(const OfPictures& decisions, const std::vector<std::uint32_t>* pictures,
                                    const DetectorCounts& detector) {
  ArtifactRate rate;
  const auto count = [&](Decision decision) {
    rate.pictures += decision != Decision::none;
    rate.flagged += decision == Decision::flagged;
  };
  if (pictures)
    for (const std::uint32_t picture : *pictures) count(decisions[picture]);
  else
    std::ranges::for_each(decisions, count);
  if (rate.pictures == 0) return std::nullopt;
  rate.interval = wilson_interval(rate.flagged, rate.pictures);
  rate.at_most = rate_upper_bound(rate.flagged, rate.pictures);
  if (detector.tells()) {
    rate.corrected = corrected_rate(rate.flagged, rate.pictures, detector);
    rate.corrected_interval = corrected_rate_interval(rate.flagged, rate.pictures, detector);
  }
  return rate;
}

// Of a cell: the union, then every detector, on all pictures or those of a class.
void add_rates(const Analysis& analysis, const CellDecisions& decisions, std::size_t cell,
               const std::string& picture_class, const std::vector<std::uint32_t>* pictures,
               std::vector<ArtifactRate>& rates) {
  const RunData& data = *analysis.data;
  const auto add = [&](const OfPictures& of, const std::string& artifact, bool gates,
                       const DetectorCounts& counts) {
    std::optional<ArtifactRate> rate = rate_of(of, pictures, counts);
    if (!rate) return;
    rate->cell = cell;
    rate->artifact = artifact;
    rate->picture_class = picture_class;
    rate->gates = gates;
    rates.push_back(std::move(*rate));
  };
  if (decisions.any_gates()) add(decisions.together(cell), kAnyArtifact, true, union_counts(decisions, data));
  for (std::size_t i = 0; i < decisions.metrics().size(); ++i) {
    const std::string& name = decisions.name(i);
    add(decisions.of(cell, i), name, decisions.gates(i), counts_of(data, data.calibrated_by.at(name), name));
  }
}

Table::Column column(const char* id, const char* title, Table::Kind kind = Table::Kind::text) {
  return {.id = id, .title = title, .kind = kind, .decimals = 3};
}

Table::Cell rate_cell(double rate, const Interval& interval) {
  Table::Cell cell = value_cell(rate);
  cell.interval = interval;
  return cell;
}

Table::Row row_of(const Analysis& analysis, const ArtifactRate& rate) {
  Table::Row row;
  row.cells = {
      text_cell(analysis.cells[rate.cell].name),
      text_cell(rate.artifact),
      text_cell(rate.gates ? "calibrated" : "experimental"),
      value_cell(static_cast<double>(rate.flagged)),
      value_cell(static_cast<double>(rate.pictures)),
      rate_cell(static_cast<double>(rate.flagged) / static_cast<double>(rate.pictures), rate.interval),
      rate.corrected ? rate_cell(*rate.corrected, rate.corrected_interval) : Table::Cell{},
      value_cell(rate.at_most)};
  return row;
}

std::vector<Table::Column> rate_columns() {
  std::vector<Table::Column> columns = {column("cell", "cell"),
                                        column("artifact", "artifact"),
                                        column("status", "status"),
                                        column("flagged", "flagged", Table::Kind::count),
                                        column("n", "n", Table::Kind::count),
                                        column("rate", "rate", Table::Kind::ratio),
                                        column("corrected", "corrected", Table::Kind::ratio),
                                        column("at_most", "at most", Table::Kind::ratio)};
  columns[5].interval = columns[6].interval = true;
  return columns;
}

std::string percent(double rate) {
  return fmt::format("{:.3g} %", 100 * rate);
}

struct CellPair {
  std::size_t first = 0, second = 0, both = 0, only_first = 0, only_second = 0, pictures = 0;
  double p = 1, p_adjusted = 1;
};

std::vector<CellPair> compare_cells(const Analysis& analysis) {
  const CellDecisions decisions(analysis);
  std::vector<CellPair> pairs;
  if (!decisions.any_gates()) return pairs;
  std::vector<OfPictures> together;
  for (std::size_t c = 0; c < analysis.cells.size(); ++c) together.push_back(decisions.together(c));
  for (std::size_t a = 0; a < together.size(); ++a)
    for (std::size_t b = a + 1; b < together.size(); ++b) {
      CellPair pair{.first = a, .second = b};
      for (std::size_t p = 0; p < together[a].size(); ++p) {
        if (together[a][p] == Decision::none || together[b][p] == Decision::none) continue;
        const bool in_a = together[a][p] == Decision::flagged, in_b = together[b][p] == Decision::flagged;
        ++pair.pictures;
        pair.both += in_a && in_b;
        pair.only_first += in_a && !in_b;
        pair.only_second += in_b && !in_a;
      }
      if (pair.pictures == 0) continue;
      pair.p = mcnemar_test(pair.only_first, pair.only_second);
      pairs.push_back(pair);
    }
  std::vector<double> p;
  for (const CellPair& pair : pairs) p.push_back(pair.p);
  p = holm(p);
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].p_adjusted = p[i];
  return pairs;
}

}  // namespace

std::vector<ArtifactRate> artifact_rates(const Analysis& analysis) {
  const CellDecisions decisions(analysis);
  const PictureClasses classes = find_classes(*analysis.data);
  std::vector<ArtifactRate> rates;
  for (std::size_t c = 0; c < analysis.cells.size(); ++c) {
    add_rates(analysis, decisions, c, "", nullptr, rates);
    for (std::size_t k = 0; k < classes.names.size(); ++k)
      add_rates(analysis, decisions, c, classes.names[k], &classes.pictures[k], rates);
  }
  return rates;
}

Table artifact_rates_table(const Analysis& analysis) {
  Table table{
      .id = "artifacts", .title = "Artifact rates", .caption = {}, .columns = rate_columns(), .rows = {}};
  table.caption =
      "Pictures that a detector flags, with Wilson's 95 % interval. Corrected: the share that has the "
      "defect, "
      "with the detector's sensitivity and specificity (Rogan, Gladen; interval of Lang, Reiczigel). At "
      "most: "
      "one-sided 95 % bound. Any artifact: the calibrated detectors together; experimental ones do not "
      "count.";
  for (const ArtifactRate& rate : artifact_rates(analysis))
    if (rate.picture_class.empty()) table.add(row_of(analysis, rate));
  return table;
}

Table artifact_classes_table(const Analysis& analysis) {
  Table table{.id = "artifact-classes",
              .title = "Artifact rates by class of picture",
              .caption = "As artifact rates, of the pictures of one class.",
              .columns = rate_columns(),
              .rows = {}};
  table.columns.insert(table.columns.begin(), column("class", "class"));
  for (const ArtifactRate& rate : artifact_rates(analysis)) {
    if (rate.picture_class.empty()) continue;
    Table::Row row = row_of(analysis, rate);
    row.cells.insert(row.cells.begin(), text_cell(rate.picture_class));
    table.add(std::move(row));
  }
  return table;
}

Table artifact_pairs_table(const Analysis& analysis) {
  Table table{.id = "artifact-pairs",
              .title = "Artifacts of two cells on the same pictures",
              .caption = {},
              .columns = {},
              .rows = {}};
  table.caption = "Pictures with any artifact. McNemar's exact test; Holm over all pairs of cells.";
  table.columns = {column("first", "first"),
                   column("second", "second"),
                   column("n", "n", Table::Kind::count),
                   column("both", "in both", Table::Kind::count),
                   column("only_first", "only in the first", Table::Kind::count),
                   column("only_second", "only in the second", Table::Kind::count),
                   column("p", "p", Table::Kind::number),
                   column("p_adjusted", "p, adjusted", Table::Kind::number)};
  const auto count = [](std::size_t n) { return value_cell(static_cast<double>(n)); };
  for (const CellPair& pair : compare_cells(analysis)) {
    Table::Row row;
    row.cells = {text_cell(analysis.cells[pair.first].name),
                 text_cell(analysis.cells[pair.second].name),
                 count(pair.pictures),
                 count(pair.both),
                 count(pair.only_first),
                 count(pair.only_second),
                 value_cell(pair.p),
                 value_cell(pair.p_adjusted)};
    table.add(std::move(row));
  }
  return table;
}

std::vector<Sentence> artifact_findings(const Analysis& analysis) {
  std::vector<ArtifactRate> rates = artifact_rates(analysis);
  std::erase_if(rates, [](const ArtifactRate& rate) {
    return rate.artifact != kAnyArtifact || !rate.picture_class.empty();
  });
  if (rates.empty()) return {};
  const auto share = [](const ArtifactRate& rate) {
    return static_cast<double>(rate.flagged) / static_cast<double>(rate.pictures);
  };
  const auto words = [&](const ArtifactRate& rate) {
    const std::string bounds = rate.flagged == 0
                                   ? fmt::format("at most {}", percent(rate.at_most))
                                   : fmt::format("{} [{}, {}]", percent(share(rate)),
                                                 percent(rate.interval.low), percent(rate.interval.high));
    return fmt::format("{} on {} of {} picture{} ({})", analysis.cells[rate.cell].name, rate.flagged,
                       rate.pictures, plural(rate.pictures), bounds);
  };
  const auto [fewest, most] = std::ranges::minmax_element(rates, {}, share);
  if (rates.size() == 1 || share(*fewest) == share(*most))
    return {{fmt::format("Artifacts: {}{}.", words(*fewest),
                         rates.size() > 1 ? "; no cell has a higher share than another" : ""),
             "artifacts"}};
  std::string text = fmt::format("Artifacts: fewest with {}, most with {}", words(*fewest), words(*most));
  const auto pairs = compare_cells(analysis);
  const auto pair = std::ranges::find_if(pairs, [&](const CellPair& each) {
    return (each.first == fewest->cell && each.second == most->cell) ||
           (each.first == most->cell && each.second == fewest->cell);
  });
  if (pair != pairs.end())
    text += pair->p_adjusted <= 0.05
                ? fmt::format("; the difference is not chance ({})", p_text(pair->p_adjusted))
                : fmt::format("; that may be chance ({})", p_text(pair->p_adjusted));
  return {{text + ".", "artifacts"}};
}

std::vector<Sentence> artifact_warnings(const Analysis& analysis) {
  const CellDecisions decisions(analysis);
  std::vector<std::string> experimental;
  for (std::size_t i = 0; i < decisions.metrics().size(); ++i)
    if (!decisions.gates(i)) experimental.push_back(decisions.name(i));
  std::vector<Sentence> warnings;
  if (!experimental.empty())
    warnings.push_back(
        {fmt::format("Experimental artifact detector{}, shown and not counted in any artifact: {}.",
                     plural(experimental.size()), fmt::join(experimental, ", ")),
         "artifacts"});
  return warnings;
}

}  // namespace upbench
