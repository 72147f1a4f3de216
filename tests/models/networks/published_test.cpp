#include <cmath>
#include <fstream>
#include <map>
#include <regex>

#include <gtest/gtest.h>

#include "tests/models/networks/peer_scores.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

constexpr double kUnknown = 0;

// What the authors published, or what their own code gave for this file: means over the set, Y with a border
// of `scale` pixels.
struct Published {
  const char* test;
  const char* checkpoint;
  int scale;
  double psnr_y, ssim_y;
  double within = 0.005;  // dB: half a unit of the last digit that papers print
};

void expect_published(const test::PictureScores& mean, const Published& published) {
  EXPECT_NEAR(mean.psnr_y, published.psnr_y, published.within);
  if (published.ssim_y != kUnknown) {
    EXPECT_NEAR(mean.ssim_y, published.ssim_y, 0.0005);
  }
}

void PrintTo(const Published& published, std::ostream* out) {
  *out << published.checkpoint;
}

std::string test_name(const testing::TestParamInfo<Published>& info) {
  return info.param.test;
}

class PublishedOnSet5 : public testing::TestWithParam<Published> {};

TEST_P(PublishedOnSet5, EveryPictureScoresAsThePeersAndTheMeanAsPublished) {
  UPBENCH_NEEDS_ASSETS();
  const UpscalerPtr upscaler = test::asset_upscaler(GetParam().checkpoint);
  ASSERT_EQ(upscaler->info().scale, GetParam().scale);
  const auto scores = test::expect_peers_scores(*upscaler, GetParam().checkpoint, test::pictures_of("Set5"));
  ASSERT_EQ(scores.size(), 5);
  expect_published(test::mean_of(scores), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Networks, PublishedOnSet5,
    testing::Values(Published{"ImdnTimesTwo", "imdn/IMDN_x2.pth", 2, 38.00, 0.9605},
                    Published{"ImdnTimesFour", "imdn/IMDN_x4.pth", 4, 32.21, 0.8948},
                    Published{"ImdnBaseline", "imdn/imdn_baseline.pth", 4, 32.247, kUnknown},
                    Published{"Rfdn", "rfdn/RFDN_AIM.pth", 4, 32.159, kUnknown},
                    Published{"RlfnTimesTwo", "rlfn/rlfn_x2.pth", 2, 38.066, kUnknown},
                    Published{"RlfnTimesFour", "rlfn/rlfn_x4.pth", 4, 32.238, kUnknown},
                    Published{"Efdn", "efdn/team00_EFDN.pth", 4, 32.076, kUnknown},
                    Published{"BsrnTimesTwo", "bsrn/net_g_BSRN_x2.pth", 2, 38.083, kUnknown},
                    Published{"BsrnTimesFour", "bsrn/net_g_BSRN_x4.pth", 4, 32.349, 0.8965}),
    test_name);

class PublishedOnSet14 : public testing::TestWithParam<Published> {};

TEST_P(PublishedOnSet14, TheMeanIsAsPublished) {
  UPBENCH_NEEDS_ASSETS();
  const UpscalerPtr upscaler = test::asset_upscaler(GetParam().checkpoint);
  std::vector<test::PictureScores> scores;
  for (const std::string& picture : test::pictures_of("Set14"))
    scores.push_back(test::score_picture(*upscaler, "Set14", picture));
  ASSERT_EQ(scores.size(), 14);
  expect_published(test::mean_of(scores), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Networks, PublishedOnSet14,
    testing::Values(Published{"RrdbPsnr", "rrdb/RRDB_PSNR_x4.fp16.safetensors", 4, 28.99, 0.7917,
                              0.01},  // 28.997: weights rounded to half precision
                    Published{"ImdnTimesFour", "imdn/IMDN_x4.pth", 4, 28.58, 0.7811},
                    Published{"BsrnTimesFour", "bsrn/net_g_BSRN_x4.pth", 4, 28.735, 0.7847}),
    test_name);

// The scores of one set in a log of PAN's authors, whose RGB is cut like Y.
std::map<std::string, test::PictureScores> logged(const std::string& log, const std::string& set) {
  std::map<std::string, test::PictureScores> scores;
  std::ifstream file(test::assets() / "reference/pan" / log);
  const std::regex score(R"(INFO: (\S+) +- PSNR: (\S+) dB; SSIM: \S+; PSNR_Y: (\S+) dB; SSIM_Y: (\S+)\.)");
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Testing [")) inside = line.starts_with("Testing [" + set + "]");
    std::smatch match;
    if (inside && std::regex_search(line, match, score))
      scores[match[1]] = {
          .psnr_rgb_cut = std::stod(match[2]), .psnr_y = std::stod(match[3]), .ssim_y = std::stod(match[4])};
  }
  return scores;
}

// Half a unit of the log's last digit is 5e-7; convolutions in another order move a few 8-bit values.
void expect_logged(const test::PictureScores& ours, const test::PictureScores& theirs,
                   const std::string& picture) {
  EXPECT_NEAR(ours.psnr_rgb_cut, theirs.psnr_rgb_cut, 1e-4) << picture;
  EXPECT_NEAR(ours.psnr_y, theirs.psnr_y, 1e-4) << picture;
  EXPECT_NEAR(ours.ssim_y, theirs.ssim_y, 1e-5) << picture;
}

struct PanLog {
  const char* test;
  const char* checkpoint;
  const char* log;
  int scale;
};

void PrintTo(const PanLog& pan, std::ostream* out) {
  *out << pan.checkpoint;
}

class PanLogs : public testing::TestWithParam<PanLog> {};

TEST_P(PanLogs, EveryPictureOfSet5ScoresAsTheAuthorsAndAsThePeers) {
  UPBENCH_NEEDS_ASSETS();
  const auto theirs = logged(GetParam().log, "Set5");
  const std::vector<std::string> pictures = test::pictures_of("Set5");
  const auto ours = test::expect_peers_scores(*test::asset_upscaler(GetParam().checkpoint),
                                              GetParam().checkpoint, pictures, GetParam().scale);
  ASSERT_EQ(theirs.size(), 5);
  ASSERT_EQ(ours.size(), 5);
  for (std::size_t i = 0; i < ours.size(); ++i) expect_logged(ours[i], theirs.at(pictures[i]), pictures[i]);
}

TEST_P(PanLogs, EveryPictureOfSet14ScoresAsTheAuthors) {
  UPBENCH_NEEDS_ASSETS();
  const auto theirs = logged(GetParam().log, "Set14");
  ASSERT_EQ(theirs.size(), 14);
  const UpscalerPtr upscaler = test::asset_upscaler(GetParam().checkpoint);
  for (const auto& [picture, scores] : theirs)
    expect_logged(test::score_picture(*upscaler, "Set14", picture, GetParam().scale), scores, picture);
}

INSTANTIATE_TEST_SUITE_P(Networks, PanLogs,
                         testing::Values(PanLog{"TimesTwo", "pan/PANx2_DF2K.pth", "PANx2_DF2K.log", 2},
                                         PanLog{"TimesFour", "pan/PANx4_DF2K.pth", "PANx4_DF2K.log", 4}),
                         [](const auto& log) { return log.param.test; });

// Eleven bits of every value are at worst a hundredth of the networks' own error of some ten 8-bit steps; an
// overflow, which values up to 255 could bring about, would cost tens of dB or be refused as not finite.
TEST(HalfPrecision, CostsNoMoreThanTwoHundredthsOfADecibel) {
  UPBENCH_NEEDS_ASSETS();
  for (const char* checkpoint :
       {"imdn/IMDN_x4.pth", "imdn/imdn_baseline.pth", "rfdn/RFDN_AIM.pth", "rlfn/rlfn_x4.pth",
        "efdn/team00_EFDN.pth", "bsrn/net_g_BSRN_x4.pth", "pan/PANx4_DF2K.pth"}) {
    const UpscalerPtr upscaler = test::asset_upscaler(checkpoint);
    ASSERT_TRUE(upscaler->info().supports_half);
    const double single = test::score_picture(*upscaler, "Set5", "butterfly").psnr_y;
    const double half =
        test::score_picture(*upscaler->to("cpu", Precision::fp16), "Set5", "butterfly").psnr_y;
    EXPECT_NEAR(half, single, 0.02) << checkpoint;
  }
}

}  // namespace
}  // namespace upbench
