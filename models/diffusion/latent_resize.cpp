#include "models/diffusion/latent_resize.h"

#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench {
namespace {

constexpr double kEqualDirections = 1 - 1e-5;  // cosine

// Unit vectors along the channels; 0 where the length is 0.
at::Tensor directions(const at::Tensor& vectors, const at::Tensor& lengths) {
  return at::where(lengths == 0, at::zeros_like(vectors), vectors / lengths);
}

// Between the vectors [N, C, h, w] along dimension 1; share: of `second`, broadcast.
at::Tensor between(const at::Tensor& first, const at::Tensor& second, const at::Tensor& share) {
  const at::Tensor first_length = first.norm(2, {1}, true), second_length = second.norm(2, {1}, true);
  const at::Tensor from = directions(first, first_length), to = directions(second, second_length);
  const at::Tensor cosine = (from * to).sum(1, true);
  const at::Tensor angle = at::acos(cosine), sine = at::sin(angle);
  const at::Tensor turned = at::sin((1 - share) * angle) / sine * from + at::sin(share * angle) / sine * to;
  const at::Tensor made = turned * (first_length * (1 - share) + second_length * share);
  const at::Tensor opposite =
      at::where(cosine < -kEqualDirections, first * (1 - share) + second * share, made);
  return at::where(cosine > kEqualDirections, first, opposite);
}

at::Tensor along(const at::Tensor& latents, std::int64_t dimension, std::int64_t length) {
  const std::int64_t before = latents.size(dimension);
  const auto options = at::TensorOptions(latents.device()).dtype(at::kDouble);
  const double step = static_cast<double>(before) / static_cast<double>(length);
  const at::Tensor places =
      ((at::arange(length, options) + 0.5) * step - 0.5).clamp(0, static_cast<double>(before - 1));
  const at::Tensor lower = places.floor().to(at::kLong);
  const at::Tensor upper = (lower + 1).clamp_max(before - 1);
  std::vector<std::int64_t> shape(4, 1);
  shape[static_cast<std::size_t>(dimension)] = length;
  const at::Tensor share = (places - places.floor()).to(at::kFloat).view(shape);
  return between(latents.index_select(dimension, lower), latents.index_select(dimension, upper), share);
}

}  // namespace

at::Tensor resize_latents(const at::Tensor& latents, std::int64_t height, std::int64_t width,
                          LatentResize mode) {
  if (latents.dim() != 4 || height < 1 || width < 1)
    throw std::invalid_argument(fmt::format("latents [{}] to {} x {}, expected [N, C, h, w] and sides from 1",
                                            fmt::join(latents.sizes(), ", "), width, height));
  const at::Tensor from = latents.to(at::kFloat);
  const std::vector<std::int64_t> size = {height, width};
  switch (mode) {
    case LatentResize::bilinear:
      return at::upsample_bilinear2d(from, size, false);
    case LatentResize::bilinear_antialiased:
      return at::_upsample_bilinear2d_aa(from, size, false);
    case LatentResize::bicubic:
      return at::upsample_bicubic2d(from, size, false);
    case LatentResize::bicubic_antialiased:
      return at::_upsample_bicubic2d_aa(from, size, false);
    case LatentResize::nearest:
      return at::upsample_nearest2d(from, size);
    case LatentResize::nearest_exact:
      return at::_upsample_nearest_exact2d(from, size);
    case LatentResize::bislerp:
      return along(along(from, 3, width), 2, height);
  }
  throw std::logic_error("an unknown way to enlarge latents");
}

}  // namespace upbench
