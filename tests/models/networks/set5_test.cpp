#include <fstream>
#include <sstream>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "models/catalog.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

struct Score {
  double psnr_rgb = 0, psnr_y = 0;
};

double psnr(const at::Tensor& a, const at::Tensor& b, double peak) {
  return 10 *
         std::log10(peak * peak / (a.to(at::kDouble) - b.to(at::kDouble)).square().mean().item<double>());
}

// BT.601 limited range, unrounded, of a picture in [0, 1]; a border of `cut` pixels is left out.
at::Tensor luma(const at::Tensor& image, std::int64_t cut) {
  const at::Tensor weights = at::tensor({65.481, 128.553, 24.966}, at::kDouble).reshape({3, 1, 1});
  const at::Tensor y = (image.to(at::kDouble) * weights).sum(0) + 16;
  return y.slice(0, cut, y.size(0) - cut).slice(1, cut, y.size(1) - cut);
}

// The peer's row of goldens/peer_set5.tsv for the 8-bit output.
Score peer(const std::string& checkpoint, const std::string& picture) {
  std::ifstream table(test::assets() / "goldens/peer_set5.tsv");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::vector<std::string> row;
    for (std::string field; std::getline(fields, field, '\t');) row.push_back(field);
    if (row.size() > 9 && row[1] == checkpoint && row[4] == picture && row[5] == "1")
      return {std::stod(row[6]), std::stod(row[8])};
  }
  ADD_FAILURE() << "no row for " << checkpoint << " " << picture;
  return {};
}

void expect_peers_scores(const std::string& checkpoint, const std::vector<std::string>& pictures) {
  const c10::AutoGradMode no_gradients(false);
  const UpscalerPtr upscaler = load_upscaler_file(test::assets() / "weights/upscalers" / checkpoint);
  const int scale = upscaler->info().scale;
  for (const std::string& picture : pictures) {
    const auto folder = test::assets() / "images/Set5";
    std::filesystem::path lr;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder / "LR_bicubic" / ("X" + std::to_string(scale)))) {
      if (entry.path().filename().string().starts_with(picture)) lr = entry.path();
    }
    const at::Tensor input = to_image(decode_file(lr)),
                     reference = to_image(decode_file(folder / "HR" / (picture + ".png")));
    const at::Tensor output = quantized(upscaler->forward(input.unsqueeze(0), scale)[0]);
    const at::Tensor cut = reference.slice(1, 0, output.size(1)).slice(2, 0, output.size(2));
    const Score expected = peer(checkpoint, picture);
    // The peer with 1 and with 2 threads differs by 5e-5 dB.
    EXPECT_NEAR(psnr(output, cut, 1), expected.psnr_rgb, 1e-3) << checkpoint << " " << picture;
    EXPECT_NEAR(psnr(luma(output, scale), luma(cut, scale), 255), expected.psnr_y, 1e-3)
        << checkpoint << " " << picture;
  }
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
