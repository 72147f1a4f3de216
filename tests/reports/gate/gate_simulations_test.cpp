#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/gate/judge.h"
#include "reports/statistics/paired_rates.h"
#include "reports/statistics/random.h"
#include "tests/reports/gate/sample_side.h"

// How often the gate is right where the truth is known: two cells of 20 pictures, PSNR, LPIPS and nine
// timings each, default policy.
namespace upbench {
namespace {

using ::testing::HasSubstr;

constexpr char kPage[] = UPBENCH_SOURCE_DIR "/docs/statistics.md";
constexpr char kTableBegins[] = "<!-- gate: begin -->\n", kTableEnds[] = "<!-- gate: end -->";

struct Simulated {
  std::string truth, measured;
  double rate = 0, least = 0, most = 1;
};

std::string row_begins(const Simulated& simulated) {
  return fmt::format("| {} | {} |", simulated.truth, simulated.measured);
}

using Change = std::function<void(Random&, std::size_t, GateSide::Trial&)>;

GateResult compare(const GateSide& base, std::uint64_t repeat, int resamples, const Change& change) {
  Random random(2025, repeat);
  const GateSide now = changed(
      base, [&](std::size_t cell, std::size_t, GateSide::Trial& trial) { change(random, cell, trial); });
  return judge(base, now, {.resamples = resamples});
}

void time_again(Random& random, GateSide::Trial& trial, double level) {
  for (double& seconds : trial.model_seconds) seconds = level * (1 + 0.03 * random.normal());
}

class Simulations {
 public:
  Simulations(int repeats, int resamples, GateSide base)
      : repeats_(repeats), resamples_(resamples), base_(std::move(base)) {
    Random random(2026);
    for (auto& [key, trial] : base_.trials) time_again(random, trial, 1);
  }

  // Any alarm at all.
  void add_false_alarms(const char* truth, const Change& change) {
    int alarms = 0;
    for (int i = 0; i < repeats_; ++i) alarms += exit_code_of(once(i, change)) == 1;
    all_.push_back({truth, "false alarms", rate(alarms), 0, 0.05});
  }

  // The metric of the first cell is said to have regressed.
  void add_power(const char* truth, const char* metric, double least, const Change& change) {
    int found = 0;
    for (int i = 0; i < repeats_; ++i)
      for (const GateComparison& comparison : once(i, change).comparisons)
        found += comparison.cell == "model = a" && comparison.metric == metric &&
                 comparison.verdict == GateVerdict::regressed;
    // Two standard errors of the repeats; the page shows the rate of ten times as many.
    all_.push_back({truth, "found", rate(found), least - 2 * std::sqrt(least * (1 - least) / repeats_), 1});
  }

  const std::vector<Simulated>& all() const { return all_; }

 private:
  GateResult once(int i, const Change& change) {
    return compare(base_, static_cast<std::uint64_t>(i), resamples_, change);
  }
  double rate(int count) const { return static_cast<double>(count) / repeats_; }

