#include <algorithm>
#include <map>

#include <ATen/ATen.h>

#include "harness/plan/refine_tiles.h"
#include "harness/stages/diffusion_stage.h"
#include "harness/stages/tile_control.h"
#include "models/diffusion/colour_fix.h"
#include "models/diffusion/conditioned_network.h"
#include "models/diffusion/tiled/noise_inversion.h"
#include "models/diffusion/tiled/redraw_tiles.h"

namespace upbench {
namespace {

constexpr std::int64_t kTileBatch = 4;  // tiles in one call, as multidiffusion-upscaler; 1 is best on CPUs

// Sides as the networks take them: mirrored over the right and the lower edge.
at::Tensor extended(const at::Tensor& picture, std::int64_t multiple) {
  const auto missing = [&](int side) { return (multiple - picture.size(side) % multiple) % multiple; };
  const std::int64_t right = missing(3), below = missing(2);
  if (right == 0 && below == 0) return picture;
  const bool narrow = right >= picture.size(3) || below >= picture.size(2);
  return at::pad(picture, {0, right, 0, below}, narrow ? "replicate" : "reflect");
}

// For the record of a trial: what was cut out, at which size it was processed, and their ratio across and
// down.
nlohmann::json tile_record(std::string_view pass, const PixelBox& crop, int width, int height) {
  return {{"pass", pass},
          {"crop", {crop.left, crop.top, crop.width(), crop.height()}},
          {"processed", {width, height}},
          {"tile_scale",
           {static_cast<double>(width) / crop.width(), static_cast<double>(height) / crop.height()}}};
}

void add_boundaries(Frame& frame, const std::string& id, const std::vector<Boundary>& boundaries) {
  for (const Boundary& boundary : boundaries)
    frame.boundaries.push_back({id, boundary.vertical, boundary.position, boundary.half_width});
}

class RefineStage final : public DiffusionStage {
 public:
  RefineStage(const std::string& id, const nlohmann::json& settings)
      : DiffusionStage(id, settings),
        settings_(settings),
        samples_posterior_(settings.at("posterior") == "sample"),
        fix_(colour_fix(settings.at("colour-fix").get<std::string>())),
        control_(settings) {}

 private:
  Frame make(const DiffusionModel& model, const Frame& input, const StageContext& context,
             nlohmann::json& used) const override {
    Frame frame = is_tiled(settings_) && !is_fused(settings_) ? redrawn(model, input, context, used)
                                                              : made_whole(model, input, context, used);
    frame.base = input.base.defined() ? input.base : input.rgb;
    return frame;
  }

  // As a whole, or with the predictions of tiles merged at every step.
  Frame made_whole(const DiffusionModel& model, const Frame& input, const StageContext& context,
                   nlohmann::json& used) const {
    const at::Tensor picture = input.rgb.clamp(0, 1).unsqueeze(0);
    at::Tensor inside = extended(picture, model.coder()->factor());
    Frame frame{.rgb = {}, .target = input.target, .boundaries = input.boundaries};
    LatentRun run = latent_run();
    if (is_fused(settings_)) {
      run.fusion =
          FusedTiles{.settings = fusion_settings(settings_, static_cast<int>(model.coder()->factor())),
                     .seed = context.seed,
                     .batch = context.device == "cpu" ? 1 : kTileBatch};
      note_fused(*run.fusion, inside, static_cast<int>(model.coder()->factor()), frame, used);
    }
    at::Tensor latents =
        encoded(model, [&] { return inside; }, context.stage_input, samples_posterior_, context, used);
    if (run.steps.steps() > 0) latents = refined(model, inside, latents, run, context, used);
    frame.rgb = cut(decoded(model, latents, used), input.rgb);
    if (fix_ != ColourFix::none) frame.rgb = fix_colours(fix_, frame.rgb.clamp(0, 1), picture.squeeze(0));
    return frame;
  }

  // Without the pixels that extended() put there.
  static Image cut(const Image& made, const Image& like) {
    return made.slice(1, 0, like.size(1)).slice(2, 0, like.size(2)).contiguous();
  }

