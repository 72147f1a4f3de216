#include "tests/reports/statistics/simulations.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

constexpr char kPage[] = UPBENCH_SOURCE_DIR "/docs/statistics.md";
constexpr char kTableBegins[] = "<!-- simulated: begin -->\n", kTableEnds[] = "<!-- simulated: end -->";

// The columns that do not depend on the number of repeats.
std::string row_begins(const Simulated& simulated) {
  return fmt::format("| {} | {} | {} |", simulated.routine, simulated.truth, simulated.measured);
}

std::string table(const std::vector<Simulated>& all, int repeats) {
  std::string text = fmt::format(
      "{} repeats each, seeded.\n\n| routine | truth | measured | rate | mean width "
      "|\n|---|---|---|---:|---:|\n",
      repeats);
  for (const Simulated& simulated : all)
    text += fmt::format("{} {:.1f} % | {} |\n", row_begins(simulated), 100 * simulated.rate,
                        std::isnan(simulated.width) ? "" : fmt::format("{:.3f}", simulated.width));
  return text;
}

std::string page() {
  std::ifstream file(kPage);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The page holds the same with ten times the repeats:
// UPBENCH_UPDATE_STATISTICS=1 build/upbench_statistics_test --gtest_filter='Simulations.*'
TEST(Simulations, CoverageAndFalseRejectionsAreWhatTheyClaim) {
  const bool update = std::getenv("UPBENCH_UPDATE_STATISTICS") != nullptr;
  const int repeats = update ? 10'000 : 1'000;
  std::vector<Simulated> all = simulate_statistics(repeats);
  simulate_races(all, repeats);
  for (const Simulated& simulated : all) {
    SCOPED_TRACE(row_begins(simulated));
    EXPECT_GE(simulated.rate, simulated.least);
    EXPECT_LE(simulated.rate, simulated.most);
  }
  std::string text = page();
  if (update) {
    const std::size_t begin = text.find(kTableBegins) + sizeof kTableBegins - 1, end = text.find(kTableEnds);
    std::ofstream(kPage) << text.replace(begin, end - begin, table(all, repeats));
  }
  for (const Simulated& simulated : all)
    EXPECT_THAT(text, HasSubstr(row_begins(simulated))) << "docs/statistics.md is not of this build";
}

}  // namespace
}  // namespace upbench::test
