#include "models/diffusion/tiled/redraw_plan.h"

#include <cmath>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace upbench {
namespace {

int rounded_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

void check(int width, int height, const RedrawSettings& settings) {
  const auto require = [](int value, int least, const char* what) {
    if (value < least)
      throw std::invalid_argument(fmt::format("{} is {}, expected at least {}", what, value, least));
  };
  require(width, 1, "width");
  require(height, 1, "height");
  require(settings.tile_width, 2, "tile width");
  require(settings.tile_height, 2, "tile height");
  require(settings.blur, 0, "mask blur");
  require(settings.padding, 0, "padding");
  require(settings.seam_width, 2, "seam width");
  require(settings.seam_blur, 0, "seam blur");
  require(settings.seam_padding, 0, "seam padding");
}

// The jobs of one picture.
class Planner {
 public:
  Planner(int width, int height, const RedrawSettings& settings)
      : width_(width),
        height_(height),
        settings_(settings),
        columns_((width + settings.tile_width - 1) / settings.tile_width),
        rows_((height + settings.tile_height - 1) / settings.tile_height) {}

  std::vector<RedrawJob> plan() {
    if (settings_.order == RedrawOrder::linear) tiles([](int, int) { return true; });
    if (settings_.order == RedrawOrder::chess)
      for (const int odd : {0, 1}) tiles([odd](int column, int row) { return (column + row) % 2 == odd; });
    if (settings_.seam_fix == SeamFix::band) bands();
    if (settings_.seam_fix == SeamFix::half_tile || settings_.seam_fix == SeamFix::half_tile_and_corners)
      half_tiles();
    if (settings_.seam_fix == SeamFix::half_tile_and_corners) corners();
    return std::move(jobs_);
  }

 private:
  template <class Takes>
  void tiles(const Takes& takes) {
    const auto [across, down] = tile_processing();
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column < columns_; ++column)
        if (takes(column, row))
          jobs_.push_back({.pass = RedrawPass::tiles,
                           .shape = MaskShape::rectangle,
                           .mask = box(column * settings_.tile_width, row * settings_.tile_height,
                                       settings_.tile_width + 1, settings_.tile_height + 1),
                           .width = across,
                           .height = down,
                           .blur = settings_.blur,
                           .padding = settings_.padding});
  }

  ProcessingSize tile_processing() const {
    if (settings_.crops == CropRule::comfy_minimal) return {};
    const bool a1111 = settings_.crops == CropRule::a1111;
    const int multiple = a1111 ? 64 : 8, padding = a1111 ? settings_.padding : 2 * settings_.padding;
    return {rounded_up(settings_.tile_width + padding, multiple),
            rounded_up(settings_.tile_height + padding, multiple)};
  }

  void bands() {
    const int side = settings_.seam_width + 2 * settings_.seam_padding;
    for (int column = 1; column < columns_; ++column)
      add_seam(
          RedrawPass::bands, MaskShape::across,
          box(column * settings_.tile_width - settings_.seam_width / 2, 0, settings_.seam_width, height_),
          {side, height_}, 0, settings_.seam_padding);
    for (int row = 1; row < rows_; ++row)
      add_seam(RedrawPass::bands, MaskShape::down,
               box(0, row * settings_.tile_height - settings_.seam_width / 2, width_, settings_.seam_width),
               {width_, side}, 0, settings_.seam_padding);
  }

  void half_tiles() {
    for (int row = 0; row + 1 < rows_; ++row)
      for (int column = 0; column < columns_; ++column)
        add_tile(RedrawPass::half_tiles, MaskShape::down, column * settings_.tile_width,
                 row * settings_.tile_height + settings_.tile_height / 2, settings_.seam_padding);
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column + 1 < columns_; ++column)
        add_tile(RedrawPass::half_tiles, MaskShape::across,
                 column * settings_.tile_width + settings_.tile_width / 2, row * settings_.tile_height,
                 settings_.seam_padding);
  }

  void corners() {
    for (int row = 0; row + 1 < rows_; ++row)
      for (int column = 0; column + 1 < columns_; ++column)
        add_tile(RedrawPass::corners, MaskShape::from_centre,
                 column * settings_.tile_width + settings_.tile_width / 2,
                 row * settings_.tile_height + settings_.tile_height / 2, 0);
  }

  void add_tile(RedrawPass pass, MaskShape shape, int left, int top, int padding) {
    add_seam(pass, shape, box(left, top, settings_.tile_width, settings_.tile_height),
             {settings_.tile_width, settings_.tile_height}, settings_.seam_blur, padding);
  }

  void add_seam(RedrawPass pass, MaskShape shape, const PixelBox& mask, ProcessingSize size, int blur,
                int padding) {
    if (settings_.crops == CropRule::comfy_minimal) size = {};
    jobs_.push_back({.pass = pass,
                     .shape = shape,
                     .mask = mask,
                     .width = size.width,
                     .height = size.height,
                     .blur = blur,
                     .padding = padding});
  }

  static PixelBox box(int left, int top, int width, int height) {
    return {left, top, left + width, top + height};
  }

  int width_, height_;
  const RedrawSettings& settings_;
  int columns_, rows_;
  std::vector<RedrawJob> jobs_;
};

