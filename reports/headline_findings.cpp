// What the numbers say, in words: one sentence or two a metric, and what they hang on.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/decision/tables.h"
#include "reports/headline.h"
#include "reports/headline_words.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

constexpr std::size_t kMostPictures = 1'000'000;  // more than that is as good as never

const std::string& name_of(const Analysis& analysis, const Contender& contender) {
  return analysis.cells[contender.cell].name;
}

// "lanczos, 0.31 dB [0.10, 0.52] behind and beaten on 4 of 5 pictures"
std::string behind(const Analysis& analysis, const Verdict& verdict, const Contender& contender) {
  return fmt::format("{}, {} behind and beaten on {} of {} picture{}", name_of(analysis, contender),
                     difference_text(analysis.metric(verdict.metric), contender.rival.behind),
                     contender.rival.wins, verdict.pictures, plural(verdict.pictures));
}

// The best of the contenders that `fits`, the best itself left out.
std::optional<std::size_t> next(const Verdict& verdict, auto fits) {
  for (std::size_t i = 1; i < verdict.contenders.size(); ++i)
    if (fits(i)) return i;
  return {};
}

// Where the next is the same model with another tile, the reader wants to know the next model as well.
std::string next_model(const Analysis& analysis, const Verdict& verdict, std::size_t after) {
  if (analysis.naming.size() < 2) return {};
  const ReportAxis& axis = analysis.axes[analysis.naming.front()];
  const std::vector<std::uint32_t> leaders = verdict.leaders();
  const auto is_other = [&](std::size_t i) {
    return std::ranges::none_of(leaders, [&](std::uint32_t leader) {
      return axis.of_cell[leader] == axis.of_cell[verdict.contenders[i].cell];
    });
  };
  if (is_other(after)) return {};
  const std::optional<std::size_t> other = next(verdict, is_other);
  return other ? fmt::format("; the next {} is {}", axis.title,
                             behind(analysis, verdict, verdict.contenders[*other]))
               : "";
}

std::string missing_verdict(const Analysis& analysis, std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  const CellFigures* only = nullptr;
  std::size_t scored = 0;
  for (const CellFigures& cell : analysis.cells)
    if (!std::isnan(cell.metrics[m].mean)) {
      ++scored;
      only = &cell;
    }
  if (scored == 0) return fmt::format("{}: no score.", metric.name);
  if (scored > 1)
    return fmt::format(
        "{}: fewer than two cells scored all the pictures that any cell scored, so none is called best.",
        metric.name);
  return fmt::format("{}: {} has {} (mean of {} picture{}); nothing to compare it with.", metric.name,
                     only->name, with_unit(metric, only->metrics[m].mean), only->metrics[m].scored,
                     plural(only->metrics[m].scored));
}

std::string margin_of_metric(const Analysis& analysis, const Verdict& verdict) {
  return margin_text(analysis.metric(verdict.metric), margin_of(analysis, verdict.metric));
}

// "A is", "A, B (equal on every picture) are"
std::string leaders_are(const Analysis& analysis, const Verdict& verdict) {
  const std::vector<std::uint32_t> leaders = verdict.leaders();
  if (leaders.size() == 1) return names(analysis, leaders) + " is";
  bool equal = true;
  for (std::size_t i = 0; i < verdict.contenders.size(); ++i)
    equal = equal && (!verdict.leads(i) || verdict.contenders[i].rival.equal);
  return fmt::format(
      "{} ({}) are", names(analysis, leaders),
      equal ? "equal on every picture" : "equal to within " + margin_of_metric(analysis, verdict));
}

std::string settled(const Analysis& analysis, const Verdict& verdict) {
  const MetricRow& metric = analysis.metric(verdict.metric);
  const Contender& best = verdict.contenders.front();
  const auto second = next(verdict, [&](std::size_t i) { return verdict.contenders[i].rival.worse; });
  const Contender& rival = verdict.contenders[*second];
  return fmt::format(
      "{}: {} best with a mean of {}: {} ahead of the next, {}, and better on {} of {} pictures ({}){}{}.",
      metric.name, leaders_are(analysis, verdict),
      with_unit(metric, analysis.cells[best.cell].metrics[verdict.metric].mean),
      difference_text(metric, rival.rival.behind), name_of(analysis, rival), rival.rival.wins,
      verdict.pictures, p_text(rival.rival.p_adjusted),
      rival.same ? ", but by less than " + margin_of_metric(analysis, verdict) + ", which hardly matters"
                 : "",
      next_model(analysis, verdict, *second));
}

