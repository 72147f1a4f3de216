#include "tests/models/networks/peer_scores.h"

#include <algorithm>
#include <array>
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

// One score: our metric, and where the peers' table has it.
struct Field {
  double PictureScores::* value;
  const char* metric;
  const char* quantized;  // the table's row: of the 8-bit output, or of the unrounded one
  std::size_t column;
  double within;  // the peer with 1 and with 2 threads differs by 5e-5 dB and 7e-7 in SSIM
};
constexpr std::array kFields{
    Field{&PictureScores::psnr_rgb, "psnr-rgb@b0", "1", 6, 1e-3},
    Field{&PictureScores::psnr_rgb_cut, "psnr-rgb", "1", 7, 1e-3},
    Field{&PictureScores::psnr_y, "psnr-y", "1", 8, 1e-3},
    Field{&PictureScores::ssim_y, "ssim-y", "1", 9, 1e-5},
    Field{&PictureScores::psnr_rgb_float, "psnr-rgb@b0@float", "0", 6, 1e-3},
    Field{&PictureScores::psnr_rgb_cut_float, "psnr-rgb@float", "0", 7, 1e-3},
    Field{&PictureScores::psnr_y_float, "psnr-y@float", "0", 8, 1e-3},
    Field{&PictureScores::ssim_y_float, "ssim-y@float", "0", 9, 1e-5},
};

std::vector<MetricRequest> requests() {
  std::vector<MetricRequest> all;
  for (const Field& field : kFields) all.push_back(parse_metric(field.metric));
  return all;
}

// The peer's rows for both outputs; nothing where one is missing.
std::optional<PictureScores> peer_scores(const std::string& checkpoint, const std::string& picture,
                                         int scale) {
  std::ifstream table(assets() / "goldens/peer_set5.tsv");
  PictureScores scores;
  std::size_t found = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::vector<std::string> row;
    for (std::string field; std::getline(fields, field, '\t');) row.push_back(field);
    if (row.size() <= 9 || row[1] != checkpoint || row[3] != std::to_string(scale) || row[4] != picture)
      continue;
    for (const Field& field : kFields) {
      if (row[5] != field.quantized) continue;
      scores.*field.value = std::stod(row[field.column]);
      ++found;
    }
  }
  return found == kFields.size() ? std::optional(scores) : std::nullopt;
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
  const auto results = Scorer(requests(), scale).score(output, reference);
  PictureScores scores;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const Score& score = results[i].score;
    if (score.flag != ScoreFlag::ok)
      throw std::runtime_error(picture + ": " + kFields[i].metric + ": " + score.reason);
    scores.*kFields[i].value = score.value;
  }
  return scores;
}

PictureScores mean_of(const std::vector<PictureScores>& scores) {
  PictureScores mean;
  for (const Field& field : kFields)
    for (const PictureScores& each : scores)
      mean.*field.value += each.*field.value / static_cast<double>(scores.size());
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
    for (const Field& field : kFields)
      EXPECT_NEAR(ours.*field.value, (*peer).*field.value, field.within)
          << field.metric << " " << checkpoint << " " << picture;
  }
  return found;
}

}  // namespace upbench::test
