#include "tests/reports/statistics/simulations.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <tuple>

#include <Eigen/Core>

#include "reports/statistics/best_of.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/change_points.h"
#include "reports/statistics/corrected_rate.h"
#include "reports/statistics/paired.h"
#include "reports/statistics/paired_rates.h"
#include "reports/statistics/proportion.h"
#include "reports/statistics/random.h"
#include "reports/statistics/ranking.h"
#include "reports/statistics/response.h"
#include "reports/statistics/signed_rank.h"
#include "reports/statistics/two_sample.h"

namespace upbench::test {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr BootstrapOptions kResamples{.resamples = 1000, .threads = 1};

// The share of repeats in which `once` says true, and the mean of the widths it returns.
struct Once {
  bool yes = false;
  double width = kNone;
};

Simulated measure(std::string routine, std::string truth, std::string measured, double least, double most,
                  int repeats, const std::function<Once(Random&)>& once) {
  Simulated result{std::move(routine), std::move(truth), std::move(measured), 0, 0, least, most};
  for (int i = 0; i < repeats; ++i) {
    Random random(2024, static_cast<std::uint64_t>(i));
    const Once said = once(random);
    result.rate += said.yes ? 1 : 0;
    result.width += said.width;
  }
  result.rate /= repeats;
  result.width /= repeats;
  return result;
}

// Values of Student's t with 4 degrees of freedom, scaled to variance 1: heavy tails, as differences over
// pictures have.
double heavy(Random& random) {
  double squares = 0;
  for (int i = 0; i < 4; ++i) squares += std::pow(random.normal(), 2);
  return random.normal() / std::sqrt(squares / 4) / std::sqrt(2.0);
}

double skewed(Random& random) {  // exponential, mean 1, variance 1
  return -std::log1p(-random.uniform());
}

template <class Draw>
std::vector<double> sample(Random& random, std::size_t count, Draw draw, double offset = 0) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(draw(random) + offset);
  return values;
}

double normal(Random& random) {
  return random.normal();
}

Once covers(const Interval& interval, double truth) {
  return {interval.low <= truth && truth <= interval.high, interval.high - interval.low};
}

void intervals(std::vector<Simulated>& all, int repeats) {
  const auto of_mean = [&](const char* truth, std::size_t count, double (*draw)(Random&), double mean) {
    all.push_back(measure("interval of the mean", truth, "coverage", 0.93, 1, repeats, [=](Random& random) {
      return covers(bootstrap(sample(random, count, draw), Average::mean, kResamples).interval, mean);
    }));
  };
  of_mean("20 pictures, normal, SD 1", 20, normal, 0);
  of_mean("20 pictures, heavy tails (t4), SD 1", 20, heavy, 0);
  of_mean("50 pictures, exponential, SD 1", 50, skewed, 1);
  all.push_back(measure("interval of the median", "50 pictures, exponential, SD 1", "coverage", 0.93, 1,
                        repeats, [](Random& random) {
                          return covers(
                              bootstrap(sample(random, 50, skewed), Average::median, kResamples).interval,
                              std::log(2.0));
                        }));
  all.push_back(
      measure("Wilson interval", "40 pictures, rate 5 %", "coverage", 0.93, 1, repeats, [](Random& random) {
        std::size_t hits = 0;
        for (int i = 0; i < 40; ++i) hits += random.uniform() < 0.05 ? 1 : 0;
        return covers(wilson_interval(hits, 40), 0.05);
      }));
  for (const auto& [truth, pictures, only_before, only_after, both] :
       {std::tuple{"20 pictures, from 10 % to 35 %", 20, 0.05, 0.3, 0.05},
        std::tuple{"100 pictures, from 5 % to 10 %", 100, 0.01, 0.06, 0.04},
        std::tuple{"20 pictures, 5 % and no change, each time other pictures", 20, 0.05, 0.05, 0.0}})
    all.push_back(
        measure("interval of the rise of a rate", truth, "coverage", 0.93, 1, repeats, [=](Random& random) {
          PairedCounts counts;
          for (int i = 0; i < pictures; ++i) {
            const double u = random.uniform();
            ++(u < both                              ? counts.both
               : u < both + only_before              ? counts.only_before
               : u < both + only_before + only_after ? counts.only_after
                                                     : counts.neither);
          }
          return covers(rate_increase_interval(counts), only_after - only_before);
        }));
  all.push_back(measure("Hodges-Lehmann shift", "15 and 15 timings, exponential noise, shifted by 0.5",
                        "coverage", 0.93, 1, repeats, [](Random& random) {
                          const auto first = sample(random, 15, skewed),
                                     second = sample(random, 15, skewed, 0.5);
                          return covers(shift(first, second).interval, 0.5);
                        }));
  all.push_back(
      measure("ratio of medians", "15 and 15 timings, 10 + exponential noise, second 1.1 times as slow",
              "coverage", 0.93, 1, repeats, [](Random& random) {
                auto first = sample(random, 15, skewed, 10), second = sample(random, 15, skewed, 10);
                for (double& value : second) value *= 1.1;
                return covers(ratio_of_medians(first, second, kResamples).interval, 1.1);
              }));
}

