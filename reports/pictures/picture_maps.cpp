#include "reports/pictures/picture_maps.h"

#include <algorithm>
#include <cmath>

#include "reports/pictures/local_scores.h"
#include "reports/pictures/parallel.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

constexpr float kLeastSsimLoss =
    0.01F;                        // that white stands for: rounding of nearly equal pictures stays dark
constexpr float kLeastError = 1;  // level

// From black over red and yellow to white, so that light says how much.
Raster glowing(int width, int height, const std::vector<std::uint8_t>& grey) {
  Raster raster{.width = width, .height = height, .samples = {}};
  raster.samples.reserve(3 * grey.size());
  for (const std::uint8_t value : grey)
    for (int channel = 0; channel < 3; ++channel)
      raster.samples.push_back(static_cast<std::uint8_t>(std::clamp(3 * value - 255 * channel, 0, 255)));
  return raster;
}

Raster glowing(int width, int height, const std::vector<float>& values, float white) {
  std::vector<std::uint8_t> grey;
  grey.reserve(values.size());
  for (const float value : values)
    grey.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value / white, 0.F, 1.F) * 255)));
  return glowing(width, height, grey);
}

void add_detected(std::vector<PictureMap>& maps, const ShownPicture& picture, const PictureFiles& files,
                  const RunData& data, const ShownMethods& methods) {
  for (std::size_t k = 0; k < picture.methods(); ++k) {
    const std::uint32_t trial = methods.trial(k, picture.image());
    const auto found = data.maps.find(trial);
    if (found == data.maps.end()) continue;
    for (const RunData::Map& map : found->second) {
      const std::optional<Raster> grey = files.map(data.trials[trial], map);
      if (!grey || grey->width > picture.width() || grey->height > picture.height()) continue;
      const MetricRow& metric = data.plan.metrics[map.metric];
      maps.push_back({.method = k,
                      .kind = clean_text(metric.name),
                      .unit = clean_text(metric.unit),
                      .white = map.white,
                      .threshold = map.threshold,
                      .colours = glowing(grey->width, grey->height, grey->samples)});
    }
  }
}

// One scale for all methods, that of the worst place of the method in the middle: one broken picture does not
// darken the others.
float white_of(std::vector<float> worst, float least) {
  const auto middle = worst.begin() + static_cast<std::ptrdiff_t>(worst.size() / 2);
  std::ranges::nth_element(worst, middle);
  return std::max(*middle, least);
}

void add_local(std::vector<PictureMap>& maps, const ShownPicture& picture) {
  std::vector<std::optional<LocalScores>> scores(picture.methods());
  for_each_in_parallel(scores.size(), [&](std::size_t k) {
    if (const auto output = picture.output(k)) scores[k] = local_scores(*output, *picture.reference());
  });
  std::vector<float> losses, errors;
  for (const auto& score : scores)
    if (score) {
      losses.push_back(std::ranges::max(score->ssim_loss));
      errors.push_back(std::ranges::max(score->error));
    }
  if (losses.empty()) return;
  const float loss = white_of(std::move(losses), kLeastSsimLoss),
              error = white_of(std::move(errors), kLeastError);
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (!scores[k]) continue;
    const auto& [columns, rows, ssim_loss, errors_here] = *scores[k];
    maps.push_back({.method = k,
                    .kind = "local SSIM",
                    .unit = "",
                    .black = 1,
                    .white = 1 - double{loss},
                    .threshold = {},
                    .colours = glowing(columns, rows, ssim_loss, loss)});
    maps.push_back({.method = k,
                    .kind = "local error",
                    .unit = "levels of Y",
                    .white = error,
                    .threshold = {},
                    .colours = glowing(columns, rows, errors_here, error)});
  }
}

}  // namespace

std::vector<PictureMap> picture_maps(const ShownPicture& picture, const PictureFiles& files,
                                     const RunData& data, const ShownMethods& methods) {
  std::vector<PictureMap> maps;
  add_detected(maps, picture, files, data, methods);
  if (picture.reference()) add_local(maps, picture);
  return maps;
}

}  // namespace upbench
