// Against values that other programs gave for the same pictures.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "metrics/catalog.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

double score(const std::string& metric, const Image& output, const Image& reference) {
  return Scorer({parse_metric(metric)}, 0).score(output, reference).at(0).score.value;
}

std::map<std::string, double> scores_of(const std::vector<std::string>& metrics,
                                        const std::filesystem::path& output,
                                        const std::filesystem::path& reference) {
  std::vector<MetricRequest> requests;
  for (const std::string& metric : metrics) requests.push_back(parse_metric(metric));
  const auto results = Scorer(requests, 0).score(test::read_picture(output), test::read_picture(reference));
  std::map<std::string, double> scores;
  for (std::size_t i = 0; i < metrics.size(); ++i) scores[metrics[i]] = results[i].score.value;
  return scores;
}

struct Convention {
  std::string metric;
  double tolerance;
  bool relative;
};

// "metric|peer|settings|dtype" of the table -> ours. PSNR of 8-bit pictures is float64 on both sides. SSIM is
// float32 here, float64 there. LPIPS: two float32 programs, and float32 against float64, differ in the order
// of summation.
const std::map<std::string, Convention>& conventions() {
  static const std::map<std::string, Convention> all = {
      {"psnr|opencv|RGB|f64", {"psnr-rgb", 1e-9, true}},
      {"psnr|skimage|RGB|f64", {"psnr-rgb", 1e-9, true}},
      {"psnr_y|basicsr-convention|Y 16..235, no border cut|f64", {"psnr-y", 1e-9, true}},
      {"ssim|skimage|RGB, gaussian 11 s1.5, population covariance|f64", {"ssim-rgb", 1e-6, false}},
      {"ssim|basicsr-convention|RGB mean, no border cut|f64", {"ssim-rgb", 1e-6, false}},
      {"ssim_y|basicsr-convention|Y 16..235, no border cut|f64", {"ssim-y", 1e-6, false}},
      {"lpips_alex|lpips||f32", {"lpips-alex", 1e-6, false}},
      {"lpips_alex|lpips||f64", {"lpips-alex", 1e-6, false}},
      {"lpips_squeeze|lpips||f32", {"lpips-squeeze", 1e-6, false}},
      {"lpips_squeeze|lpips||f64", {"lpips-squeeze", 1e-6, false}},
  };
  return all;
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
  return fields;
}

TEST(MetricGolden, PeersAgreeOnRealPairs) {
  UPBENCH_NEEDS_ASSETS();
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  std::ifstream table(test::assets() / "goldens" / "peer_pairs.tsv");
  const std::vector<std::string> names = {"psnr-rgb", "psnr-y",     "ssim-rgb",
                                          "ssim-y",   "lpips-alex", "lpips-squeeze"};
  std::map<std::string, std::map<std::string, double>> scores;  // of a pair, by metric
  int compared = 0;
  for (std::string line; std::getline(table, line);) {
    const std::vector<std::string> fields = split(line);
    if (line.starts_with('#') || fields.size() != 7 || fields[0].ends_with(".gif")) continue;
    const auto convention =
        conventions().find(fields[2] + "|" + fields[3] + "|" + fields[4] + "|" + fields[5]);
    if (convention == conventions().end()) continue;
    const auto& [metric, tolerance, relative] = convention->second;
    const double expected = std::stod(fields[6]);
    const double allowed = relative ? tolerance * std::abs(expected) : tolerance;
    auto [pair, fresh] = scores.try_emplace(fields[0] + " " + fields[1]);
    if (fresh) pair->second = scores_of(names, test::assets() / fields[1], test::assets() / fields[0]);
    EXPECT_NEAR(pair->second.at(metric), expected, allowed) << line;
    ++compared;
  }
  EXPECT_EQ(compared, 50) << "five pairs, ten conventions";
}

// The values that assets/README.md gives, to its last digit.
TEST(MetricGolden, LpipsReproducesTheCheckedValues) {
  UPBENCH_NEEDS_ASSETS();
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const auto folder = test::assets() / "images" / "lpips-pairs";
  const Image reference = test::read_picture(folder / "ex_ref.png");
  const Image first = test::read_picture(folder / "ex_p0.png"),
              second = test::read_picture(folder / "ex_p1.png");
  EXPECT_NEAR(score("lpips-alex", first, reference), 0.72188, 5e-6);
  EXPECT_NEAR(score("lpips-squeeze", first, reference), 0.71105, 5e-6);
  EXPECT_NEAR(score("lpips-alex", second, reference), 0.13757, 5e-6);
  EXPECT_NEAR(score("lpips-squeeze", second, reference), 0.14790, 5e-6);
}

// The official values of IQA-PyTorch's results_official.csv.
TEST(MetricGolden, OfficialValuesOfTid2013PairsAreReproduced) {
  UPBENCH_NEEDS_ASSETS();
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const auto folder = test::assets() / "reference" / "iqa-pytorch";
  struct Expected {
    const char* name;
    double psnr, lpips, psnr_half, lpips_half;
  };  // halves of the last printed digit
  for (const auto& [name, psnr, lpips, psnr_half, lpips_half] :
       {Expected{"I03.bmp", 21.11, 0.7237, 5e-3, 5e-5},
        {"I04.bmp", 20.99, 0.2572, 5e-3, 5e-5},
        {"I06.bmp", 27.01, 0.05079, 5e-3, 5e-6}}) {
    const Image reference = test::read_picture(folder / "ref_dir" / name),
                output = test::read_picture(folder / "dist_dir" / name);
    EXPECT_NEAR(score("psnr-rgb", output, reference), psnr, psnr_half) << name;
    EXPECT_NEAR(score("lpips-alex", output, reference), lpips, lpips_half) << name;
  }
}

}  // namespace
}  // namespace upbench
