#pragma once

#include <cstdint>
#include <vector>

#include "reports/decision/decisions.h"
#include "reports/pictures/picture_files.h"

namespace upbench {

// As many as a reader can switch between.
inline constexpr std::size_t kMostMethods = 16;

// Which cells are shown side by side, and which trial's picture stands for each cell and picture of the set:
// of several seeds the first.
class ShownMethods {
 public:
  ShownMethods(const Analysis& analysis, const Decisions& decisions, const PictureFiles& files);

  // Every varying value of the first naming axis (the model) by its best cell, then the front of quality and
  // time, then by rank. Cells that only repeat another's pixels come last. At most kMostMethods.
  const std::vector<std::uint32_t>& cells() const { return cells_; }
  std::size_t left_out() const { return left_out_; }  // cells of the run that are not among them
  // kNoTrial: there is no picture.
  std::uint32_t trial(std::size_t method, std::uint32_t image) const;
  // Pictures of the set with an output of any method, in their order.
  std::vector<std::uint32_t> images() const;

 private:
  std::size_t images_ = 0, left_out_ = 0;
  std::vector<std::uint32_t> cells_;
  std::vector<std::uint32_t> trials_;  // method * images_ + image
};

// One place worth looking at: where `method` is furthest behind the best of the others by `metric`; of an
// artifact detector, where it scores worst.
struct WorstCase {
  std::size_t metric = 0;
  std::size_t method = 0, rival = 0;  // indices into ShownMethods::cells; rival == method: it is the best
  std::uint32_t image = 0;
  double score = 0, behind = 0;  // in the metric's unit, behind >= 0
  std::size_t rank = 0;          // among the methods by this metric; 0: the worst
};

// For each metric and method its worst picture, metric by metric, the worst first.
std::vector<WorstCase> worst_cases(const Analysis& analysis, const ShownMethods& methods);

}  // namespace upbench
