#include "harness/plan/refine_tiles.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/plan/diffusion_settings.h"

namespace upbench {
namespace {

using Type = ParameterKind::Type;

constexpr int kMostSide = 65536;  // pixels

void set_defaults(SettledStage& stage, const std::vector<std::string>& names, const char* why) {
  for (const ParameterKind& parameter : tile_parameters())
    if (std::find(names.begin(), names.end(), parameter.name) != names.end())
      set_default(stage, parameter.name.c_str(), parameter.default_value, why);
}

const std::vector<std::string> kSeamNames = {"tile.seam-denoise", "tile.seam-width", "tile.seam-blur",
                                             "tile.seam-padding"};
const std::vector<std::string> kFusedNames = {"tile.overlap", "tile.jitter", "tile.inversion-steps",
                                              "tile.renoise", "tile.renoise-kernel"};

void settle_fused(SettledStage& stage, int factor) {
  nlohmann::json& values = stage.values;
  set_defaults(stage, {"tile.blur", "tile.padding", "tile.crop", "tile.seam-fix"},
               "where predictions are merged");
  set_defaults(stage, kSeamNames, "where predictions are merged");
  if (values.at("tile.inversion-steps") == 0)
    set_defaults(stage, {"tile.renoise", "tile.renoise-kernel"}, "without tile.inversion-steps");
  if (values.at("tile.renoise") == 0.0) set_defaults(stage, {"tile.renoise-kernel"}, "with tile.renoise 0");
  const auto refuse = [&](std::string why) {
    if (stage.refusal.empty()) stage.refusal = std::move(why);
  };
  for (const char* name : {"tile.size", "tile.height", "tile.overlap"})
    if (const int value = values.at(name); value % factor != 0)
      refuse(fmt::format("{} {} is no multiple of {}, the pixels of a latent", name, value, factor));
  const int overlap = values.at("tile.overlap");
  if (overlap >= std::min(values.at("tile.size").get<int>(), values.at("tile.height").get<int>()))
    refuse(fmt::format("tile.overlap {} is not smaller than the tile", overlap));
}

void settle_redrawn(SettledStage& stage) {
  nlohmann::json& values = stage.values;
  set_defaults(stage, kFusedNames, "where tiles are redrawn one by one");
  const std::string fix = values.at("tile.seam-fix");
  if (fix == "none") {
    set_defaults(stage, kSeamNames, "without tile.seam-fix");
    if (values.at("tile.mode") == "none" && stage.refusal.empty())
      stage.refusal = "tile.mode none redraws no tile and tile.seam-fix none no seam: nothing is left to do";
  } else if (fix == "band") {
    set_defaults(stage, {"tile.seam-blur"}, "with tile.seam-fix band");
  } else {
    set_defaults(stage, {"tile.seam-width"}, "but with tile.seam-fix band");
  }
  if (values.at("tile.mode") == "none")
    set_defaults(stage, {"tile.blur", "tile.padding"}, "where no tile is redrawn");
}

// All that happens to a picture, in order: cells with other settings may come to the same.
std::string jobs_hash(const std::vector<RedrawJob>& jobs, CropRule rule) {
  Hasher hasher;
  const auto add = [&](int value) {
    hasher.add_field(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
  };
  add(static_cast<int>(rule));
  for (const RedrawJob& job : jobs)
    for (const int value :
         {static_cast<int>(job.pass), static_cast<int>(job.shape), job.mask.left, job.mask.top,
          job.mask.right, job.mask.bottom, job.width, job.height, job.blur, job.padding})
      add(value);
  return hasher.finish().hex();
}

int extended(int side, int factor) {
  return (side + factor - 1) / factor * factor;
}

FusedGrid grid_of(const nlohmann::json& settings, int factor, PictureSize inside, double shift) {
  return fused_grid(inside.width / factor, inside.height / factor, fusion_settings(settings, factor), shift,
                    shift);
}

// A tile that is no smaller than the picture is the picture.
bool is_covered(const nlohmann::json& settings, PictureSize inside) {
  return settings.at("tile.size") >= inside.width && settings.at("tile.height") >= inside.height;
}

void add_notes(std::vector<SameNote>& notes, const std::string& text) {
  for (const ParameterKind& parameter : tile_parameters()) notes.push_back({parameter.name, text});
}

}  // namespace

bool is_tiled(const nlohmann::json& settings) {
  const auto size = settings.find("tile.size");
  return size != settings.end() && is_given(*size);
}

bool is_fused(const nlohmann::json& settings) {
  return is_tiled(settings) &&
         (settings.at("tile.mode") == "multidiffusion" || settings.at("tile.mode") == "mixture");
}

bool fixes_seams(const nlohmann::json& settings) {
  return is_tiled(settings) && !is_fused(settings) && settings.at("tile.seam-fix") != "none";
}

void settle_tiles(SettledStage& stage, int factor) {
  nlohmann::json& values = stage.values;
  const auto all_defaults = [&](const char* why) {
    for (const ParameterKind& parameter : tile_parameters())
      set_default(stage, parameter.name.c_str(), parameter.default_value, why);
  };
  if (!is_tiled(values)) return all_defaults("without tiles");
  if (is_fused(values) && !has_steps(values)) return all_defaults("where no step is made");
  if (values.at("tile.height") == 0) values["tile.height"] = values.at("tile.size");
  is_fused(values) ? settle_fused(stage, factor) : settle_redrawn(stage);
}

CropRule crop_rule(const nlohmann::json& settings) {
  const std::string name = settings.at("tile.crop");
  return name == "a1111" ? CropRule::a1111 : name == "comfy" ? CropRule::comfy : CropRule::comfy_minimal;
}

RedrawSettings redraw_settings(const nlohmann::json& settings) {
  const std::string mode = settings.at("tile.mode"), fix = settings.at("tile.seam-fix");
  return {.tile_width = settings.at("tile.size"),
          .tile_height = settings.at("tile.height"),
          .order = mode == "linear"  ? RedrawOrder::linear
                   : mode == "chess" ? RedrawOrder::chess
                                     : RedrawOrder::none,
          .crops = crop_rule(settings),
          .blur = settings.at("tile.blur"),
          .padding = settings.at("tile.padding"),
          .seam_fix = fix == "none"        ? SeamFix::none
                      : fix == "band"      ? SeamFix::band
                      : fix == "half-tile" ? SeamFix::half_tile
                                           : SeamFix::half_tile_and_corners,
          .seam_width = settings.at("tile.seam-width"),
          .seam_blur = settings.at("tile.seam-blur"),
          .seam_padding = settings.at("tile.seam-padding")};
}

FusionSettings fusion_settings(const nlohmann::json& settings, int factor) {
  const auto latents = [&](const char* name) { return settings.at(name).get<int>() / factor; };
  return {.mode = parse_fusion(settings.at("tile.mode").get<std::string>()),
          .width = latents("tile.size"),
          .height = latents("tile.height"),
          .overlap = latents("tile.overlap"),
          .jitter = settings.at("tile.jitter")};
}

void add_tile_work(const nlohmann::json& settings, int factor, PictureSize picture, PictureSize inside,
                   StageOutcome& made) {
  if (is_fused(settings)) {
    const FusedGrid grid = grid_of(settings, factor, inside, 0.999);  // with jitter: the most there can be
    const double tiles = static_cast<double>(grid.tiles()),
                 tile_pixels = static_cast<double>(grid.columns.size) * grid.rows.size * factor * factor;
    made.tiles = static_cast<int>(grid.tiles());
    made.evaluations =
        tiles * (evaluations(settings) + static_cast<double>(settings.at("tile.inversion-steps").get<int>()));
    made.pixels_read = tile_pixels * made.evaluations;
    made.pixels_coded = inside.pixels();
    made.largest_piece = settings.at("vae-tiles") == "none" ? inside.pixels() : tile_pixels;
    return;
  }
  const CropRule rule = crop_rule(settings);
  const int tile_times = evaluations(settings),
            seam_times = fixes_seams(settings) ? evaluations(settings, "seam-levels") : 0;
  for (const RedrawJob& job : redraw_jobs(picture.width, picture.height, redraw_settings(settings))) {
    const ProcessingSize size = processing_size(job, rule, picture.width, picture.height);
    const double pixels = PictureSize{extended(size.width, factor), extended(size.height, factor)}.pixels();
    const int times = job.pass == RedrawPass::tiles ? tile_times : seam_times;
    ++made.tiles;
    made.evaluations += times;
    made.pixels_read += pixels * times;
    made.pixels_coded += pixels;
    made.largest_piece = std::max(made.largest_piece, pixels);
  }
}

nlohmann::json tile_effect(const nlohmann::json& settings, int factor, PictureSize picture,
                           PictureSize inside, std::vector<SameNote>& notes) {
  if (!is_fused(settings)) {
    add_notes(notes, "the same tiles in the same order");
    const std::vector<RedrawJob> jobs = redraw_jobs(picture.width, picture.height, redraw_settings(settings));
    nlohmann::json effect = {{"redraw", jobs_hash(jobs, crop_rule(settings))}};
    const bool any_seam = std::any_of(jobs.begin(), jobs.end(),
                                      [](const RedrawJob& job) { return job.pass != RedrawPass::tiles; });
    if (any_seam) effect["seam-levels"] = levels_hash(settings, "seam-levels");
    return effect;
  }
  nlohmann::json effect = nlohmann::json::object();
  if (is_covered(settings, inside)) {
    add_notes(notes, fmt::format("tile {} covers the picture: same as tile none",
                                 settings.at("tile.size").get<int>()));
  } else {
    const FusionSettings fusion = fusion_settings(settings, factor);
    const FusedGrid grid = grid_of(settings, factor, inside, 0);
    add_notes(notes, "the same tiles");
    effect["mode"] = settings.at("tile.mode");
    effect["jitter"] = fusion.jitter;
    if (fusion.jitter)
      effect["tile"] = {fusion.width, fusion.height, fusion.overlap};
    else
      effect["tile"] = {grid.columns.size, grid.rows.size, grid.columns.begins, grid.rows.begins};
  }
  if (settings.at("tile.inversion-steps") != 0)
    for (const char* name : {"tile.inversion-steps", "tile.renoise", "tile.renoise-kernel"})
      effect[name] = settings.at(name);
  return effect.empty() ? nlohmann::json(nullptr) : effect;
}

std::vector<ParameterKind> tile_parameters() {
  const auto pixels = [](const char* name, int usual, int least, const char* help) {
    return ParameterKind{.name = name,
                         .type = Type::integer,
                         .default_value = usual,
                         .least = static_cast<double>(least),
                         .most = kMostSide,
                         .help = help};
  };
  ParameterKind size = pixels("tile.size", 0, 16, "pixels of a tile's width; none: the whole picture");
  size.default_value = "none";
  size.may_be_none = true;
  size.is_short = true;
  return {
      size,
      pixels("tile.height", 0, 0, "pixels of a tile's height; 0: as its width"),
      {.name = "tile.mode",
       .type = Type::choice,
       .default_value = "linear",
       .choices = {"linear", "chess", "none", "multidiffusion", "mixture"},
       .help =
           "tiles redrawn one by one (Ultimate SD Upscale: linear, chess; none: its seam fixes alone), or "
           "predictions merged at every step (multidiffusion, mixture)"},
      {.name = "tile.crop",
       .type = Type::choice,
       .default_value = "a1111",
       .choices = {"a1111", "comfy", "comfy-minimal"},
       .help = "how a tile is cut out: a1111 resamples it, comfy does not (force_uniform_tiles on or off)"},
      pixels("tile.blur", 8, 0, "mask blur of redrawn tiles"),
      pixels("tile.padding", 32, 0, "pixels that a redrawn tile sees around it"),
      pixels("tile.overlap", 64, 0, "pixels that neighbours share, of merged predictions"),
      {.name = "tile.jitter",
       .type = Type::boolean,
       .default_value = false,
       .help = "tiles lie elsewhere at every step, of merged predictions"},
      {.name = "tile.inversion-steps",
       .type = Type::integer,
       .default_value = 0,
       .least = 0,
       .most = 1000,
       .help = "steps of noise inversion, of merged predictions; 0: none"},
      {.name = "tile.renoise",
       .type = Type::number,
       .default_value = 1.0,
       .least = 0,
       .most = 1,
       .help = "share of fresh noise where the picture has most detail, of noise inversion"},
      pixels("tile.renoise-kernel", 64, 1, "pixels over which that detail is looked at"),
      {.name = "tile.seam-fix",
       .type = Type::choice,
       .default_value = "none",
       .choices = {"none", "band", "half-tile", "half-tile-intersections"},
       .help = "what is redrawn over the seams of redrawn tiles"},
      {.name = "tile.seam-denoise",
       .type = Type::number,
       .default_value = 0.35,
       .least = 0,
       .most = 1000,
       .help = "denoise of seam passes, in the sense of `as`"},
      pixels("tile.seam-width", 64, 2, "of bands"),
      pixels("tile.seam-blur", 4, 0, "mask blur of half tiles"),
      pixels("tile.seam-padding", 16, 0, "pixels that seam passes see around their mask"),
  };
}

}  // namespace upbench
