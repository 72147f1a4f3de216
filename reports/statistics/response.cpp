#include "reports/statistics/response.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>
#include <Eigen/Cholesky>

#include "reports/statistics/descriptive.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/spline.h"

namespace upbench {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;
// A picture's numbers side by side: resampling adds whole rows.
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int kMostSegments = 20;
constexpr double kLeastPenalty = 1e-6, kGreatestPenalty = 1e6;
constexpr int kPenalties = 49;  // a quarter of a decade apart

void check(std::span<const double> settings, const MatrixXd& scores) {
  if (settings.size() < 3 || scores.rows() < 3)
    throw std::invalid_argument(
        fmt::format("a response over {} settings of {} pictures: expected at least 3 of both",
                    settings.size(), scores.rows()));
  if (scores.cols() != static_cast<Index>(settings.size()))
    throw std::invalid_argument(fmt::format("{} settings, but scores of {}", settings.size(), scores.cols()));
  if (std::ranges::adjacent_find(settings, std::greater_equal<>()) != settings.end())
    throw std::invalid_argument("the settings of a response must ascend");
}

// The family of smoothers of one set of settings: scores at the settings -> curve at other positions.
class Smoother {
 public:
  explicit Smoother(std::span<const double> settings)
      : first_(settings.front()),
        width_(settings.back() - settings.front()),
        segments_(std::min<int>(static_cast<int>(settings.size()) - 1, kMostSegments)),
        basis_(basis_at(settings)) {}

  // [positions, settings]
  MatrixXd matrix(std::span<const double> positions, double penalty) const {
    const MatrixXd rough = second_differences(basis_.cols());
    const MatrixXd system = basis_.transpose() * basis_ + penalty * rough.transpose() * rough;
    return basis_at(positions) * system.ldlt().solve(basis_.transpose());
  }

 private:
  MatrixXd basis_at(std::span<const double> positions) const {
    std::vector<double> relative;
    for (const double position : positions) relative.push_back((position - first_) / width_);
    return spline_basis(relative, segments_);
  }