// What would change "cannot be told".
std::string remedy(const Verdict& verdict) {
  if (const std::size_t least = fewest_pictures(verdict.comparisons); verdict.pictures < least)
    return fmt::format(" {} picture{} cannot show any difference between {} cells: at least {} are needed{}.",
                       verdict.pictures, plural(verdict.pictures), verdict.distinct, least,
                       verdict.needed > least && verdict.needed < kMostPictures
                           ? fmt::format(", about {} for these two", verdict.needed)
                           : "");
  if (verdict.needed >= kMostPictures) return " No number of pictures would tell a difference that small.";
  return verdict.needed == 0
             ? ""
             : fmt::format(" About {} pictures like these would tell these two apart.", verdict.needed);
}

std::string unsettled(const Analysis& analysis, const Verdict& verdict) {
  const MetricRow& metric = analysis.metric(verdict.metric);
  const Contender& best = verdict.contenders.front();
  const std::string mean = with_unit(metric, analysis.cells[best.cell].metrics[verdict.metric].mean);
  const std::vector<std::size_t> open = verdict.open();
  if (open.empty())
    return fmt::format(
        "{}: all {} cells are equal {}, {} on average.", metric.name, verdict.contenders.size(),
        verdict.distinct == 1 ? "on every picture" : "to within " + margin_of_metric(analysis, verdict),
        mean);
  std::vector<std::uint32_t> same;
  for (std::size_t i = 1; i < verdict.contenders.size(); ++i)
    if (verdict.leads(i) && (verdict.contenders[i].same || verdict.contenders[i].rival.equal))
      same.push_back(verdict.contenders[i].cell);
  std::string text = fmt::format(
      "{}: {}: {} has the best mean, {}{}; next is {}{}.{}", metric.name,
      verdict.tells_anything() ? names(analysis, verdict.leaders()) + " cannot be told apart"
                               : "no cell can be called best",
      name_of(analysis, best), mean,
      same.empty() ? ""
                   : fmt::format(" ({} equal{} it to within {})", names(analysis, same),
                                 plural(same.size(), "s", ""), margin_of_metric(analysis, verdict)),
      behind(analysis, verdict, verdict.contenders[open.front()]),
      verdict.tells_anything() ? "" : next_model(analysis, verdict, open.front()), remedy(verdict));
  if (const auto worse = next(verdict, [&](std::size_t i) { return verdict.contenders[i].rival.worse; }))
    text += fmt::format(
        " Shown to be worse: {} ({}){}.", behind(analysis, verdict, verdict.contenders[*worse]),
        p_text(verdict.contenders[*worse].rival.p_adjusted), next_model(analysis, verdict, *worse));
  return text;
}

std::string finding(const Analysis& analysis, const Verdict& verdict) {
  if (!verdict.perfect.empty())
    return fmt::format("{}: {} reproduce{} the reference exactly on every picture.",
                       analysis.metric(verdict.metric).name, names(analysis, verdict.perfect),
                       plural(verdict.perfect.size(), "s", ""));
  if (verdict.contenders.empty()) return missing_verdict(analysis, verdict.metric);
  return verdict.is_settled() ? settled(analysis, verdict) : unsettled(analysis, verdict);
}

std::string flips(const Analysis& analysis, const Verdict& verdict) {
  const auto& [picture, winner] = verdict.flips.front();
  const std::string& name = analysis.data->plan.images[picture].name;
  if (verdict.flips.size() == 1)
    return fmt::format("{}: the winner hangs on one picture: without {}, {} has the best mean.",
                       analysis.metric(verdict.metric).name, name, analysis.cells[winner].name);
  return fmt::format(
      "{}: the winner changes without any one of {} pictures: without {}, {} has the best mean.",
      analysis.metric(verdict.metric).name, verdict.flips.size(), name, analysis.cells[winner].name);
}

bool share_a_leader(const Verdict& a, const Verdict& b) {
  const std::vector<std::uint32_t> first = a.leaders(), second = b.leaders();
  return std::ranges::any_of(first, [&](std::uint32_t cell) { return std::ranges::count(second, cell) > 0; });
}

std::vector<std::uint32_t> common_leaders(const std::vector<const Verdict*>& verdicts) {
  std::vector<std::uint32_t> common = verdicts.front()->leaders();
  for (const Verdict* verdict : verdicts) {
    const std::vector<std::uint32_t> leaders = verdict->leaders();
    std::erase_if(common, [&](std::uint32_t cell) { return std::ranges::count(leaders, cell) == 0; });
  }
  return common;
}

