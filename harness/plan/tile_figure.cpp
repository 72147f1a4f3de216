#include "harness/plan/tile_figure.h"

#include <algorithm>

#include <fmt/format.h>

#include "harness/plan/canonical.h"
#include "harness/plan/refine_tiles.h"

namespace upbench {
namespace {

constexpr double kWidth = 480;  // of the drawing, in SVG units
constexpr std::size_t kMostCells = 100;

class Drawing {
 public:
  Drawing(PictureSize picture, std::string title) : scale_(kWidth / picture.width), title_(std::move(title)) {
    height_ = picture.height * scale_;
    body_ = fmt::format("<rect width=\"{:g}\" height=\"{:.1f}\" fill=\"#f4f4f4\" stroke=\"#333\"/>\n", kWidth,
                        height_);
  }

  // share: of the order, 0 the first tile, 1 the last.
  void tile(const PixelBox& box, double share, const char* fill, std::size_t number) {
    const int lightness = 75 - static_cast<int>(45 * share);
    body_ +=
        fmt::format("<rect {} fill=\"{}\" fill-opacity=\".35\" stroke=\"hsl(215,60%,{}%)\"/>\n", area(box),
                    fill[0] != '\0' ? fill : fmt::format("hsl(215,60%,{}%)", lightness), lightness);
    if (number > 0)
      body_ +=
          fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", (box.left + box.right) / 2.0 * scale_,
                      (box.top + box.bottom) / 2.0 * scale_ + 4, number);
  }
  void crop(const PixelBox& box) {
    body_ += fmt::format(
        "<rect {} fill=\"none\" stroke=\"#c60\" stroke-width=\"2\" stroke-dasharray=\"6 3\"/>\n", area(box));
  }
  void boundary(const Boundary& line) {
    const double begin = (line.position - line.half_width) * scale_,
                 size = std::max(1.0, 2 * line.half_width * scale_);
    body_ += line.vertical
                 ? fmt::format("<rect x=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"seam\"/>\n",
                               begin, size, height_)
                 : fmt::format("<rect y=\"{:.1f}\" height=\"{:.1f}\" width=\"{:g}\" class=\"seam\"/>\n",
                               begin, size, kWidth);
  }
  std::string svg() const {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-2 -2 {:g} {:.1f}\" font-family=\"sans-serif\" "
        "font-size=\"12\" text-anchor=\"middle\">\n<style>.seam{{fill:#d00;fill-opacity:.18}}</style>\n"
        "<defs><radialGradient id=\"gauss\"><stop offset=\"0\" stop-color=\"#36a\"/><stop offset=\".2\" "
        "stop-color=\"#36a\" stop-opacity=\".61\"/><stop offset=\".4\" stop-color=\"#36a\" "
        "stop-opacity=\".14\"/>"
        "<stop offset=\".7\" stop-color=\"#36a\" stop-opacity=\".02\"/></radialGradient></defs>\n{}"
        "<text x=\"{:g}\" y=\"{:.1f}\">{}</text>\n</svg>\n",
        kWidth + 4, height_ + 26, body_, kWidth / 2, height_ + 17, title_);
  }

 private:
  std::string area(const PixelBox& box) const {
    return fmt::format("x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"", box.left * scale_,
                       box.top * scale_, box.width() * scale_, box.height() * scale_);
  }

  double scale_, height_ = 0;
  std::string title_, body_;
};

PixelBox crop_of(const RedrawJob& job, CropRule rule, PictureSize picture) {
  const PixelBox inside = intersection(job.mask, {0, 0, picture.width, picture.height});
  if (rule == CropRule::a1111) {
    const PixelBox seen = grown(inside, blur_reach(job.blur) + job.padding, picture.width, picture.height);
    return grown_to_shape(seen, job.width, job.height, picture.width, picture.height);
  }
  const ProcessingSize size = processing_size(job, rule, picture.width, picture.height);
  const PixelBox seen = grown(seen_by_comfy(job, inside), job.padding, picture.width, picture.height);
  return grown_to_size(seen, size.width, size.height, picture.width, picture.height);
}

