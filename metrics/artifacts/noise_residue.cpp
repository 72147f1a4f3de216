#include <cmath>
#include <cstdint>
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
constexpr float kFlat = 3;             // levels of structure: in more, noise is not told from detail
constexpr double kMarked = 4;          // levels
constexpr double kChance = 0.25, kRegular = 0.5;  // autocorrelation that noise has by chance; of a pattern
constexpr double kGrain = 3;  // levels of an input's own grain, enlarged: beside it noise is not told
constexpr std::size_t kFewestCells = 3;

struct Noise {
  cv::Mat excess;     // levels, for each cell
  cv::Mat structure;  // of the witness, levels
  cv::Mat told;       // CV_8U: cells in which noise can be told from a pattern and from grain
};

// Grain that the witness has, too, is no residue; in an input it is weaker by the scale. Neither are stripes.
Noise noise_beyond(const cv::Mat& output, const cv::Mat& witness, double scale) {
  const int cell = std::max(8, static_cast<int>(std::lround(kCell / scale)));
  const cv::Mat there = cell_noise(witness, cell) * scale;
  cv::Mat here, regularity;
  regularity = cell_regularity(output, kCell);
  // 1 for what noise correlates by chance, 0 for a pattern.
  const cv::Mat irregular = cv::min(cv::max((kRegular - regularity) / (kRegular - kChance), 0), 1);
  cv::resize(cell_noise(output, kCell).mul(irregular), here, there.size(), 0, 0, cv::INTER_AREA);
  cv::resize(regularity, regularity, there.size(), 0, 0, cv::INTER_AREA);
  Noise noise{.structure = cell_means(local_deviation(blurred(witness, 1.0), 7), cell),
              .told = regularity < kRegular};
  if (scale > 1) noise.told &= there < kGrain;
  cv::sqrt(cv::max(here.mul(here) - there.mul(there), 0), noise.excess);
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
  const float flat = std::min(flattest, kFlat);
  std::vector<float> smooth;
  for (int y = 0; y < noise.excess.rows; ++y)
    for (int x = 0; x < noise.excess.cols; ++x)
      if (noise.structure.at<float>(y, x) <= flat && noise.told.at<std::uint8_t>(y, x) != 0)
        smooth.push_back(noise.excess.at<float>(y, x));
  if (smooth.size() < kFewestCells)
    return {.missing = "no flat area, in which noise could be told from detail"};
  return {.value = quantile(cv::Mat(smooth), kTypical),
          .parts = {{"all areas, 90 % below", "levels", quantile(noise.excess, 0.9)}},
          .map = artifact_map(noise.excess),
          .boxes = worst_regions(noise.excess, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector noise_residue_detector() {
  return {
      .name = "noise-residue",
      .unit = "levels",
      .convention =
          "standard deviation of white noise (Immerkaer) beyond that of the reference or the "
          "input, without what repeats itself, 8-bit levels, median over the flattest quarter of the picture",
      .needs = "reference or input",
      .version = 2,
      .decimals = 2,
      .detect = noise_residue};
}

}  // namespace upbench