  // The whole picture at once, the network perhaps by tiles.
  at::Tensor refined(const DiffusionModel& model, const at::Tensor& picture, const at::Tensor& latents,
                     const LatentRun& run, const StageContext& context, nlohmann::json& used) const {
    Prompts told = prompts(model, picture.size(2), picture.size(3), context, used);
    control_.steer(told.own, picture, latents);
    const int inversion = settings_.at("tile.inversion-steps");
    if (inversion == 0) return sampled(model, latents, told, run, context, used);
    std::int64_t evaluations = 0;
    at::Tensor inverted = inverted_noise(model, latents, told.own, run, inversion, evaluations);
    used["evaluations"] = evaluations;
    used["inverted_noise_std"] = inverted.std().item<double>();
    return sampled(model, latents, told, run, context, used, [&](const at::Tensor& fresh) {
      const double renoise = settings_.at("tile.renoise");
      if (renoise == 0) return inverted;
      const int factor = static_cast<int>(model.coder()->factor());
      return mixed_noise(inverted, fresh, local_detail(picture, settings_.at("tile.renoise-kernel"), factor),
                         renoise);
    });
  }

  // Those of the last step, where tiles are jittered: what it makes is not painted over.
  void note_fused(const FusedTiles& tiles, const at::Tensor& picture, int factor, Frame& frame,
                  nlohmann::json& used) const {
    const std::size_t last = static_cast<std::size_t>(std::max(latent_run().steps.steps() - 1, 0));
    const FusedGrid grid = grid_of_step(tiles, static_cast<int>(picture.size(3)) / factor,
                                        static_cast<int>(picture.size(2)) / factor, last);
    add_boundaries(frame, id(), fused_boundaries(grid, factor));
    if (grid.tiles() == 1) return;
    nlohmann::json& list = used["tiles"] = nlohmann::json::array();
    for (const int top : grid.rows.begins)
      for (const int left : grid.columns.begins) {
        const int width = grid.columns.size * factor, height = grid.rows.size * factor;
        const PixelBox box{left * factor, top * factor, left * factor + width, top * factor + height};
        list.push_back(tile_record("merged", box, width, height));
      }
  }

  // Tile by tile, each on what the ones before left.
  Frame redrawn(const DiffusionModel& model, const Frame& input, const StageContext& context,
                nlohmann::json& used) const {
    const int width = static_cast<int>(input.rgb.size(2)), height = static_cast<int>(input.rgb.size(1));
    const RedrawSettings plan = redraw_settings(settings_);
    LatentRun seam_run = latent_run();
    if (fixes_seams(settings_)) seam_run.steps = denoise_steps_of(settings_.at("seam-levels"));
    std::map<std::pair<std::int64_t, std::int64_t>, Prompts> by_size;  // SDXL is told it
    nlohmann::json tiles = nlohmann::json::array();
    const auto redraw = [&](const RedrawPiece& piece) {
      const at::Tensor picture = extended(piece.picture.unsqueeze(0), model.coder()->factor());
      const auto [known, fresh] = by_size.try_emplace({picture.size(2), picture.size(3)});
      if (fresh) known->second = prompts(model, picture.size(2), picture.size(3), context, used);
      tiles.push_back(
          tile_record(to_string(piece.job.pass), piece.region.crop, piece.region.width, piece.region.height));
      const LatentRun& run = piece.job.pass == RedrawPass::tiles ? latent_run() : seam_run;
      const Coded coded = encode(model, picture, samples_posterior_, context);
      if (coded.repeated) used["encoded_again_in"] = "fp32";
      at::Tensor latents = coded.result;
      Prompts told = known->second;
      Conditioning& guide = told.own;
      control_.steer(guide, picture, latents);
      if (piece.latent_mask.defined()) {
        guide.mask = piece.latent_mask.to(model.device());
        if (model.facts().inpainting)
          guide.channels_beside = masked_channels(model, this->tiles(), picture, guide.mask);
      }
      if (run.steps.steps() > 0) latents = sampled(model, latents, told, run, context, used);
      const Image made = cut(decoded(model, latents, used), piece.picture);
      return fix_ == ColourFix::none ? made : fix_colours(fix_, made.clamp(0, 1), piece.picture);
    };
    Frame frame{.rgb = redraw_tiles(input.rgb.clamp(0, 1), redraw_jobs(width, height, plan), plan.crops,
                                    static_cast<int>(model.coder()->factor()), redraw),
                .target = input.target,
                .boundaries = input.boundaries};
    used["tiles"] = std::move(tiles);
    add_boundaries(frame, id(), redraw_boundaries(width, height, plan));
    return frame;
  }

  nlohmann::json settings_;
  bool samples_posterior_;
  ColourFix fix_;
  TileControl control_;
};

}  // namespace

std::unique_ptr<Stage> make_refine_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<RefineStage>(id, settings);
}

}  // namespace upbench
