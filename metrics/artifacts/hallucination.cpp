#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/local.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"
#include "metrics/erqa.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr int kWindow = 11;           // px
constexpr double kAllowed = 0.35;     // of the witness's own contrast: misplaced detail is no invention
constexpr double kRounding = 0.25;    // levels^2, more than rounding both to 8 bit leaves
constexpr int kCell = 16;             // px of the output
constexpr double kWorstShare = 0.97;  // of the area lies below the value
constexpr double kMarked = 6;         // levels
constexpr double kSimilar = 0.7;      // contrast similarity below which DeSRA calls a place an artifact

// Contrast of the output that the witness does not explain: s sqrt(1 - r^2), with s the local standard
// deviation and r the correlation with the witness, less what imprecise detail may leave.
cv::Mat unexplained(const cv::Mat& output, const cv::Mat& witness) {
  const LocalMoments moments = local_moments(output, witness, kWindow);
  cv::Mat explained = moments.covariance.mul(moments.covariance);
  cv::divide(explained, moments.variance_b + 0.01, explained);
  cv::Mat left = moments.variance_a - explained - moments.variance_b * (kAllowed * kAllowed) - kRounding;
  left = cv::max(left, 0);
  cv::sqrt(left, left);
  return left;
}

// Share of the area in which contrasts differ as DeSRA (Xie et al., 2023) measures it, and the output's is
// the greater: (2 a b + C) / (a^2 + b^2 + C) of local standard deviations a and b, C = (0.03 x 255)^2.
double dissimilar_share(const cv::Mat& output, const cv::Mat& witness) {
  constexpr double kC = 58.5225;
  const cv::Mat a = local_deviation(output, kWindow), b = local_deviation(witness, kWindow);
  const cv::Mat similarity = (2 * a.mul(b) + kC) / (a.mul(a) + b.mul(b) + kC);
  cv::Mat marked = (similarity < kSimilar) & (a > b);
  cv::erode(marked, marked, cv::Mat::ones(5, 5, CV_8U));
  return cv::countNonZero(marked) / static_cast<double>(marked.total());
}

// Of the output's edges, how many the witness has none for, as ERQA pairs them.
double false_edge_share(const Prepared& prepared, Picture witness) {
  constexpr int kSmallestSide = 8;
  if (std::min(prepared.width(), prepared.height()) < kSmallestSide) return 0;
  std::array<std::vector<float>, 2> values;
  std::array<Planes, 2> planes;
  for (std::size_t i = 0; i < planes.size(); ++i) {
    const auto& rgb = prepared.rgb(i == 0 ? Picture::output : witness);
    const auto area = static_cast<std::ptrdiff_t>(rgb[0].total());
    values[i].resize(static_cast<std::size_t>(3 * area));
    for (std::size_t channel = 0; channel < 3; ++channel) {
      cv::Mat plane(rgb[0].size(), CV_32F, values[i].data() + static_cast<std::ptrdiff_t>(channel) * area);
      rgb[channel].convertTo(plane, CV_32F, 1.0 / 255);
    }
    planes[i] = {.data = values[i].data(),
                 .width = prepared.width(),
                 .height = prepared.height(),
                 .row_stride = prepared.width(),
                 .channel_stride = area};
  }
  const double precision = match_edges(planes[0], planes[1]).precision();
  return std::isnan(precision) ? 0 : 1 - precision;
}

Detection hallucination(const Prepared& prepared) {
  const auto witness = prepared.first_of({Picture::reference, Picture::fidelity, Picture::input});
  if (!witness) return {.missing = "needs a reference, a result of a fidelity model or an input"};
  const bool small = *witness == Picture::input;
  const cv::Mat& output = small ? prepared.input_size_luma(Picture::output) : prepared.luma(Picture::output);
  const cv::Mat& truth = prepared.luma(*witness);
  const int cell = small ? std::max(4, static_cast<int>(std::lround(kCell / prepared.scale_x()))) : kCell;
  const cv::Mat map = cell_means(unexplained(output, truth), cell);
  std::vector<ArtifactPart> parts = {
      {"mean", "levels", cv::mean(map)[0]},
      {"area of greater contrast (DeSRA)", "%", 100 * dissimilar_share(output, truth)}};
  if (!small) parts.push_back({"false edges (ERQA)", "%", 100 * false_edge_share(prepared, *witness)});
  return {.value = quantile(map, kWorstShare),
          .parts = std::move(parts),
          .map = artifact_map(map),
          .boxes = worst_regions(map, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector hallucination_detector() {
  return {.name = "hallucination",
          .unit = "levels",
          .convention =
              "local contrast (standard deviation, 8-bit levels) that the reference, a fidelity "
              "model's result or, at its size, the input does not explain; 97 % of the area below",
          .needs = "reference, fidelity result or input",
          .decimals = 2,
          .by_fidelity = true,
          .detect = hallucination};
}

}  // namespace upbench