  double first_, width_;
  int segments_;
  MatrixXd basis_;
};

// The penalty under which the other pictures' curve predicts each picture best.
double cross_validated_penalty(const Smoother& smoother, std::span<const double> settings,
                               const MatrixXd& centred) {
  const auto pictures = static_cast<double>(centred.rows());
  const RowVectorXd sum = centred.colwise().sum();
  const MatrixXd others = (sum.replicate(centred.rows(), 1) - centred) / (pictures - 1);
  double best = kGreatestPenalty, least_error = std::numeric_limits<double>::infinity();
  for (int i = kPenalties - 1; i >= 0; --i) {  // from the smoothest: of equal ones the smoother is taken
    const double penalty = kLeastPenalty * std::pow(kGreatestPenalty / kLeastPenalty, i / (kPenalties - 1.0));
    const double error = (centred - others * smoother.matrix(settings, penalty).transpose()).squaredNorm();
    if (error < least_error * (1 - 1e-12)) {
      least_error = error;
      best = penalty;
    }
  }
  return best;
}

std::vector<double> grid_over(std::span<const double> settings) {
  std::vector<double> grid;
  for (int i = 0; i < kResponseGrid; ++i)
    grid.push_back(std::lerp(settings.front(), settings.back(), i / (kResponseGrid - 1.0)));
  return grid;
}

// Too few pictures, or too many settings, for what extremes_of_moments() does.
bool is_small(const MatrixXd& scores) {
  constexpr Index kManyPictures = 100;
  return scores.rows() < kManyPictures || scores.cols() * (scores.cols() + 3) / 2 >= kResponseGrid;
}

// Means of resampled pictures, [resamples, positions], their distance to the mean of all widened for few
// pictures.
MatrixXd resampled_means(const RowMajor& curves, const BootstrapOptions& options) {
  const auto pictures = static_cast<std::size_t>(curves.rows());
  const RowVectorXd centre = curves.colwise().mean();
  const double factor =
      expanded_quantile(pictures, options.confidence) / normal_quantile((1 + options.confidence) / 2);
  MatrixXd means(options.resamples, curves.cols());
  for_each_resample(pictures, options, [&](std::size_t resample, std::span<const std::uint32_t> drawn) {
    RowVectorXd sum = RowVectorXd::Zero(curves.cols());
    for (const std::uint32_t i : drawn) sum += curves.row(i);
    means.row(static_cast<Index>(resample)) =
        centre + factor * (sum / static_cast<double>(drawn.size()) - centre);
  });
  return means;
}

double greatest_position(const RowVectorXd& curve, std::span<const double> grid) {
  Index best = 0;
  curve.maxCoeff(&best);
  return grid[static_cast<std::size_t>(best)];
}

// Standard error of the mean of the rows at each position; positions without spread get a hair of the
// greatest.
RowVectorXd standard_error(const MatrixXd& rows) {
  const auto n = static_cast<double>(rows.rows());
  const RowVectorXd mean = rows.colwise().mean();
  const RowVectorXd squares = (rows.rowwise() - mean).colwise().squaredNorm();
  return (squares / (n * (n - 1))).cwiseSqrt();
}

// The greatest |deviation| / error over the positions, of those with an error above `least`.
double extreme_of(const RowVectorXd& deviation, const RowVectorXd& error, double least) {
  double extreme = 0;
  for (Index j = 0; j < deviation.size(); ++j)
    if (error[j] > least) extreme = std::max(extreme, std::abs(deviation[j]) / error[j]);
  return extreme;
}

// Of each resample of the curves.
std::vector<double> extremes_of_curves(const MatrixXd& curves, double least,
                                       const BootstrapOptions& options) {
  const RowVectorXd mean = curves.colwise().mean();
  return resampled(static_cast<std::size_t>(curves.rows()), options,
                   [&](std::span<const std::uint32_t> drawn) {
                     MatrixXd rows(curves.rows(), curves.cols());
                     for (std::size_t i = 0; i < drawn.size(); ++i)
                       rows.row(static_cast<Index>(i)) = curves.row(drawn[i]);
                     return extreme_of(rows.colwise().mean() - mean, standard_error(rows), least);
                   });
}

// The same of curves that are `smooth` times few numbers a picture: their means and covariances say it all,
// and there are fewer of these than positions. Means and covariances lose the last digits of a spread that is
// next to nothing, so this is not for few pictures, of which a resample may be all one.
std::vector<double> extremes_of_moments(const MatrixXd& scores, const MatrixXd& smooth, double least,
                                        const BootstrapOptions& options) {
  const Index settings = scores.cols(), products = settings * (settings + 1) / 2;
  const MatrixXd centred = scores.rowwise() - scores.colwise().mean();
  RowMajor moments(scores.rows(), settings + products);  // numbers of a picture, then their products
  moments.leftCols(settings) = centred;
  for (Index i = 0, at = settings; i < settings; ++i)
    for (Index j = i; j < settings; ++j) moments.col(at++) = centred.col(i).cwiseProduct(centred.col(j));
  return resampled(
      static_cast<std::size_t>(scores.rows()), options, [&](std::span<const std::uint32_t> drawn) {
        RowVectorXd sum = RowVectorXd::Zero(moments.cols());
        for (const std::uint32_t picture : drawn) sum += moments.row(picture);
        const auto n = static_cast<double>(drawn.size());
        const RowVectorXd mean = sum.head(settings) / n;
        MatrixXd covariance(settings, settings);  // of the mean
        for (Index i = 0, at = settings; i < settings; ++i)
          for (Index j = i; j < settings; ++j)
            covariance(i, j) = covariance(j, i) = (sum[at++] / n - mean[i] * mean[j]) / (n - 1);
        const RowVectorXd variance = (smooth * covariance).cwiseProduct(smooth).rowwise().sum().transpose();
        return extreme_of(mean * smooth.transpose(), variance.cwiseMax(0).cwiseSqrt(), least);
      });
}

// Half the width of the band, at each position, that holds whole curves: standard errors times the quantile
// of the greatest studentised deviation of resampled curves (bootstrap-t, which is what covers with few
// pictures). Of very few pictures some resamples are nearly all of one picture, whose deviation is out of all
// proportion; there Student's t with Bonferroni's correction over all positions is enough.
RowVectorXd band(const MatrixXd& scores, const MatrixXd& smooth, const BootstrapOptions& options) {
  const MatrixXd curves = scores * smooth.transpose();
  const RowVectorXd error = standard_error(curves);
  const double least = error.maxCoeff() * 1e-9;
  const std::vector<double> extremes = is_small(scores) ? extremes_of_curves(curves, least, options)
                                                        : extremes_of_moments(scores, smooth, least, options);
  const double enough =
      student_quantile(1 - (1 - options.confidence) / (2 * static_cast<double>(curves.cols())),
                       static_cast<double>(curves.rows() - 1));
  return error * std::min(quantile(extremes, options.confidence), enough);
}

}  // namespace

