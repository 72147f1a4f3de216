#include "models/diffusion/tiled/only_masked.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "models/diffusion/tiled/box_blur.h"

namespace upbench {
namespace {

at::Tensor levels_of(const Image& picture) {
  return (picture * 255).round();
}

at::Tensor window(const at::Tensor& picture, const PixelBox& box) {
  return picture.slice(-2, box.top, box.bottom).slice(-1, box.left, box.right);
}

PixelBox moved(const PixelBox& box, int left, int top) {
  return {box.left - left, box.top - top, box.right - left, box.bottom - top};
}

// A row of levels [n] as Pillow resizes it to `length` (bicubic, 8 bit).
at::Tensor resized_levels(const at::Tensor& levels, int length) {
  const Image row = (levels.to(at::kFloat) / 255).view({1, 1, -1}).expand({3, 1, -1}).contiguous();
  return levels_of(resample(row, 1, length, "pil-bicubic"))[0][0].to(at::kByte);
}

// 0, 1, ..., 255 as a gradient of `length`.
at::Tensor gradient(int length) {
  return resized_levels(at::arange(256, at::kByte), length);
}

// Black to white and back over `length`: one level more than half of it where that is odd stays black.
at::Tensor there_and_back(int length) {
  const at::Tensor rising = gradient(length / 2);
  at::Tensor ramp = at::zeros({length}, at::kByte);
  ramp.slice(0, 0, length / 2).copy_(rising);
  ramp.slice(0, length / 2, length / 2 * 2).copy_(rising.flip(0));
  return ramp;
}

// The gradient of bands is made at 256 levels and then resized.
at::Tensor ramp(RedrawPass pass, int length) {
  return pass == RedrawPass::bands ? resized_levels(there_and_back(256), length) : there_and_back(length);
}

// Pillow's radial gradient of 256 x 256, sqrt(2) times the distance from the middle, resized and inverted: 74
// in the middle of an edge, black in the corners.
at::Tensor from_centre(int width, int height) {
  const at::Tensor side = at::arange(256, at::kDouble) - 128;
  const at::Tensor squares = side.square().unsqueeze(0) + side.square().unsqueeze(1);
  const at::Tensor distance = (squares * 2).sqrt().clamp_max(255).floor();
  const Image picture = (distance.to(at::kFloat) / 255).unsqueeze(0).expand({3, -1, -1}).contiguous();
  return (255 - levels_of(resample(picture, height, width, "pil-bicubic"))[0]).to(at::kByte);
}

at::Tensor shape_levels(const RedrawJob& job) {
  const int width = job.mask.width(), height = job.mask.height();
  switch (job.shape) {
    case MaskShape::rectangle:
      return at::full({height, width}, 255, at::kByte);
    case MaskShape::across:
      return ramp(job.pass, width).unsqueeze(0).expand({height, width});
    case MaskShape::down:
      return ramp(job.pass, height).unsqueeze(1).expand({height, width});
    case MaskShape::from_centre:
      break;
  }
  return from_centre(width, height);
}

void set_comfy_region(MaskedRegion& region, const LocalMask& mask, const RedrawJob& job, CropRule rule,
                      int picture_width, int picture_height) {
  region.crop = grown(seen_by_comfy(job, bounding_box(mask)), job.padding, picture_width, picture_height);
  region.width = job.width;
  region.height = job.height;
  region.keeps_latents = false;
  if (rule == CropRule::comfy_minimal) {
    region.width = (region.crop.width() + 7) / 8 * 8;
    region.height = (region.crop.height() + 7) / 8 * 8;
  }
  region.crop = grown_to_size(region.crop, region.width, region.height, picture_width, picture_height);
}

// Of a crop of width x height fitted into (or around) a size: its own size there.
struct Fit {
  int width, height;
};

Fit fitted(int width, int height, int inside_width, int inside_height, bool covers) {
  const double shape = static_cast<double>(inside_width) / inside_height,
               own = static_cast<double>(width) / height;
  const bool full_width = covers ? shape > own : shape < own;
  const bool full_height = covers ? shape <= own : shape >= own;
  const auto part = [](int side, int by, int over) {
    return static_cast<int>(static_cast<std::int64_t>(side) * by / over);
  };
  return {full_width ? inside_width : part(width, inside_height, height),
          full_height ? inside_height : part(height, inside_width, width)};
}

Image resized(const Image& picture, int width, int height) {
  if (picture.size(1) == height && picture.size(2) == width) return picture;
  return resample(picture, height, width, "pil-lanczos");
}

// A1111's resize mode 2.
Image filled(const Image& crop, int width, int height) {
  const auto [across, down] =
      fitted(static_cast<int>(crop.size(2)), static_cast<int>(crop.size(1)), width, height, /*covers=*/false);
  Image inside = resized(crop, std::max(across, 1), std::max(down, 1));
  const std::int64_t left = width / 2 - inside.size(2) / 2, above = height / 2 - inside.size(1) / 2;
  if (inside.size(2) == width && inside.size(1) == height) return inside;
  return at::pad(inside.unsqueeze(0),
                 {left, width - inside.size(2) - left, above, height - inside.size(1) - above}, "replicate")
      .squeeze(0);
}

// A1111's resize mode 1.
Image covering(const Image& made, int width, int height) {
  const auto [across, down] =
      fitted(static_cast<int>(made.size(2)), static_cast<int>(made.size(1)), width, height, /*covers=*/true);
  const Image over = resized(made, std::max(across, width), std::max(down, height));
  const std::int64_t left = over.size(2) / 2 - width / 2, above = over.size(1) / 2 - height / 2;
  return over.slice(1, above, above + height).slice(2, left, left + width);
}

Image at_processing_size(const Image& crop, const MaskedRegion& region) {
  return region.keeps_latents ? filled(crop, region.width, region.height)
                              : resized(crop, region.width, region.height);
}

// (x / 255) rounded, of 0 .. 255^2, as Pillow divides.
at::Tensor over_255(const at::Tensor& product) {
  const at::Tensor biased = product + 128;
  return at::bitwise_right_shift(at::bitwise_right_shift(biased, 8) + biased, 8);
}

// Pillow's alpha_composite of `upper` with this alpha over an opaque picture; levels [3, h, w] of int64.
at::Tensor alpha_composite(const at::Tensor& upper, const at::Tensor& under, const at::Tensor& alpha) {
  const at::Tensor share = alpha * 128;  // of 255 * 128
  const at::Tensor mixed = upper * share + under * (255 * 128 - share) + (128 << 7);
  return at::bitwise_right_shift(at::bitwise_right_shift(mixed, 8) + mixed, 8 + 7);
}

// The picture, seen through what the mask leaves, over what was made: multiplied by its alpha, and divided
// again where that is neither full nor none.
at::Tensor laid_over(const at::Tensor& picture, const at::Tensor& made, const at::Tensor& mask) {
  const at::Tensor alpha = 255 - mask;
  const at::Tensor premultiplied = over_255(picture * alpha);
  const at::Tensor divided = at::div(premultiplied * 255, alpha.clamp_min(1), "floor").clamp_max(255);
  return alpha_composite(at::where((alpha == 0).logical_or(alpha == 255), premultiplied, divided), made,
                         alpha);
}

}  // namespace

LocalMask draw_mask(const RedrawJob& job, int width, int height) {
  const PixelBox inside = intersection(job.mask, {0, 0, width, height});
  if (inside.is_empty())
    throw std::invalid_argument(fmt::format("mask {} .. {} x {} .. {} lies outside of {} x {} pixels",
                                            job.mask.left, job.mask.right, job.mask.top, job.mask.bottom,
                                            width, height));
  return {inside, window(shape_levels(job), moved(inside, job.mask.left, job.mask.top)).contiguous()};
}

LocalMask blurred(const LocalMask& mask, int blur, CropRule rule, int width, int height) {
  if (blur == 0) return mask;
  const bool a1111 = rule == CropRule::a1111;
  const int reach = a1111 ? blur_reach(blur) : pillow_gaussian_reach(blur);
  // Far enough that no mirror but the picture's own edge shows the mask.
  const PixelBox box = grown(mask.box, 2 * reach + 1, width, height);
  at::Tensor levels = at::zeros({box.height(), box.width()}, at::kByte);
  window(levels, moved(mask.box, box.left, box.top)).copy_(mask.levels);
  if (!a1111) {
    pillow_gaussian_blur(levels.data_ptr<std::uint8_t>(), box.width(), box.height(), blur);
    return {box, levels};
  }
  cv::Mat pixels(box.height(), box.width(), CV_8U, levels.data_ptr<std::uint8_t>());
  const int taps = 2 * reach + 1;
  cv::GaussianBlur(pixels, pixels, {taps, 1}, blur);
  cv::GaussianBlur(pixels, pixels, {1, taps}, blur);
  return {box, levels};
}

PixelBox bounding_box(const LocalMask& mask) {
  const at::Tensor seen = mask.levels > 0;
  const at::Tensor rows = seen.any(1).nonzero().squeeze(1), columns = seen.any(0).nonzero().squeeze(1);
  if (rows.numel() == 0) throw std::invalid_argument("the mask is black, expected something to redraw");
  const auto at = [](const at::Tensor& list, std::int64_t index) {
    return static_cast<int>(list[index].item<std::int64_t>());
  };
  return {mask.box.left + at(columns, 0), mask.box.top + at(rows, 0), mask.box.left + at(columns, -1) + 1,
          mask.box.top + at(rows, -1) + 1};
}

MaskedRegion masked_region(const LocalMask& mask, const RedrawJob& job, CropRule rule, int picture_width,
                           int picture_height) {
  MaskedRegion region{.crop = {}, .paste = blurred(mask, job.blur, rule, picture_width, picture_height)};
  if (rule != CropRule::a1111) {
    set_comfy_region(region, mask, job, rule, picture_width, picture_height);
    return region;
  }
  region.width = job.width;
  region.height = job.height;
  const PixelBox seen = grown(bounding_box(region.paste), job.padding, picture_width, picture_height);
  region.crop = grown_to_shape(seen, job.width, job.height, picture_width, picture_height);
  return region;
}

Image cut_out(const Image& picture, const MaskedRegion& region) {
  return at_processing_size(window(picture, region.crop).contiguous(), region);
}

at::Tensor latent_mask(const MaskedRegion& region, int factor) {
  if (!region.keeps_latents) return {};
  const PixelBox& crop = region.crop;
  const PixelBox box = intersection(crop, region.paste.box);
  at::Tensor levels = at::zeros({crop.height(), crop.width()});
  window(levels, moved(box, crop.left, crop.top))
      .copy_(window(region.paste.levels, moved(box, region.paste.box.left, region.paste.box.top)));
  const Image mask = (levels / 255).unsqueeze(0).expand({3, -1, -1}).contiguous();
  const Image small = resample(at_processing_size(mask, region), (region.height + factor - 1) / factor,
                               (region.width + factor - 1) / factor, "pil-bicubic");
  return small.slice(0, 0, 1).round().unsqueeze(0);
}

Image composited(const Image& picture, const Image& made, const MaskedRegion& region) {
  const Image truncated = (made.clamp(0, 1) * 255).floor() / 255;
  const PixelBox& crop = region.crop;
  const Image back = region.keeps_latents ? covering(truncated, crop.width(), crop.height())
                                          : resized(truncated, crop.width(), crop.height());
  const PixelBox box = intersection(crop, region.paste.box);
  const at::Tensor mask = window(region.paste.levels, moved(box, region.paste.box.left, region.paste.box.top))
                              .to(picture.device(), at::kLong);
  Image result = picture.clone();
  const at::Tensor under = levels_of(window(picture, box)).to(at::kLong),
                   over = levels_of(window(back, moved(box, crop.left, crop.top))).to(at::kLong);
  const at::Tensor mixed =
      region.keeps_latents ? laid_over(under, over, mask) : alpha_composite(over, under, mask);
  window(result, box).copy_(mixed.to(at::kFloat) / 255);
  return result;
}

}  // namespace upbench