// Metrics that tell something: do they have a winner in common?
std::string metrics_together(const Analysis& analysis, const Decisions& decisions) {
  std::vector<const Verdict*> told;
  std::vector<std::string> list;
  for (const Verdict& verdict : decisions.verdicts)
    if (verdict.tells_anything()) {
      told.push_back(&verdict);
      list.push_back(analysis.metric(verdict.metric).name);
    }
  if (told.size() < 2) return {};
  if (const std::vector<std::uint32_t> common = common_leaders(told); !common.empty()) {
    const bool sure = std::ranges::all_of(told, [](const Verdict* verdict) { return verdict->is_settled(); });
    return fmt::format("{} {} best{} by {} and {}.", names(analysis, common),
                       common.size() == 1 ? "is" : "are", sure ? "" : ", or not told apart from the best,",
                       fmt::join(list.begin(), list.end() - 1, ", "), list.back());
  }
  for (const Verdict* other : told)
    if (!share_a_leader(*told.front(), *other))
      return fmt::format("The metrics disagree: by {} the winner is {}, under {} instead it is {}.",
                         analysis.metric(told.front()->metric).name, names(analysis, told.front()->leaders()),
                         analysis.metric(other->metric).name, names(analysis, other->leaders()));
  return fmt::format("The metrics disagree: no cell is among the best by all of {}.", fmt::join(list, ", "));
}

// Classes that tell, by one metric, against each other.
std::string classes_apart(const Analysis& analysis, const Decisions& decisions, std::size_t m) {
  std::vector<std::string> said;
  bool apart = false;
  for (std::size_t c = 0; c < decisions.by_class.size(); ++c) {
    const Verdict& verdict = decisions.by_class[c][m];
    if (!verdict.tells_anything()) continue;
    for (std::size_t other = 0; other < c; ++other)
      apart = apart || (decisions.by_class[other][m].tells_anything() &&
                        !share_a_leader(verdict, decisions.by_class[other][m]));
    said.push_back(fmt::format("on {} (n = {}) {}", decisions.classes.names[c], verdict.pictures,
                               names(analysis, verdict.leaders())));
  }
  return apart ? fmt::format("{}: the classes of pictures have different winners: {}.",
                             analysis.metric(m).name, fmt::join(said, "; "))
               : "";
}

std::string setting_interval(const SweetSpot& spot) {
  const Interval& interval = spot.response.best_interval;
  return fmt::format("{}{} [{}, {}]", spot.over_sigma ? "sigma " : "", spot.shown(spot.response.best),
                     spot.shown(interval.low), spot.shown(interval.high));
}

// " (denoise 0.35 in A1111's img2img, 0.40 in diffusers, with 20 steps, uniform)"
std::string in_denoise(const SweetSpot& spot) {
  constexpr std::size_t kMostContexts = 3;
  std::vector<std::string> texts;
  for (const DenoiseTranslation& translation : spot.denoise)
    if (texts.size() < kMostContexts)
      texts.push_back(fmt::format("{}, with {}", tools_text(translation.tools), translation.context));
  if (spot.denoise.size() > kMostContexts)
    texts.push_back(fmt::format("{} more in the table", spot.denoise.size() - kMostContexts));
  return texts.empty() ? "" : fmt::format(" (denoise {})", fmt::join(texts, "; "));
}

std::string sweet_spot(const Analysis& analysis, const SweetSpot& spot) {
  const MetricRow& metric = analysis.metric(spot.metric);
  const std::string margin = margin_text(metric, spot.margin);
  switch (spot.response.verdict) {
    case ResponseVerdict::no_effect:
      return spot.response.flat_within_margin
                 ? fmt::format("{} shows no effect: all values lie within {}", metric.name, margin)
                 : fmt::format("{} shows no effect that {} pictures can tell", metric.name, spot.pictures);
    case ResponseVerdict::edge_optimum: {
      const bool low = spot.response.best_interval.low <= spot.settings.front();
      const bool both = low && spot.response.best_interval.high >= spot.settings.back();
      return fmt::format("{} is best at the {} of the range, {}{}: widen it to see where it ends",
                         metric.name,
                         both  ? "ends"
                         : low ? "lower end"
                               : "upper end",
                         setting_interval(spot), in_denoise(spot));
    }
    case ResponseVerdict::sweet_spot:
      break;
  }
  const Interval plateau = plateau_of(spot);
  const bool wide = std::isfinite(plateau.low) && plateau.low < plateau.high;
  const auto end = [&](double setting) { return spot.over_sigma ? spot.shown(setting) : exact(setting); };
  return fmt::format(
      "{} has a sweet spot at {}{}{}", metric.name, setting_interval(spot), in_denoise(spot),
      wide ? fmt::format("; {} to {} are as good to within {}", end(plateau.low), end(plateau.high), margin)
           : "");
}

