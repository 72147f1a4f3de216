#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/upscaler.h"

namespace upbench::test {

struct PictureScores {
  double psnr_rgb = 0;      // no border
  double psnr_rgb_cut = 0;  // as the following, a border of `scale` pixels left out
  double psnr_y = 0;
  double ssim_y = 0;
  // The same of the output as it is before it is rounded to 8 bit.
  double psnr_rgb_float = 0;
  double psnr_rgb_cut_float = 0;
  double psnr_y_float = 0;
  double ssim_y_float = 0;
};

// An upscaler of the assets by its path below weights/upscalers.
UpscalerPtr asset_upscaler(const std::string& checkpoint);

// Names of the pictures of "Set5" or "Set14", in order.
std::vector<std::string> pictures_of(const std::string& set);

// How the output for the set's official LR picture compares with the HR picture, cut to scale times the LR at
// the right and bottom. scale 0: the upscaler's.
PictureScores score_picture(const Upscaler& upscaler, const std::string& set, const std::string& picture,
                            int scale = 0, Padding padding = Padding::authors);

// Means over the pictures.
PictureScores mean_of(const std::vector<PictureScores>& scores);

// Expects for each picture of Set5 the scores of goldens/peer_set5.tsv, rounded and not (PSNR to 0.001 dB,
// SSIM to 1e-5), and returns the scores found.
std::vector<PictureScores> expect_peers_scores(const Upscaler& upscaler, const std::string& checkpoint,
                                               const std::vector<std::string>& pictures, int scale = 0,
                                               Padding padding = Padding::authors);

}  // namespace upbench::test
