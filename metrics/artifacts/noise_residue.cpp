#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/local.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr int kCell = 16;              // px
constexpr double kSmoothShare = 0.25;  // the flattest cells of the witness, in which noise is looked for
constexpr double kTypical = 0.5;       // of these: the median
constexpr float kFlat = 3;             // levels of structure in an input: more may be detail of the output
constexpr double kMarked = 4;          // levels

struct Noise {
  cv::Mat excess;     // levels, for each cell
  cv::Mat structure;  // of the witness, levels
};

// Grain that the witness has, too, is no residue; in an input it is weaker by the scale.
Noise noise_beyond(const cv::Mat& output, const cv::Mat& witness, double scale) {
  const int cell = std::max(8, static_cast<int>(std::lround(kCell / scale)));
  const cv::Mat there = cell_noise(witness, cell);
  cv::Mat here;
  cv::resize(cell_noise(output, kCell), here, there.size(), 0, 0, cv::INTER_AREA);
  const cv::Mat left = here.mul(here) - there.mul(there) * (scale * scale);
  Noise noise{.structure = cell_means(local_deviation(blurred(witness, 1.0), 7), cell)};
  cv::sqrt(cv::max(left, 0), noise.excess);
  return noise;
}

// Judged where the witness is flattest, and flat.
Detection noise_residue(const Prepared& prepared) {
  const bool referenced = prepared.has(Picture::reference);
  if (!referenced && !prepared.has(Picture::input)) return {.missing = "needs a reference or an input"};
  const Noise noise = noise_beyond(prepared.luma(Picture::output),
                                   prepared.luma(referenced ? Picture::reference : Picture::input),
                                   referenced ? 1 : std::sqrt(prepared.scale_x() * prepared.scale_y()));
  const auto flattest = static_cast<float>(quantile(noise.structure, kSmoothShare));
  const float flat = referenced ? flattest : std::min(flattest, kFlat);
  std::vector<float> smooth;
  for (int y = 0; y < noise.excess.rows; ++y)
    for (int x = 0; x < noise.excess.cols; ++x)
      if (noise.structure.at<float>(y, x) <= flat) smooth.push_back(noise.excess.at<float>(y, x));
  if (smooth.empty()) return {};
  return {.value = quantile(cv::Mat(smooth), kTypical),
          .parts = {{"all areas, 90 % below", "levels", quantile(noise.excess, 0.9)}},
          .map = artifact_map(noise.excess),
          .boxes = worst_regions(noise.excess, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector noise_residue_detector() {
  return {.name = "noise-residue",
          .unit = "levels",
          .convention =
              "standard deviation of white noise (Immerkaer) beyond that of the reference or the "
              "input, 8-bit levels, median over the flattest quarter of the picture",
          .needs = "reference or input",
          .decimals = 2,
          .detect = noise_residue};
}

}  // namespace upbench