// The tile in the middle shows what all see.
std::string redraw_figure(const nlohmann::json& settings, PictureSize picture) {
  const RedrawSettings plan = redraw_settings(settings);
  const std::vector<RedrawJob> jobs = redraw_jobs(picture.width, picture.height, plan);
  std::string title = "nothing to redraw";
  PixelBox shown;
  if (!jobs.empty()) {
    const RedrawJob& job = jobs[jobs.size() / 2];
    shown = crop_of(job, plan.crops, picture);
    const ProcessingSize size = processing_size(job, plan.crops, picture.width, picture.height);
    title = fmt::format("{} tiles; number {}: {} x {} processed at {} x {}, scale {:.3f}", jobs.size(),
                        jobs.size() / 2 + 1, shown.width(), shown.height(), size.width, size.height,
                        static_cast<double>(size.width) / shown.width());
  }
  Drawing drawing(picture, std::move(title));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const PixelBox inside = intersection(jobs[i].mask, {0, 0, picture.width, picture.height});
    const bool seam = jobs[i].pass != RedrawPass::tiles;
    const double last = static_cast<double>(std::max<std::size_t>(jobs.size() - 1, 1));
    drawing.tile(inside, static_cast<double>(i) / last, seam ? "#6a3" : "", i + 1);
  }
  for (const Boundary& line : redraw_boundaries(picture.width, picture.height, plan)) drawing.boundary(line);
  if (!jobs.empty()) drawing.crop(shown);
  return drawing.svg();
}

std::string fusion_figure(const nlohmann::json& settings, int factor, PictureSize picture) {
  const FusionSettings tiles = fusion_settings(settings, factor);
  const FusedGrid grid =
      fused_grid((picture.width + factor - 1) / factor, (picture.height + factor - 1) / factor, tiles);
  Drawing drawing(picture, fmt::format("{} tiles of {} x {} pixels at every step{}", grid.tiles(),
                                       grid.columns.size * factor, grid.rows.size * factor,
                                       tiles.jitter ? ", moved from step to step" : ""));
  const char* fill = tiles.mode == Fusion::mixture ? "url(#gauss)" : "#69c";
  for (const int top : grid.rows.begins)
    for (const int left : grid.columns.begins)
      drawing.tile({left * factor, top * factor, std::min((left + grid.columns.size) * factor, picture.width),
                    std::min((top + grid.rows.size) * factor, picture.height)},
                   0.6, fill, 0);
  for (const Boundary& line : fused_boundaries(grid, factor)) drawing.boundary(line);
  return drawing.svg();
}

}  // namespace

std::string tile_figure(const nlohmann::json& settings, int factor, PictureSize picture) {
  return is_fused(settings) ? fusion_figure(settings, factor, picture) : redraw_figure(settings, picture);
}

std::vector<std::pair<std::string, std::string>> tile_figures(const Plan& plan) {
  std::vector<std::pair<std::string, std::string>> figures;
  for (std::size_t cell = 0; cell < std::min(plan.rows.cells.size(), kMostCells); ++cell) {
    const nlohmann::json stages = nlohmann::json::parse(plan.rows.cells[cell].settings);
    const Pipeline pipeline(stages);
    for (const ImageRow& image : plan.rows.images) {
      const Pipeline::Pass pass = pipeline.pass(input_size(image), reference_size(image));
      if (!image.problem.empty() || !pass.refusal.empty()) continue;
      for (std::size_t i = 0; i < stages.size(); ++i)
        if (stages[i].at("kind") == "refine" && is_tiled(stages[i].at("settings")))
          figures.emplace_back(
              fmt::format("cell-{}-{}", cell + 1, stages[i].at("id").get<std::string>()),
              tile_figure(stages[i].at("settings"), stages[i].at("models").at(0).at("factor"),
                          pass.outcomes[i].output));
      break;
    }
  }
  return figures;
}

}  // namespace upbench