bool disagree(const SweetSpot& a, const SweetSpot& b) {
  const Interval &first = a.response.best_interval, &second = b.response.best_interval;
  return a.response.verdict != ResponseVerdict::no_effect &&
         b.response.verdict != ResponseVerdict::no_effect &&
         (first.high < second.low || second.high < first.low);
}

// One sentence an axis: each metric's, then where metrics or classes want different settings. Where the
// curves have no average, each has its say.
std::string along_axis(const Analysis& analysis, const Decisions& decisions, std::size_t axis) {
  std::vector<std::string> said, of_group;
  std::vector<const SweetSpot*> overall, of_class;
  bool over_sigma = false;
  for (const SweetSpot& spot : decisions.sweet_spots) {
    if (spot.axis != axis) continue;
    over_sigma = spot.over_sigma;
    if (!spot.group.empty()) {
      of_group.push_back(fmt::format("with {}, {}", spot.group, sweet_spot(analysis, spot)));
      continue;
    }
    (spot.content.empty() ? overall : of_class).push_back(&spot);
    if (spot.content.empty()) said.push_back(sweet_spot(analysis, spot));
  }
  if (said.empty()) said = std::move(of_group);
  if (said.empty()) return {};
  std::string text = fmt::format("Along {}{}: {}.", analysis.axes[axis].title,
                                 over_sigma ? " (start sigma)" : "", fmt::join(said, "; "));
  for (const SweetSpot* spot : overall)
    if (disagree(*overall.front(), *spot)) {
      text += " The metrics want different settings.";
      break;
    }
  for (const SweetSpot* spot : of_class)
    if (spot->metric == of_class.front()->metric && disagree(*of_class.front(), *spot)) {
      text += fmt::format(" By {}, {} wants {} and {} wants {}.", analysis.metric(spot->metric).name,
                          of_class.front()->content, setting_interval(*of_class.front()), spot->content,
                          setting_interval(*spot));
      break;
    }
  return text;
}

std::string fastest(const Analysis& analysis) {
  const CellTimes seconds(analysis);
  std::uint32_t found = kNoValue;
  for (std::uint32_t c = 0; c < analysis.cells.size(); ++c)
    if (!std::isnan(seconds(c)) && (found == kNoValue || seconds(c) < seconds(found))) found = c;
  if (found == kNoValue) return {};
  const Table::Column column{.id = {}, .title = {}, .kind = Table::Kind::seconds};
  return fmt::format("Fastest: {} with {} a picture ({} time, median{}).", analysis.cells[found].name,
                     format_value(column, seconds(found)), seconds.clock(),
                     seconds.is_model() ? "" : "; model time was not measured");
}

// Without what artifact detectors say as metrics, unless there is nothing else: their rates have sentences of
// their own.
Decisions without_detectors(const Analysis& analysis, Decisions decisions) {
  const std::vector<std::size_t> quality = analysis.quality_metrics();
  const auto is_left_out = [&](std::size_t m) { return std::ranges::count(quality, m) == 0; };
  std::erase_if(decisions.verdicts, [&](const Verdict& verdict) { return is_left_out(verdict.metric); });
  std::erase_if(decisions.sweet_spots, [&](const SweetSpot& spot) { return is_left_out(spot.metric); });
  return decisions;
}

}  // namespace

std::vector<Sentence> make_findings(const Analysis& analysis, const Decisions& all) {
  const Decisions decisions = without_detectors(analysis, all);
  std::vector<Sentence> findings;
  const auto add = [&](std::string text, const char* evidence) {
    if (!text.empty()) findings.push_back({std::move(text), evidence});
  };
  add(metrics_together(analysis, decisions), "agreement");
  for (const Verdict& verdict : decisions.verdicts)
    add(finding(analysis, verdict), verdict.contenders.empty() ? "missing" : "comparison");
  for (const Verdict& verdict : decisions.verdicts)
    if (!verdict.flips.empty()) add(flips(analysis, verdict), "stability");
  for (const Verdict& verdict : decisions.verdicts)
    if (!decisions.by_class.empty()) add(classes_apart(analysis, decisions, verdict.metric), "classes");
  for (std::size_t axis = 0; axis < analysis.axes.size(); ++axis)
    add(along_axis(analysis, decisions, axis), "sweet-spots");
  add(fastest(analysis), "front");
  return findings;
}

}  // namespace upbench