std::size_t hits(Random& random, std::size_t trials, double rate) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < trials; ++i) count += random.uniform() < rate ? 1 : 0;
  return count;
}

// Flags of a detector that is itself known from a finite calibration only.
void corrected_rates(std::vector<Simulated>& all, int repeats) {
  constexpr double kSensitivity = 0.9, kSpecificity = 0.99;
  constexpr std::size_t kDefective = 300, kClean = 300;
  for (const std::size_t pictures : {100u, 1000u})
    for (const double rate : {0.005, 0.01, 0.02, 0.05, 0.1, 0.3}) {
      char truth[100];
      std::snprintf(truth, sizeof truth, "%zu pictures, rate %g %%, Se 90 %%, Sp 99 %% from 300 + 300",
                    pictures, 100 * rate);
      all.push_back(
          measure("interval of the corrected rate", truth, "coverage", 0.93, 1, repeats, [=](Random& random) {
            const DetectorCounts detector{hits(random, kDefective, kSensitivity), kDefective,
                                          hits(random, kClean, kSpecificity), kClean};
            const std::size_t flagged =
                hits(random, pictures, flagged_rate(rate, kSensitivity, kSpecificity));
            return covers(corrected_rate_interval(flagged, pictures, detector), rate);
          }));
    }
}

void rejections(std::vector<Simulated>& all, int repeats) {
  const auto never = [&](const char* routine, const char* truth, double most,
                         const std::function<bool(Random&)>& rejects) {
    all.push_back(measure(routine, truth, "false rejections", 0, most, repeats,
                          [&](Random& random) { return Once{rejects(random), kNone}; }));
  };
  // 5 % and two standard errors of 1,000 repeats.
  constexpr double kMost = 0.05 + 2 * 0.0069;
  never("Wilcoxon signed rank", "12 differences, heavy tails, no effect", kMost,
        [](Random& random) { return signed_rank_test(sample(random, 12, heavy)).p <= 0.05; });
  never("Wilcoxon signed rank", "100 differences in steps of 0.5 (ties, zeros), no effect", kMost,
        [](Random& random) {
          auto values = sample(random, 100, normal);
          for (double& value : values) value = std::round(2 * value) / 2;
          return signed_rank_test(values).p <= 0.05;
        });
  never("sign test", "15 differences, heavy tails, no effect", kMost,
        [](Random& random) { return sign_test(sample(random, 15, heavy)).p <= 0.05; });
  never("Holm over 10 Wilcoxon tests", "20 differences each, no effect anywhere: any rejected", kMost,
        [](Random& random) {
          std::vector<double> p;
          for (int i = 0; i < 10; ++i) p.push_back(signed_rank_test(sample(random, 20, normal)).p);
          return std::ranges::min(holm(p)) <= 0.05;
        });
  never("Mann-Whitney", "9 and 9 timings, exponential noise, no effect", kMost, [](Random& random) {
    return rank_sum_test(sample(random, 9, skewed), sample(random, 9, skewed)).p <= 0.05;
  });
  never("equivalence (TOST)", "20 differences, mean exactly at the margin 0.5", kMost,
        [](Random& random) { return equivalence_test(sample(random, 20, normal, 0.5), 0.5) <= 0.05; });
  never("change points", "60 values of normal noise, no change: any found", kMost,
        [](Random& random) { return !change_points(sample(random, 60, normal)).empty(); });
}

