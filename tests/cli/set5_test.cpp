#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

// Mean of one CSV column over the rows of each (model, tile), rows without a number left out.
std::map<std::string, double> means_by_cell(const std::string& csv, const std::string& column) {
  std::map<std::string, std::pair<double, int>> sums;
  for (const CsvRow& row : parse_csv(csv)) {
    auto& [sum, count] = sums[row.at("upscale.model") + " " + row.at("upscale.tile")];
    sum += std::stod(row.at(column));
    ++count;
  }
  std::map<std::string, double> means;
  for (const auto& [cell, sum] : sums) means[cell] = sum.first / sum.second;
  return means;
}

struct PeerScores {
  double psnr_y = 0, ssim_y = 0, lpips_alex = 0;  // of the 8-bit output
  double psnr_y_float = 0, ssim_y_float = 0;      // of the unrounded one
};

// goldens/peer_set5.tsv: what spandrel, pyiqa and lpips give. By (file stem, picture).
std::map<std::pair<std::string, std::string>, PeerScores> peer_scores() {
  std::istringstream table(read_text((assets() / "goldens/peer_set5.tsv").string()));
  std::map<std::pair<std::string, std::string>, PeerScores> scores;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#' || line.starts_with("dataset\t")) continue;
    std::istringstream row(line);
    std::vector<std::string> field;
    for (std::string value; std::getline(row, value, '\t');) field.push_back(value);
    if (field.at(3) != "4") continue;
    PeerScores& peer = scores[{std::filesystem::path(field[1]).stem().string(), field[4]}];
    const bool rounded = field.at(5) == "1";
    (rounded ? peer.psnr_y : peer.psnr_y_float) = std::stod(field.at(8));
    (rounded ? peer.ssim_y : peer.ssim_y_float) = std::stod(field.at(9));
    if (rounded) peer.lpips_alex = std::stod(field.at(12));
  }
  return scores;
}

// The comparison that upbench is for, with the numbers that others published or measured with the authors'
// code.
TEST(Set5, RealUpscalersReachTheirPublishedNumbersInOneSweep) {
  UPBENCH_NEEDS_ASSETS();
  const TemporaryFolder folder;
  const std::string set = (assets() / "images/Set5").string(), spec = (folder / "set5.yaml").string(),
                    store = (folder / "set5.db").string();
  write_text(spec, "name: set5\nimages: {hr: " + set + "/HR, lr: " + set + "/LR_bicubic/X4}\n" + R"(pipeline:
  - upscale:
      model: [RRDB_PSNR_x4.fp16, RealESRGAN_x4plus_anime_6B, realesr-general-x4v3, realesr-animevideov3, lanczos, matlab-bicubic]
      tile: [none, 64, 128]
metrics: [psnr-y, ssim-y, lpips-alex, psnr-y@float, ssim-y@float]
timing: none
)");
  const ProgramResult run =
      run_upbench({"run", spec, "--store", store, "--models", (assets() / "weights/upscalers").string()},
                  {"UPBENCH_ASSETS=" + assets().string()});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string csv = run_upbench({"report", store, "--csv", "-"}).out;
  const auto psnr = means_by_cell(csv, "psnr-y"), ssim = means_by_cell(csv, "ssim-y");
  ASSERT_EQ(psnr.size(), 18u);

  // Assets' README, to its own last digit: half of the last printed place plus what threads change (5e-5 dB).
  const std::map<std::string, double> expected = {{"RRDB_PSNR_x4.fp16 none", 32.730},
                                                  {"RealESRGAN_x4plus_anime_6B none", 25.197},
                                                  {"realesr-general-x4v3 none", 26.644},
                                                  {"realesr-animevideov3 none", 28.233}};
  for (const auto& [cell, value] : expected) EXPECT_NEAR(psnr.at(cell), value, 0.005) << cell;
  EXPECT_NEAR(ssim.at("RRDB_PSNR_x4.fp16 none"), 0.9011, 0.0005);
  // As pyiqa's imresize (goldens/peer_set5.tsv). Papers print 28.42/.8104, of luma that is made small itself.
  EXPECT_NEAR(psnr.at("matlab-bicubic none"), 28.4305, 0.001);
  EXPECT_NEAR(ssim.at("matlab-bicubic none"), 0.81126, 0.00001);

  // Picture by picture as the peers score their own outputs. Threads alone move the peers by 5e-5 dB, 7e-7,
  // 3e-6.
  const auto peers = peer_scores();
  int compared = 0;
  for (const CsvRow& row : parse_csv(csv)) {
    const auto peer = peers.find({row.at("upscale.model"), row.at("picture")});
    if (peer == peers.end() || row.at("upscale.tile") != "none") continue;
    const std::string what = row.at("upscale.model") + " " + row.at("picture");
    EXPECT_NEAR(std::stod(row.at("psnr-y")), peer->second.psnr_y, 0.001) << what;
    EXPECT_NEAR(std::stod(row.at("ssim-y")), peer->second.ssim_y, 1e-5) << what;
    EXPECT_NEAR(std::stod(row.at("lpips-alex")), peer->second.lpips_alex, 1e-4) << what;
    EXPECT_NEAR(std::stod(row.at("psnr-y@float")), peer->second.psnr_y_float, 0.001) << what;
    EXPECT_NEAR(std::stod(row.at("ssim-y@float")), peer->second.ssim_y_float, 1e-5) << what;
    ++compared;
  }
  EXPECT_EQ(compared, 4 * 5) << "four networks, five pictures";

  // Tiles with 10 px of context: an RRDB sees further than that, so scores move, but by little; interpolators
  // see less, so not at all.
  for (const char* tile : {"64", "128"}) {
    EXPECT_NEAR(psnr.at(std::string("RRDB_PSNR_x4.fp16 ") + tile), 32.730, 0.05) << tile;
    EXPECT_NEAR(psnr.at(std::string("lanczos ") + tile), psnr.at("lanczos none"), 1e-9) << tile;
  }
}

}  // namespace
}  // namespace upbench::test
