#include "tests/models/networks/peer_scores.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "metrics/catalog.h"
#include "models/catalog.h"
#include "models/upscale.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

std::filesystem::path lr_picture(const std::string& set, const std::string& picture, int scale) {
  const std::string factor = std::to_string(scale);
  return assets() / "images" / set / "LR_bicubic" / ("X" + factor) / (picture + "x" + factor + ".png");
}

// The peer's row for the 8-bit output.
std::optional<PictureScores> peer_scores(const std::string& checkpoint, const std::string& picture,
                                         int scale) {
  std::ifstream table(assets() / "goldens/peer_set5.tsv");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::vector<std::string> row;
    for (std::string field; std::getline(fields, field, '\t');) row.push_back(field);
    if (row.size() > 9 && row[1] == checkpoint && row[3] == std::to_string(scale) && row[4] == picture &&
        row[5] == "1")
      return PictureScores{std::stod(row[6]), std::stod(row[7]), std::stod(row[8]), std::stod(row[9])};
  }
  return {};
}

}  // namespace

UpscalerPtr asset_upscaler(const std::string& checkpoint) {
  return load_upscaler_file(assets() / "weights/upscalers" / checkpoint);
}

std::vector<std::string> pictures_of(const std::string& set) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(assets() / "images" / set / "HR"))
    names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

PictureScores score_picture(const Upscaler& upscaler, const std::string& set, const std::string& picture,
                            int scale, Padding padding) {
  if (scale == 0) scale = upscaler.info().scale;
  const Image input = to_image(decode_file(lr_picture(set, picture, scale)));
  const Image output = upscale(upscaler, input, {.scale = scale, .padding = padding}).image;
  const Image hr = to_image(decode_file(assets() / "images" / set / "HR" / (picture + ".png")));
  const Image reference = hr.slice(1, 0, output.size(1)).slice(2, 0, output.size(2)).contiguous();
  const Scorer scorer({parse_metric("psnr-rgb@b0"), parse_metric("psnr-rgb"), parse_metric("psnr-y"),
                       parse_metric("ssim-y"), parse_metric("psnr-y@float")},
                      scale);
  const auto results = scorer.score(output, reference);
  for (const auto& result : results) {
    if (result.score.flag != ScoreFlag::ok) throw std::runtime_error(picture + ": " + result.score.reason);
  }
  return {results[0].score.value, results[1].score.value, results[2].score.value, results[3].score.value,
          results[4].score.value};
}

PictureScores mean_of(const std::vector<PictureScores>& scores) {
  PictureScores mean;
  const auto count = static_cast<double>(scores.size());
  for (const PictureScores& each : scores) {
    mean.psnr_rgb += each.psnr_rgb / count;
    mean.psnr_rgb_cut += each.psnr_rgb_cut / count;
    mean.psnr_y += each.psnr_y / count;
    mean.ssim_y += each.ssim_y / count;
    mean.psnr_y_float += each.psnr_y_float / count;
  }
  return mean;
}

std::vector<PictureScores> expect_peers_scores(const Upscaler& upscaler, const std::string& checkpoint,
                                               const std::vector<std::string>& pictures, int scale,
                                               Padding padding) {
  if (scale == 0) scale = upscaler.info().scale;
  std::vector<PictureScores> found;
  for (const std::string& picture : pictures) {
    const auto peer = peer_scores(checkpoint, picture, scale);
    if (!peer) {
      ADD_FAILURE() << "the peers' table has no row for " << checkpoint << " x" << scale << " " << picture;
      continue;
    }
    const PictureScores ours = found.emplace_back(score_picture(upscaler, "Set5", picture, scale, padding));
    // The peer with 1 and with 2 threads differs by 5e-5 dB and 7e-7 in SSIM.
    EXPECT_NEAR(ours.psnr_rgb, peer->psnr_rgb, 1e-3) << checkpoint << " " << picture;
    EXPECT_NEAR(ours.psnr_rgb_cut, peer->psnr_rgb_cut, 1e-3) << checkpoint << " " << picture;
    EXPECT_NEAR(ours.psnr_y, peer->psnr_y, 1e-3) << checkpoint << " " << picture;
    EXPECT_NEAR(ours.ssim_y, peer->ssim_y, 1e-5) << checkpoint << " " << picture;
  }
  return found;
}

}  // namespace upbench::test