const std::vector<double>& sigmas() {
  static const std::vector<double> values = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};
  return values;
}

// Scores of pictures at sigmas(): a level for each picture, the curve, a shift of each picture's own optimum,
// noise.
Eigen::MatrixXd responses(Random& random, Eigen::Index pictures, const std::function<double(double)>& curve) {
  Eigen::MatrixXd scores(pictures, static_cast<Eigen::Index>(sigmas().size()));
  for (Eigen::Index i = 0; i < pictures; ++i) {
    const double level = 30 + 3 * random.normal(), tilt = 0.5 * random.normal();
    for (Eigen::Index j = 0; j < scores.cols(); ++j) {
      const double at = sigmas()[static_cast<std::size_t>(j)];
      scores(i, j) = level + curve(at) + tilt * (at - 0.45) + 0.1 * random.normal();
    }
  }
  return scores;
}

double peak(double at) {  // greatest at 0.42
  return -8 * (at - 0.42) * (at - 0.42);
}

void sweet_spots(std::vector<Simulated>& all, int repeats) {
  const ResponseOptions options{.margin = 0.02, .bootstrap = {.resamples = 500, .threads = 1}};
  const auto fit = [&](const char* routine, const char* truth, const char* measured, double least,
                       double most, Eigen::Index pictures, const std::function<double(double)>& curve,
                       const std::function<Once(const Response&)>& judge) {
    all.push_back(measure(routine, truth, measured, least, most, repeats, [&](Random& random) {
      return judge(fit_response(sigmas(), responses(random, pictures, curve), options));
    }));
  };
  const auto best_covered = [](const Response& response) { return covers(response.best_interval, 0.42); };
  fit("interval of the best setting", "20 pictures, best at 0.42 of 0.1 .. 0.8", "coverage", 0.93, 1, 20,
      peak, best_covered);
  fit("interval of the best setting", "8 pictures, best at 0.42 of 0.1 .. 0.8", "coverage", 0.93, 1, 8, peak,
      best_covered);
  const auto band_covered = [](const Response& response) {
    // Of the shape: the level of the pictures is taken out.
    double level = 0, truth_level = 0, width = 0;
    for (const double at : sigmas()) truth_level += peak(at) / static_cast<double>(sigmas().size());
    for (std::size_t i = 0; i < response.at.size(); ++i)
      width += (response.high[i] - response.low[i]) / kResponseGrid;
    // The curve's mean over the settings is the level.
    for (const double at : sigmas()) {
      const auto i = static_cast<std::size_t>(std::lround((at - 0.1) / 0.7 * (kResponseGrid - 1)));
      level += response.curve[i] / static_cast<double>(sigmas().size());
    }
    bool inside = true;
    for (std::size_t i = 0; i < response.at.size(); ++i) {
      const double truth = level + peak(response.at[i]) - truth_level;
      inside = inside && response.low[i] <= truth && truth <= response.high[i];
    }
    return Once{inside, width};
  };
  for (const Eigen::Index pictures : {20, 4})
    fit("simultaneous band",
        pictures == 20 ? "20 pictures, best at 0.42: the whole curve" : "the same of 4 pictures", "coverage",
        0.93, 1, pictures, peak, band_covered);
  constexpr double kMost = 0.05 + 2 * 0.0069;
  fit(
      "sweet spot", "20 pictures, no effect: any other verdict", "false rejections", 0, kMost, 20,
      [](double) { return 0.0; },
      [](const Response& response) { return Once{response.verdict != ResponseVerdict::no_effect, kNone}; });
  fit(
      "sweet spot", "20 pictures, rising to the end: called a sweet spot", "false rejections", 0, kMost, 20,
      [](double at) { return 2 * at; },
      [](const Response& response) { return Once{response.verdict == ResponseVerdict::sweet_spot, kNone}; });
  fit("sweet spot", "20 pictures, best at 0.42: found", "power", 0.95, 1, 20, peak,
      [](const Response& response) { return Once{response.verdict == ResponseVerdict::sweet_spot, kNone}; });
  fit("plateau", "20 pictures, best at 0.42: holds a setting worse than the best by more than the margin",
      "false rejections", 0, kMost, 20, peak, [&](const Response& response) {
        bool wrong = false;
        for (std::size_t j = 0; j < sigmas().size(); ++j)
          wrong = wrong || (response.plateau[j] && -peak(sigmas()[j]) > options.margin);
        return Once{wrong, kNone};
      });
}

