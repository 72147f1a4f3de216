#include "reports/statistics/race.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/statistics/random.h"

namespace upbench {
namespace {

using State = RaceStanding::State;
using testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Scores = std::vector<std::vector<double>>;  // by cell and picture

// Runs the race to its end; the number of trials that it took.
std::size_t run(Race& race, const Scores& scores) {
  std::size_t trials = 0;
  for (auto wanted = race.wanted(); !wanted.empty(); wanted = race.wanted()) {
    for (const auto& [cell, picture] : wanted) race.score(cell, picture, scores[cell][picture]);
    trials += wanted.size();
    race.look();
  }
  return trials;
}

// Pictures differ by 3 dB; what a cell gains on each picture has a mean of its own and a deviation of
// `noise`.
Scores simulated(const std::vector<double>& means, std::size_t pictures, double noise, std::uint64_t seed) {
  Random random(seed);
  Scores scores(means.size(), std::vector<double>(pictures));
  for (std::size_t picture = 0; picture < pictures; ++picture) {
    const double level = 30 + 3 * random.normal();
    for (std::size_t cell = 0; cell < means.size(); ++cell)
      scores[cell][picture] = level + means[cell] + noise * random.normal();
  }
  return scores;
}

TEST(Race, FirstLookScoresEveryCellOnTheSamePictures) {
  const Race race(std::vector<RaceCell>(3), 40, {.margin = 0.1, .first = 4});
  std::vector<std::set<std::size_t>> pictures(3);
  for (const auto& [cell, picture] : race.wanted()) pictures[cell].insert(picture);
  EXPECT_EQ(pictures[0].size(), 4u);
  EXPECT_EQ(pictures[0], pictures[1]);
  EXPECT_EQ(pictures[0], pictures[2]);
}

TEST(Race, ACellThatIsAlwaysWorseLeavesWithWhatShowsIt) {
  // Worse by 1 on each picture: 10 differences of one sign, one-sided Wilcoxon p 2^-10, below
  // 0.05 sqrt(10 / 50).
  Scores scores = simulated({1, 0}, 50, 0, 1);
  Race race(std::vector<RaceCell>(2), 50, {.margin = 0.1, .first = 10});
  EXPECT_EQ(run(race, scores), 20u);
  const RaceStanding& left = race.standings()[1];
  EXPECT_EQ(left.state, State::left);
  EXPECT_EQ(left.pictures, 10u);
  EXPECT_EQ(left.against, 0u);
  EXPECT_NEAR(left.difference, -1, 1e-12);
  EXPECT_NEAR(left.p, std::ldexp(1.0, -10), 1e-12);
  EXPECT_EQ(race.leader(), 0u);
}

TEST(Race, CellsThatDifferByLessThanTheMarginAreNotRacedToTheEnd) {
  const Scores scores = simulated({0, 0.001, 0.002}, 200, 0.05, 2);
  Race race(std::vector<RaceCell>(3), 200, {.margin = 0.1});
  EXPECT_LT(run(race, scores), 200u);
}

TEST(Race, WithoutMarginEqualCellsAreScoredOnAllPictures) {
  const Scores scores = simulated({0, 0}, 30, 0, 3);
  Race race(std::vector<RaceCell>(2), 30, {.margin = 0});
  EXPECT_EQ(run(race, scores), 60u);
  EXPECT_EQ(race.looked_at(), 30u);
  EXPECT_EQ(race.leader(), 0u);
}

TEST(Race, TooFewPicturesToTellDropNobody) {
  // 4 of 8 pictures: the least one-sided p is 1/16, above 0.05 sqrt(4 / 8).
  const Scores scores = simulated({5, 0, 0}, 8, 0.1, 4);
  Race race(std::vector<RaceCell>(3), 8, {.margin = 0.05, .first = 4, .growth = 2});
  EXPECT_EQ(run(race, scores), 24u);
  EXPECT_EQ(race.leader(), 0u);
}

TEST(Race, CellsThatCannotBeScoredFailAndLeadNobody) {
  Scores scores = simulated({0, 1, 0.5}, 20, 0.1, 5);
  for (double& value : scores[1]) value = kNaN;
  Race race(std::vector<RaceCell>(3), 20, {.margin = 0.05});
  run(race, scores);
  EXPECT_EQ(race.standings()[1].state, State::failed);
  EXPECT_EQ(race.leader(), 2u);
}

TEST(Race, APictureThatOneCellFailsOnCountsForNone) {
  Scores scores = simulated({1, 0}, 40, 0, 6);
  scores[0][7] = kNaN;
  scores[1][7] = 1000;
  Race race(std::vector<RaceCell>(2), 40, {.margin = 0.1});
  run(race, scores);
  EXPECT_EQ(race.leader(), 0u);
}

TEST(Race, SameSeedSameRace) {
  const Scores scores = simulated({0, 0.1, 0.2, 0.3}, 60, 0.3, 7);
  const auto left = [&](std::uint64_t seed) {
    Race race(std::vector<RaceCell>(4), 60, {.margin = 0.05, .seed = seed});
    run(race, scores);
    std::vector<std::size_t> pictures;
    for (const RaceStanding& standing : race.standings()) pictures.push_back(standing.pictures);
    return std::pair(pictures, race.leader());
  };
  EXPECT_EQ(left(1), left(1));
}

std::vector<RaceCell> along(std::size_t settings) {
  std::vector<RaceCell> cells;
  for (std::size_t i = 0; i < settings; ++i) cells.push_back({.group = 0, .setting = static_cast<double>(i)});
  return cells;
}

// A curve with its top at `best`, falling by 1 at a distance of 6.
std::vector<double> curve(std::size_t settings, double best) {
  std::vector<double> means;
  for (std::size_t i = 0; i < settings; ++i)
    means.push_back(-std::pow((static_cast<double>(i) - best) / 6, 2));
  return means;
}

TEST(Race, ASettingBeginsWithItsEndsAndThreeValuesBetween) {
  const Race race(along(17), 10, {.margin = 0.1, .first = 1});
  std::vector<std::size_t> cells;
  for (const auto& [cell, picture] : race.wanted()) cells.push_back(cell);
  EXPECT_THAT(cells, ElementsAre(0u, 4u, 8u, 12u, 16u));
}

TEST(Race, NeighboursOfTheBestSettingJoinAndFarOnesNever) {
  const Scores scores = simulated(curve(17, 6), 100, 0.05, 8);
  Race race(along(17), 100, {.margin = 0.005});
  run(race, scores);
  EXPECT_EQ(race.leader(), 6u);
  EXPECT_EQ(race.standings()[14].state, State::waiting);
  EXPECT_EQ(race.standings()[14].pictures, 0u);
}

TEST(Race, NeighboursWithinTheResolutionAreNotTried) {
  const Scores scores = simulated(curve(17, 6), 100, 0.05, 8);
  Race race(along(17), 100, {.margin = 0.005, .resolution = 2});
  run(race, scores);
  EXPECT_EQ(race.standings()[5].state, State::waiting);
  EXPECT_EQ(race.standings()[7].state, State::waiting);
}

TEST(Race, GroupsAreRefinedApart) {
  std::vector<RaceCell> cells = along(9);
  for (RaceCell cell : along(9)) cells.push_back({.group = 1, .setting = cell.setting});
  std::vector<double> means = curve(9, 7);
  for (const double value : curve(9, 1)) means.push_back(value - 5);  // nothing of this group survives
  const Scores scores = simulated(means, 60, 0.02, 9);
  Race race(cells, 60, {.margin = 0.001});
  run(race, scores);
  EXPECT_EQ(race.leader(), 7u);
  EXPECT_EQ(race.standings()[9 + 1].state, State::waiting);
}

TEST(Race, RefusesRulesThatCannotWork) {
  EXPECT_THROW(Race({}, 10, {}), std::invalid_argument);
  EXPECT_THROW(Race(std::vector<RaceCell>(2), 0, {}), std::invalid_argument);
  EXPECT_THROW(Race(std::vector<RaceCell>(2), 10, {.margin = -1}), std::invalid_argument);
  EXPECT_THROW(Race(std::vector<RaceCell>(2), 10, {.margin = kNaN}), std::invalid_argument);
  EXPECT_THROW(Race(std::vector<RaceCell>(2), 10, {.error = 0}), std::invalid_argument);
  EXPECT_THROW(Race(std::vector<RaceCell>(2), 10, {.growth = 1}), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
