#include "reports/statistics/race.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/statistics/paired.h"
#include "reports/statistics/random.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

using State = RaceStanding::State;

constexpr std::size_t kFewestPairs = 3;  // below, nothing can be told of a cell
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kFirstOfASetting = 5;  // values of a setting to begin with

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed);
  for (std::size_t i = count; i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  return order;
}

// How much of the error may be spent once `share` of the pictures is scored (Kim, DeMets, Design and analysis
// of group sequential tests based on the type I error spending rate function, 1987, power family with 1/2:
// early, since large differences show early).
double spending(double error, double share) {
  return error * std::sqrt(share);
}

// One-sided p-value of "the mean gain is at least the margin": the greater of Wilcoxon's and Student's, the
// one for outliers, the other because the winner is that of the means.
double falls_short_p(std::vector<double> gains, double margin) {
  for (double& gain : gains) gain -= margin;
  const SignedRank ranks = signed_rank_test(gains);
  const double mean = std::accumulate(gains.begin(), gains.end(), 0.0);
  if (mean >= 0 || ranks.positive >= ranks.negative) return 1;
  return std::max(ranks.p, mean_test(gains)) / 2;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

Race::Race(std::vector<RaceCell> cells, std::size_t pictures, const RaceRules& rules)
    : cells_(std::move(cells)),
      rules_(rules),
      order_(shuffled(pictures, rules.seed)),
      scores_(cells_.size(), std::vector<double>(pictures, std::numeric_limits<double>::quiet_NaN())),
      standings_(cells_.size()) {
  if (cells_.empty() || pictures == 0)
    throw std::invalid_argument(
        fmt::format("a race of {} cells over {} pictures, expected both", cells_.size(), pictures));
  if (!(rules.margin >= 0) || !(rules.error > 0) || !(rules.error < 1) || !(rules.growth > 1) ||
      rules.first == 0 || !(rules.resolution >= 0))
    throw std::invalid_argument(
        fmt::format("race: margin {}, error {}, growth {}, first look at {}, resolution {}: expected margin "
                    "and resolution >= 0, "
                    "0 < error < 1, growth > 1, first >= 1",
                    rules.margin, rules.error, rules.growth, rules.first, rules.resolution));
  target_ = std::min(rules.first, pictures);
  std::map<int, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < cells_.size(); ++i)
    std::isnan(cells_[i].setting) ? void(standings_[i].state = State::racing)
                                  : groups[cells_[i].group].push_back(i);
  for (auto& [group, members] : groups) {
    std::ranges::stable_sort(members, {}, [&](std::size_t i) { return cells_[i].setting; });
    // Both ends and values spread evenly between them.
    const std::size_t tried = std::min(members.size(), kFirstOfASetting);
    for (std::size_t k = 0; k < tried; ++k)
      standings_[members[tried == 1 ? 0 : k * (members.size() - 1) / (tried - 1)]].state = State::racing;
    along_.push_back(std::move(members));
  }
}

std::vector<Race::Trial> Race::wanted() const {
  std::vector<Trial> trials;
  for (std::size_t k = 0; k < target_; ++k)
    for (std::size_t cell = 0; cell < cells_.size(); ++cell)
      if (standings_[cell].state == State::racing && k >= standings_[cell].pictures)
        trials.push_back({cell, order_[k]});
  return trials;
}

void Race::score(std::size_t cell, std::size_t picture, double value) {
  scores_.at(cell).at(picture) = std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> Race::gains(std::size_t cell, std::size_t leader) const {
  std::vector<double> gains;
  for (std::size_t k = 0; k < scored_; ++k) {
    const double gain = scores_[cell][order_[k]] - scores_[leader][order_[k]];
    if (!std::isnan(gain)) gains.push_back(gain);
  }
  return gains;
}

std::size_t Race::leader() const {
  std::vector<double> sums(cells_.size(), 0);
  for (std::size_t k = 0; k < scored_; ++k) {
    bool all = true;
    for (std::size_t cell = 0; cell < cells_.size(); ++cell)
      all = all && (standings_[cell].state != State::racing || !std::isnan(scores_[cell][order_[k]]));
    for (std::size_t cell = 0; all && cell < cells_.size(); ++cell) sums[cell] += scores_[cell][order_[k]];
  }
  std::size_t best = cells_.size();
  for (std::size_t cell = 0; cell < cells_.size(); ++cell)
    if (standings_[cell].state == State::racing && (best == cells_.size() || sums[cell] > sums[best]))
      best = cell;
  return best;
}

std::size_t Race::racing() const {
  return static_cast<std::size_t>(std::ranges::count(standings_, State::racing, &RaceStanding::state));
}

void Race::let_leave(double level) {
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    const auto scored =
        std::count_if(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(scored_),
                      [&](std::size_t picture) { return !std::isnan(scores_[cell][picture]); });
    if (standings_[cell].state == State::racing &&
        static_cast<std::size_t>(scored) < std::min(kFewestPairs, scored_))
      standings_[cell].state = State::failed;
  }
  if (racing() == 0) return;
  const std::size_t first = leader();
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    RaceStanding& standing = standings_[cell];
    if (standing.state != State::racing || cell == first) continue;
    const std::vector<double> gained = gains(cell, first);
    if (gained.size() < kFewestPairs) continue;
    const double p = falls_short_p(gained, rules_.margin);
    if (p > level) continue;
    standing = {State::left, standing.pictures, first, mean_of(gained), p};
  }
}

// Of the waiting cells between two that were tried, the one nearest to the middle; kNone where there is none
// or the two are near enough.
std::size_t Race::between(const std::vector<std::size_t>& members, std::size_t low, std::size_t high) const {
  const double from = cells_[members[low]].setting, to = cells_[members[high]].setting;
  if (high == low + 1 || to - from <= rules_.resolution) return kNone;
  return *std::min_element(
      members.begin() + static_cast<std::ptrdiff_t>(low) + 1,
      members.begin() + static_cast<std::ptrdiff_t>(high), [&](std::size_t a, std::size_t b) {
        const double middle = (from + to) / 2;
        return std::abs(cells_[a].setting - middle) < std::abs(cells_[b].setting - middle);
      });
}

void Race::let_join() {
  for (const std::vector<std::size_t>& members : along_) {
    std::vector<std::size_t> tried, joining;  // tried: places in members
    for (std::size_t i = 0; i < members.size(); ++i)
      if (standings_[members[i]].state != State::waiting) tried.push_back(i);
    for (std::size_t k = 0; k + 1 < tried.size(); ++k)
      if (standings_[members[tried[k]]].state == State::racing ||
          standings_[members[tried[k + 1]]].state == State::racing)
        joining.push_back(between(members, tried[k], tried[k + 1]));
    for (const std::size_t cell : joining)
      if (cell != kNone) standings_[cell].state = State::racing;
  }
}

void Race::advance() {
  const bool settled = racing() <= 1 && wanted().empty();
  if (settled || scored_ == order_.size()) return;
  const auto next = static_cast<std::size_t>(std::ceil(static_cast<double>(scored_) * rules_.growth));
  target_ = std::min(std::max(next, scored_ + 1), order_.size());
}

void Race::look() {
  scored_ = target_;
  for (RaceStanding& standing : standings_)
    if (standing.state == State::racing) standing.pictures = scored_;
  const double share = static_cast<double>(scored_) / static_cast<double>(order_.size());
  const double may_be_spent = spending(rules_.error, share);
  // Not divided by the number of cells: only one comparison can do harm, that of the best cell with the
  // leader.
  let_leave(may_be_spent - spent_);
  spent_ = may_be_spent;
  let_join();
  advance();
}

}  // namespace upbench
