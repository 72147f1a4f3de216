#pragma once

#include <span>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "reports/statistics/bootstrap.h"

// Where along one numeric setting (the start sigma of a refine stage, a tile size) a score is best, and how
// sure that is.
namespace upbench {

struct ResponseOptions {
  double margin = 0;  // settings at most this much worse than the best are as good; in the score's unit, >= 0
  BootstrapOptions bootstrap;
};

enum class ResponseVerdict {
  sweet_spot,    // best inside the range: the interval of the best setting reaches neither end
  edge_optimum,  // it reaches an end: the best may lie beyond, so the range wants widening
  no_effect,     // no setting can be told from the others, or all are shown to lie within the margin
};

struct Response {
  // The smoothed mean curve on a grid of kGrid points from the least to the greatest setting. Its level is
  // the mean over pictures; the band is that of its shape (each picture's own mean over the settings taken
  // out), and covers the whole curve at once with the given confidence.
  std::vector<double> at, curve, low, high;
  double smoothing = 0;  // weight of the roughness penalty, chosen by cross-validation
  double best = 0;       // setting at which the curve is greatest
  Interval best_interval;
  double best_value = 0;
  std::vector<bool> plateau;  // of each setting: shown to be at most `margin` worse than the best
  ResponseVerdict verdict = ResponseVerdict::no_effect;
  bool flat_within_margin = false;  // no_effect: every setting is on the plateau
};

constexpr int kResponseGrid = 201;

// settings: ascending, at least 3. scores: [pictures, settings], finite, greater is better; at least 3
// pictures. Cubic P-spline (Eilers and Marx, Flexible smoothing with B-splines and penalties, 1996) over the
// settings as given (pass logarithms to fit over them), its penalty by leaving out one picture at a time;
// intervals by resampling pictures with that penalty, widened by Student's factor for few pictures; the band
// by the greatest studentised deviation over the grid (bootstrap-t). A plateau setting is one whose distance
// to the best is at most the margin in 95 % of resamples. Throws std::invalid_argument for fewer settings or
// pictures, or settings that do not ascend.
Response fit_response(std::span<const double> settings, const Eigen::MatrixXd& scores,
                      const ResponseOptions& options = {});

}  // namespace upbench
