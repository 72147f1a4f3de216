#include "reports/statistics/response.h"

#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "reports/statistics/random.h"
#include "reports/statistics/spline.h"

namespace upbench {
namespace {

const std::vector kSettings = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6};

Eigen::MatrixXd scores(const std::function<double(double)>& curve, double noise) {
  Random random(9);
  Eigen::MatrixXd made(10, 6);
  for (Eigen::Index i = 0; i < 10; ++i)
    for (Eigen::Index j = 0; j < 6; ++j)
      made(i, j) = 20 + static_cast<double>(i) + curve(kSettings[static_cast<std::size_t>(j)]) +
                   noise * random.normal();
  return made;
}

TEST(Spline, BasisSumsToOneAndReproducesLines) {
  const std::vector at = {0.0, 0.13, 0.5, 0.99, 1.0};
  const Eigen::MatrixXd basis = spline_basis(at, 4);
  // Coefficients of the line x: the basis functions' centres, (i - 1) / 4.
  const Eigen::VectorXd centres = Eigen::VectorXd::LinSpaced(7, -0.25, 1.25);
  for (Eigen::Index i = 0; i < 5; ++i) {
    EXPECT_NEAR(basis.row(i).sum(), 1, 1e-14);
    EXPECT_NEAR(basis.row(i).dot(centres), at[static_cast<std::size_t>(i)], 1e-14);
  }
  EXPECT_NEAR((second_differences(7) * centres).norm(), 0, 1e-14);
}

TEST(Response, FindsTheTopOfAParabola) {
  const Response response =
      fit_response(kSettings, scores([](double x) { return -20 * (x - 0.33) * (x - 0.33); }, 0.01));
  EXPECT_EQ(response.verdict, ResponseVerdict::sweet_spot);
  EXPECT_NEAR(response.best, 0.33, 0.01);
  EXPECT_LE(response.best_interval.low, 0.33);
  EXPECT_GE(response.best_interval.high, 0.33);
  EXPECT_NEAR(response.best_value, 24.5, 0.05);
}

TEST(Response, ARisingCurveIsAnEdgeAndNotASweetSpot) {
  const Response response = fit_response(kSettings, scores([](double x) { return 5 * x; }, 0.05));
  EXPECT_EQ(response.verdict, ResponseVerdict::edge_optimum);
  EXPECT_EQ(response.best, 0.6);
}

// From a hundred pictures on the band comes from means and covariances instead of whole curves. A picture
// that is the mean of all others changes neither but by what one more takes off.
TEST(Response, TheBandOfAHundredPicturesIsThatOfNinetyNine) {
  Random random(11);
  Eigen::MatrixXd many(100, 6);
  for (Eigen::Index i = 0; i < 99; ++i)
    for (Eigen::Index j = 0; j < 6; ++j) many(i, j) = 0.3 * static_cast<double>(j) + random.normal();
  many.row(99) = many.topRows(99).colwise().mean();
  const Response few = fit_response(kSettings, many.topRows(99)), more = fit_response(kSettings, many);
  ASSERT_EQ(few.smoothing, more.smoothing);
  for (std::size_t i = 0; i < few.curve.size(); i += 20) {
    EXPECT_NEAR(more.curve[i], few.curve[i], 1e-12);
    const double expected = (few.high[i] - few.low[i]) * 98 / std::sqrt(99.0 * 100);
    EXPECT_NEAR(more.high[i] - more.low[i], expected, 0.03 * expected);  // other resamples
  }
}

// Resamples of nearly one picture alone have next to no spread; they may not widen the band without bounds.
TEST(Response, TheBandOfFourPicturesIsOfTheirOwnSize) {
  Random random(3);
  Eigen::MatrixXd scores(4, 6);
  for (Eigen::Index i = 0; i < 4; ++i)
    for (Eigen::Index j = 0; j < 6; ++j)
      scores(i, j) =
          30 + (1 + static_cast<double>(i)) * kSettings[static_cast<std::size_t>(j)] + 0.01 * random.normal();
  const Response response = fit_response(kSettings, scores);
  for (std::size_t i = 0; i < response.at.size(); ++i)
    EXPECT_LT(response.high[i] - response.low[i], 8) << "slopes differ by 3 dB over 0.5 of the range";
}

TEST(Response, NoiseAloneIsNoEffect) {
  const Response response = fit_response(kSettings, scores([](double) { return 0.0; }, 0.3));
  EXPECT_EQ(response.verdict, ResponseVerdict::no_effect);
  EXPECT_FALSE(response.flat_within_margin) << "noise of 0.3 does not show that all lie within 0";
}

TEST(Response, DifferencesBelowTheMarginAreNoEffectThatMatters) {
  const Response response =
      fit_response(kSettings, scores([](double x) { return -(x - 0.3) * (x - 0.3); }, 1e-4), {.margin = 0.2});
  EXPECT_EQ(response.verdict, ResponseVerdict::no_effect);
  EXPECT_TRUE(response.flat_within_margin);
}

TEST(Response, PlateauHoldsTheSettingsWithinTheMargin) {
  // 0.1 * 20 * ...: distances to the best at 0.3 are 0.8, 0.2, 0, 0.2, 0.8, 1.8.
  const Response response = fit_response(
      kSettings, scores([](double x) { return -20 * (x - 0.3) * (x - 0.3); }, 0.01), {.margin = 0.4});
  EXPECT_EQ(response.plateau, (std::vector{false, true, true, true, false, false}));
}

TEST(Response, LevelsOfPicturesDoNotMatter) {
  const Eigen::MatrixXd made = scores([](double x) { return -20 * (x - 0.33) * (x - 0.33); }, 0.02);
  Eigen::MatrixXd shifted = made;
  shifted.row(3).array() += 500;
  EXPECT_NEAR(fit_response(kSettings, made).best, fit_response(kSettings, shifted).best, 1e-9);
}

TEST(Response, RefusesWhatCannotBeFitted) {
  EXPECT_THROW(fit_response(std::vector{0.1, 0.2}, Eigen::MatrixXd::Zero(5, 2)), std::invalid_argument);
  EXPECT_THROW(fit_response(kSettings, Eigen::MatrixXd::Zero(2, 6)), std::invalid_argument);
  EXPECT_THROW(fit_response(std::vector{0.1, 0.3, 0.2}, Eigen::MatrixXd::Zero(5, 3)), std::invalid_argument);
  EXPECT_THROW(fit_response(kSettings, Eigen::MatrixXd::Zero(5, 3)), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
