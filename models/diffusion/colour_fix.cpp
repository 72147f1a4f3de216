#include "models/diffusion/colour_fix.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/image.h"
#include "models/diffusion/colour_fix_lab.h"
#include "models/diffusion/networks/autoencoder.h"
#include "models/diffusion/sampling/named_row.h"

namespace upbench {
namespace {

struct FixRow {
  std::string name;
  ColourFix fix;
};

const std::vector<FixRow>& fix_rows() {
  static const std::vector<FixRow> rows{{"none", ColourFix::none},
                                        {"lab-histogram", ColourFix::lab_histogram},
                                        {"adain", ColourFix::adain},
                                        {"wavelet", ColourFix::wavelet}};
  return rows;
}

at::Tensor adain(const at::Tensor& picture, const at::Tensor& like) {
  const auto statistics = [](const at::Tensor& x) {
    auto [variance, mean] = at::var_mean(x, {1, 2}, 1, /*keepdim=*/true);
    return std::pair(mean, (variance + 1e-5).sqrt());
  };
  const auto [mean, deviation] = statistics(picture);
  const auto [wanted_mean, wanted_deviation] = statistics(like);
  return (picture - mean) / deviation * wanted_deviation + wanted_mean;
}

// What five blurs with ever wider taps leave of a picture.
at::Tensor lowest_frequencies(const at::Tensor& picture) {
  const at::Tensor side = at::tensor({0.25, 0.5, 0.25}, picture.options());
  const at::Tensor kernel = at::outer(side, side).expand({3, 1, 3, 3});
  at::Tensor low = picture.unsqueeze(0);
  for (const std::int64_t reach : {1, 2, 4, 8, 16})
    low = at::conv2d(at::replication_pad2d(low, {reach, reach, reach, reach}), kernel, {}, 1,
                     at::IntArrayRef{0}, reach, /*groups=*/3);
  return low.squeeze(0);
}

at::Tensor wavelet(const at::Tensor& picture, const at::Tensor& like) {
  if (picture.sizes() != like.sizes())
    throw std::invalid_argument(
        fmt::format("colour fix wavelet: a picture of {} x {} beside one of {} x {}, expected equal sizes",
                    picture.size(2), picture.size(1), like.size(2), like.size(1)));
  return picture - lowest_frequencies(picture) + lowest_frequencies(like);
}

}  // namespace

ColourFix colour_fix(std::string_view name) {
  return named_row(fix_rows(), name, "colour fix").fix;
}

std::string to_string(ColourFix fix) {
  return std::ranges::find(fix_rows(), fix, &FixRow::fix)->name;
}

Image fix_colours(ColourFix fix, const Image& picture, const Image& like) {
  require_image(picture, "colour fix");
  require_image(like, "colour fix");
  if (has_non_finite(picture) || has_non_finite(like))
    throw std::invalid_argument(
        "colour fix: a picture holds NaN or infinite values, expected numbers in [0, 1]");
  switch (fix) {
    case ColourFix::none:
      break;
    case ColourFix::lab_histogram:
      return matched_lab_histogram(picture, like);
    case ColourFix::adain:
      return adain(picture, like).clamp_(0, 1);
    case ColourFix::wavelet:
      return wavelet(picture, like).clamp_(0, 1);
  }
  return picture;
}

}  // namespace upbench
