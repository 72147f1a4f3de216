#include <gtest/gtest.h>

#include "tests/models/networks/peer_scores.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

void expect_peers_scores(const std::string& checkpoint, const std::vector<std::string>& pictures) {
  test::expect_peers_scores(*test::asset_upscaler(checkpoint), checkpoint, pictures);
}

const std::vector<std::string> kAll{"baby", "bird", "butterfly", "head", "woman"},
    kSmall{"butterfly", "woman"};

TEST(Set5, AnimeVideoTimesFourGivesThePeersScores) {
  UPBENCH_NEEDS_ASSETS();
  expect_peers_scores("srvgg/realesr-animevideov3.pth", kAll);
}

TEST(Set5, AnimeVideoTimesTwoGivesThePeersScores) {
  UPBENCH_NEEDS_ASSETS();
  expect_peers_scores("srvgg/RealESRGANv2-animevideo-xsx2.pth", kAll);
}

TEST(Set5, GeneralTimesFourGivesThePeersScores) {
  UPBENCH_NEEDS_ASSETS();
  expect_peers_scores("srvgg/realesr-general-x4v3.safetensors", kAll);
}

TEST(Set5, RrdbOfSixBlocksGivesThePeersScores) {
  UPBENCH_NEEDS_ASSETS();
  expect_peers_scores("rrdb/RealESRGAN_x4plus_anime_6B.pth", kSmall);
}

TEST(Set5, RrdbOfTwentyThreeBlocksGivesThePeersScores) {
  UPBENCH_NEEDS_ASSETS();
  expect_peers_scores("rrdb/RRDB_PSNR_x4.fp16.safetensors", kSmall);
}

}  // namespace
}  // namespace upbench