  int repeats_;
  int resamples_;  // of 10,000 by default: with a tenth the intervals' ends move by a hundredth of their
                   // length
  GateSide base_;
  std::vector<Simulated> all_;
};

// Both cells of 20 pictures, of which the first few have a seam.
GateSide with_seams(std::size_t pictures) {
  return changed(with_detector(sample_side(), "seam"),
                 [=](std::size_t, std::size_t picture, GateSide::Trial& trial) {
                   trial.decisions[0] = picture < pictures;
                 });
}

// Of the first cell: each picture without a seam gets one with this probability.
Change more_seams(double probability) {
  return [=](Random& random, std::size_t cell, GateSide::Trial& trial) {
    if (cell == 0 && random.uniform() < probability) trial.decisions[0] = true;
  };
}

void simulate_artifacts(int repeats, int resamples, std::vector<Simulated>& all) {
  Simulations few(repeats, resamples, with_seams(5)), half(repeats, resamples, with_seams(10));
  few.add_false_alarms("nothing changed; a seam in 5 of 20 pictures, and one decision of ten comes out anew",
                       [](Random& random, std::size_t, GateSide::Trial& trial) {
                         if (random.uniform() < 0.1) trial.decisions[0] = random.uniform() < 0.25;
                       });
  half.add_power("the rate of seams doubled, from 10 of 20 pictures to all", "artifact seam", 0.95,
                 more_seams(1));
  // Seven comparisons: two metrics and the time of two cells, and this one.
  const double after = rate_found(20, 0.25, 0.05 / 7, 0.95);
  few.add_power("seams in 5 of 20 pictures, and then in as many as the planner says are needed",
                "artifact seam", 0.95, more_seams((after - 0.25) / 0.75));
  for (const Simulations* one : {&few, &half}) all.insert(all.end(), one->all().begin(), one->all().end());
}

std::vector<Simulated> simulate_gate(int repeats, int resamples) {
  Simulations simulations(repeats, resamples, sample_side());
  simulations.add_false_alarms(
      "nothing changed; every score and time is noise (0.05 dB, 1 % of LPIPS, 3 % of times)",
      [](Random& random, std::size_t, GateSide::Trial& trial) {
        trial.scores[0].value += 0.05 * random.normal();
        trial.scores[1].value += 0.002 * random.normal();
        time_again(random, trial, 1);
      });
  simulations.add_false_alarms(
      "nothing changed; scores repeat exactly, times are noise of 3 %",
      [](Random& random, std::size_t, GateSide::Trial& trial) { time_again(random, trial, 1); });
  simulations.add_power("0.05 dB worse on average, pictures differ with SD 0.05 dB", "psnr-y", 0.95,
                        [](Random& random, std::size_t cell, GateSide::Trial& trial) {
                          if (cell == 0) trial.scores[0].value -= 0.05 + 0.05 * random.normal();
                        });
  simulations.add_power("LPIPS 2 % worse on average, pictures differ with SD 2 %", "lpips-alex", 0.95,
                        [](Random& random, std::size_t cell, GateSide::Trial& trial) {
                          if (cell == 0) trial.scores[1].value *= 1 + 0.02 + 0.02 * random.normal();
                        });
  simulations.add_power("10 % slower, times with noise of 3 %", "model time", 0.9,
                        [](Random& random, std::size_t cell, GateSide::Trial& trial) {
                          time_again(random, trial, cell == 0 ? 1.1 : 1);
                        });
  std::vector<Simulated> all = simulations.all();
  simulate_artifacts(repeats, resamples, all);
  return all;
}

// The page holds the same with ten times the repeats and more resamples:
// UPBENCH_UPDATE_STATISTICS=1 build/upbench_reports_test --gtest_filter='GateSimulations.*'
TEST(GateSimulations, FalseAlarmsAndPowerAreWhatTheyClaim) {
  const bool update = std::getenv("UPBENCH_UPDATE_STATISTICS") != nullptr;
  const int repeats = update ? 2000 : 200;
  const std::vector<Simulated> all = simulate_gate(repeats, update ? 1000 : 400);
  std::string table =
      fmt::format("{} comparisons each, seeded.\n\n| truth | measured | rate |\n|---|---|---:|\n", repeats);
  for (const Simulated& simulated : all) {
    SCOPED_TRACE(row_begins(simulated));
    EXPECT_GE(simulated.rate, simulated.least);
    EXPECT_LE(simulated.rate, simulated.most);
    table += fmt::format("{} {:.1f} % |\n", row_begins(simulated), 100 * simulated.rate);
  }
  std::ostringstream page;
  page << std::ifstream(kPage).rdbuf();
  std::string text = page.str();
  if (update) {
    const std::size_t begin = text.find(kTableBegins) + sizeof kTableBegins - 1, end = text.find(kTableEnds);
    ASSERT_LE(begin, end);
    std::ofstream(kPage) << text.replace(begin, end - begin, table);
  }
  for (const Simulated& simulated : all)
    EXPECT_THAT(text, HasSubstr(row_begins(simulated))) << "docs/statistics.md is not of this build";
}

}  // namespace
}  // namespace upbench