Response fit_response(std::span<const double> settings, const MatrixXd& scores,
                      const ResponseOptions& options) {
  check(settings, scores);
  const MatrixXd centred = scores.colwise() - scores.rowwise().mean();
  const double level = scores.mean(), confidence = options.bootstrap.confidence;
  const Smoother smoother(settings);

  Response response;
  response.at = grid_over(settings);
  response.smoothing = cross_validated_penalty(smoother, settings, centred);
  const MatrixXd on_grid = smoother.matrix(response.at, response.smoothing);
  const MatrixXd at_settings = smoother.matrix(settings, response.smoothing);
  const RowVectorXd curve = (centred * on_grid.transpose()).colwise().mean();

  const RowVectorXd half = band(centred, on_grid, options.bootstrap);
  bool flat = true;
  for (Index j = 0; j < curve.size(); ++j) {
    response.curve.push_back(level + curve[j]);
    response.low.push_back(level + curve[j] - half[j]);
    response.high.push_back(level + curve[j] + half[j]);
    flat = flat && std::abs(curve[j]) <= half[j];
  }

  // Smoothing is linear: the smoothed mean is the mean of the smoothed.
  const MatrixXd means = resampled_means(centred, options.bootstrap), draws = means * on_grid.transpose();
  std::vector<double> best;
  for (Index i = 0; i < draws.rows(); ++i) best.push_back(greatest_position(draws.row(i), response.at));
  response.best = greatest_position(curve, response.at);
  response.best_value = level + curve.maxCoeff();
  const double half_step = (response.at[1] - response.at[0]) / 2;  // what the grid cannot tell
  response.best_interval = {std::max(response.at.front(), quantile(best, (1 - confidence) / 2) - half_step),
                            std::min(response.at.back(), quantile(best, (1 + confidence) / 2) + half_step)};

  // How far each setting is behind the best, of each resample.
  MatrixXd behind = means * at_settings.transpose();
  behind = (-behind).colwise() + behind.rowwise().maxCoeff().eval();
  for (Index j = 0; j < behind.cols(); ++j) {
    const std::span<const double> of_setting(behind.col(j).data(), static_cast<std::size_t>(behind.rows()));
    response.plateau.push_back(quantile(of_setting, confidence) <= options.margin);
  }
  response.flat_within_margin = std::ranges::all_of(response.plateau, [](bool on) { return on; });
  const bool reaches_end =
      response.best_interval.low <= response.at.front() || response.best_interval.high >= response.at.back();
  response.verdict = flat || response.flat_within_margin ? ResponseVerdict::no_effect
                     : reaches_end                       ? ResponseVerdict::edge_optimum
                                                         : ResponseVerdict::sweet_spot;
  return response;
}

}  // namespace upbench