// 20 pictures of 8 cells; the first is `lead` standard deviations of a cell's noise ahead.
BestOf best_of_eight(Random& random, double lead) {
  Eigen::MatrixXd scores(20, 8);
  for (Eigen::Index i = 0; i < 20; ++i) {
    const double level = 5 * random.normal();
    for (Eigen::Index j = 0; j < 8; ++j) scores(i, j) = level + (j == 0 ? lead : 0) + random.normal();
  }
  return compare_with_best(scores, {.resamples = 300, .threads = 1});
}

// All others are shown to be worse than the column.
bool is_called_best(const BestOf& result, std::size_t column) {
  return result.best == column && std::ranges::count(result.cells, true, &Rival::worse) == 7;
}

void best_cells(std::vector<Simulated>& all, int repeats) {
  constexpr double kMost = 0.05 + 2 * 0.0069;
  all.push_back(measure("best of several", "20 pictures, 8 cells, no effect: any called worse than the best",
                        "false rejections", 0, kMost, repeats, [](Random& random) {
                          const BestOf result = best_of_eight(random, 0);
                          return Once{std::ranges::any_of(result.cells, &Rival::worse), kNone};
                        }));
  all.push_back(measure("best of several", "20 pictures, 8 cells, one 0.2 SD ahead: another called best",
                        "false rejections", 0, kMost, repeats, [](Random& random) {
                          const BestOf result = best_of_eight(random, 0.2);
                          return Once{result.best != 0 && is_called_best(result, result.best), kNone};
                        }));
  all.push_back(measure(
      "best of several", "20 pictures, 8 cells, one 2 SD ahead: called best", "power", 0.95, 1, repeats,
      [](Random& random) { return Once{is_called_best(best_of_eight(random, 2), 0), kNone}; }));
}

void rankings(std::vector<Simulated>& all, int repeats) {
  all.push_back(measure("interval of the rank", "20 pictures, 5 cells 0.3 SD apart: the middle one",
                        "coverage", 0.93, 1, repeats, [](Random& random) {
                          Eigen::MatrixXd scores(20, 5);
                          for (Eigen::Index i = 0; i < 20; ++i) {
                            const double level = 5 * random.normal();
                            for (Eigen::Index j = 0; j < 5; ++j)
                              scores(i, j) = level + 0.3 * static_cast<double>(j) + random.normal();
                          }
                          return covers(rank_cells(scores, {.resamples = 500, .threads = 1})[2].ranks, 3);
                        }));
}

}  // namespace

std::vector<Simulated> simulate_statistics(int repeats) {
  std::vector<Simulated> all;
  intervals(all, repeats);
  corrected_rates(all, repeats);
  rejections(all, repeats);
  sweet_spots(all, repeats);
  rankings(all, repeats);
  best_cells(all, repeats);
  return all;
}

}  // namespace upbench::test