// Along one side: the lines between tiles, and those that the masks of a seam fix add.
void add_lines(std::vector<Boundary>& boundaries, bool vertical, int length, int tile,
               const RedrawSettings& settings) {
  const bool half =
      settings.seam_fix == SeamFix::half_tile || settings.seam_fix == SeamFix::half_tile_and_corners;
  const double ramp = settings.seam_fix == SeamFix::band ? settings.seam_width / 4.0 : tile / 4.0;
  for (int seam = tile; seam < length; seam += tile) {
    const double mixed = blur_reach(settings.order == RedrawOrder::none ? 0 : settings.blur);
    boundaries.push_back({vertical, static_cast<double>(seam), mixed});
    if (settings.seam_fix != SeamFix::band && !half) continue;
    boundaries.push_back({vertical, seam - ramp, ramp});
    boundaries.push_back({vertical, seam + ramp, ramp});
    if (settings.seam_fix != SeamFix::half_tile_and_corners) continue;
    const double edge = blur_reach(settings.seam_blur);
    boundaries.push_back({vertical, seam - tile / 2.0, edge});
    if (seam + tile >= length && seam + tile / 2.0 < length)
      boundaries.push_back({vertical, seam + tile / 2.0, edge});
  }
}

// One side of A1111's growth: from begin .. end to `desired` pixels inside 0 .. limit.
std::pair<int, int> grown_side(int begin, int end, double desired, int limit) {
  const int more = static_cast<int>(desired - (end - begin));
  begin -= more / 2;
  end += more - more / 2;
  if (end > limit) {
    begin -= end - limit;
    end = limit;
  }
  if (begin < 0) {
    end -= begin;
    begin = 0;
  }
  return {begin, std::min(end, limit)};
}

}  // namespace

std::string_view to_string(RedrawPass pass) {
  switch (pass) {
    case RedrawPass::tiles:
      return "redraw";
    case RedrawPass::bands:
      return "band";
    case RedrawPass::half_tiles:
      return "half-tile";
    case RedrawPass::corners:
      break;
  }
  return "intersection";
}

std::vector<RedrawJob> redraw_jobs(int width, int height, const RedrawSettings& settings) {
  check(width, height, settings);
  return Planner(width, height, settings).plan();
}

ProcessingSize processing_size(const RedrawJob& job, CropRule rule, int width, int height) {
  if (rule != CropRule::comfy_minimal) return {job.width, job.height};
  const PixelBox seen = seen_by_comfy(job, intersection(job.mask, {0, 0, width, height}));
  const PixelBox crop = grown(seen, job.padding, width, height);
  return {rounded_up(crop.width(), 8), rounded_up(crop.height(), 8)};
}

std::vector<Boundary> redraw_boundaries(int width, int height, const RedrawSettings& settings) {
  check(width, height, settings);
  std::vector<Boundary> boundaries;
  add_lines(boundaries, true, width, settings.tile_width, settings);
  add_lines(boundaries, false, height, settings.tile_height, settings);
  return boundaries;
}

PixelBox seen_by_comfy(const RedrawJob& job, const PixelBox& mask) {
  if (job.pass != RedrawPass::tiles) return mask;
  return {mask.left, mask.top, std::min(mask.right, job.mask.right - 1),
          std::min(mask.bottom, job.mask.bottom - 1)};
}

PixelBox grown_to_shape(const PixelBox& crop, int width, int height, int picture_width, int picture_height) {
  const double own = static_cast<double>(crop.width()) / crop.height(),
               shape = static_cast<double>(width) / height;
  PixelBox made = crop;
  if (own > shape)
    std::tie(made.top, made.bottom) = grown_side(crop.top, crop.bottom, crop.width() / shape, picture_height);
  else
    std::tie(made.left, made.right) = grown_side(crop.left, crop.right, crop.height() * shape, picture_width);
  return made;
}

// The smallest box of the processing shape, at least of its size, around a crop, moved inside the picture.
PixelBox grown_to_size(const PixelBox& crop, int width, int height, int picture_width, int picture_height) {
  const double scale =
      std::max({1.0, static_cast<double>(crop.width()) / width, static_cast<double>(crop.height()) / height});
  const auto [left, right] = grown_side(crop.left, crop.right, std::round(width * scale), picture_width);
  const auto [top, bottom] = grown_side(crop.top, crop.bottom, std::round(height * scale), picture_height);
  return {left, top, right, bottom};
}

int blur_reach(int blur) {
  return static_cast<int>(2.5 * blur + 0.5);
}

}  // namespace upbench
