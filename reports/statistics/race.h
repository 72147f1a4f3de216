#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

// Which of many cells is best, without scoring all of them on all pictures: the sequential rule behind
// adaptive sweeps, after F-Race (Birattari, Stützle, Paquete, Varrentrapp, A racing algorithm for configuring
// metaheuristics, 2002). Pictures come in a seeded random order. At each of a few looks every racing cell has
// been scored on the same pictures, and a cell leaves when it is shown to gain less than `margin` on the
// leader.
namespace upbench {

struct RaceRules {
  double margin = 0;       // a difference that does not matter, in the score's unit, >= 0
  double error = 0.05;     // chance that a cell better than the winner by more than the margin left the race
  std::size_t first = 10;  // pictures at the first look, at least 1
  double growth = 1.5;     // from look to look, > 1
  std::uint64_t seed = 1;  // of the order of pictures
  double resolution = 0;   // along a setting: how near to a surviving setting its neighbours are tried
};

struct RaceCell {
  // Cells of one group differ in one numeric setting alone and begin with a few of its values; the values
  // beside survivors join until they are `resolution` apart. NaN: the cell races from the start.
  int group = 0;
  double setting = std::numeric_limits<double>::quiet_NaN();
};

struct RaceStanding {
  // waiting: never tried, for no setting near it survived. failed: too few pictures could be scored.
  enum class State { waiting, racing, left, failed };
  State state = State::waiting;
  std::size_t pictures = 0;  // asked to be scored
  std::size_t against = 0;   // left: the leader that it was compared with
  double difference = 0;     // left: its mean over the leader's, on the same pictures
  double p = 1;              // left: of gaining the margin on the leader or more (one-sided)
};

class Race {
 public:
  struct Trial {
    std::size_t cell = 0, picture = 0;
  };

  // Throws std::invalid_argument for no cells, no pictures or rules out of range.
  Race(std::vector<RaceCell> cells, std::size_t pictures, const RaceRules& rules);

  // What is to be scored before the next look(); empty: the race is over.
  std::vector<Trial> wanted() const;
  void score(std::size_t cell, std::size_t picture,
             double value);  // greater is better; NaN: cannot be scored
  // Lets cells leave and their neighbours join. Pairs that were not scored count as NaN.
  void look();

  const std::vector<RaceStanding>& standings() const { return standings_; }
  // The racing cell of the greatest mean over the pictures that all racing cells have; the first such cell.
  std::size_t leader() const;
  std::size_t looked_at() const { return scored_; }  // pictures of the last look

 private:
  void let_leave(double level);
  void let_join();
  void advance();
  std::size_t between(const std::vector<std::size_t>& members, std::size_t low, std::size_t high) const;
  std::vector<double> gains(std::size_t cell, std::size_t leader) const;
  std::size_t racing() const;

  std::vector<RaceCell> cells_;
  RaceRules rules_;
  std::vector<std::vector<std::size_t>> along_;  // cells of each group with settings, ascending
  std::vector<std::size_t> order_;               // of pictures
  std::vector<std::vector<double>> scores_;      // by cell and picture; NaN: none
  std::vector<RaceStanding> standings_;
  std::size_t scored_ = 0;  // pictures, in order_, of the last look
  std::size_t target_ = 0;  // of the next one
  double spent_ = 0;        // of the error
};

}  // namespace upbench
