#include <algorithm>
#include <stdexcept>

#include <ATen/ops/clamp.h>
#include <fmt/format.h>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "harness/stages/stage.h"
#include "models/upscale.h"

namespace upbench {
namespace {

// A1111 applies a model at most this often before it gives up reaching the wanted size.
constexpr int kMostPasses = 3;

class UpscaleStage final : public Stage {
 public:
  UpscaleStage(std::string id, const nlohmann::json& settings)
      : id_(std::move(id)),
        model_(settings.at("model")),
        precision_(settings.at("precision")),
        fit_(settings.at("fit") == "a1111"),
        padding_(parse_padding(settings.value("padding", "authors"))) {
    const nlohmann::json& tile = settings.at("tile");
    if (tile.is_number_integer()) {
      tile_.tile = tile.get<int>();
      tile_.overlap = settings.at("overlap").get<int>();
      tile_.context = settings.at("context").get<int>();
      tile_.mode = parse_tile_mode(settings.at("mode").get<std::string>());
    }
  }

  Frame run(const Frame& input, const StageContext& context, nlohmann::json& used) const override {
    const UpscalerPtr upscaler = context.models.get(model_, context.device, parse_precision(precision_));
    const UpscalerInfo& info = upscaler->info();
    require_planned(info, context);
    used = {{"architecture", info.architecture},
            {"tensor_hash", info.tensor_hash.hex()},
            {"dialect", info.dialect},
            {"precision", precision_}};
    if (info.spandrel_padding) used["padding"] = to_string(padding_);
    const int scale = info.scale > 0 ? info.scale : scale_for(input, info);
    Frame frame = pass(input, *upscaler, scale, used);
    if (fit_ && input.target != PictureSize{}) frame = fit(std::move(frame), *upscaler, scale, used);
    return frame;
  }

 private:
  // Weights edited between plan and run would give one row two meanings.
  void require_planned(const UpscalerInfo& info, const StageContext& context) const {
    const auto planned = context.planned.find(model_.dump());
    if (planned != context.planned.end() && planned->second.tensor_hash != info.tensor_hash)
      throw std::runtime_error(
          fmt::format("{}: weights changed since the run was planned: tensor hash {}, planned {}", info.name,
                      info.tensor_hash.short_hex(), planned->second.tensor_hash.short_hex()));
  }

  // For models without a scale of their own.
  int scale_for(const Frame& input, const UpscalerInfo& info) const {
    const PictureSize size{static_cast<int>(input.rgb.size(2)), static_cast<int>(input.rgb.size(1))};
    if (input.target == PictureSize{})
      throw std::invalid_argument(
          fmt::format("{}: {} has no scale of its own and the pictures name none", id_, info.name));
    const int scale = chosen_scale(size, input.target, info.scales, fit_);
    if (scale < 1)
      throw std::invalid_argument(fmt::format("{}: no scale of {} leads from {} x {} to {} x {}", id_,
                                              info.name, size.width, size.height, input.target.width,
                                              input.target.height));
    return scale;
  }

  Frame pass(const Frame& input, const Upscaler& upscaler, int scale, nlohmann::json& used) const {
    UpscaleResult result =
        upscale(upscaler, input.rgb.clamp(0, 1), {.scale = scale, .tile = tile_, .padding = padding_});
    Frame frame{.rgb = std::move(result.image),
                .target = input.target,
                .boundaries = scaled(input.boundaries, scale, scale)};
    for (const Boundary& boundary : result.boundaries)
      frame.boundaries.push_back({id_, boundary.vertical, boundary.position, boundary.half_width});
    used["passes"].push_back({{"scale", scale},
                              {"tiles_x", result.tiles_x},
                              {"tiles_y", result.tiles_y},
                              {"outside_share", result.outside_share}});
    if (tile_.tile > 0)
      used["tile"] = {{"tile", tile_.tile},
                      {"overlap", tile_.overlap},
                      {"context", tile_.context},
                      {"mode", to_string(tile_.mode)}};
    return frame;
  }

  // As A1111's upscaler wrapper: more passes while smaller than wanted, 8 bit between them, then Lanczos to
  // the exact size. (A1111 also floors the wanted size to a multiple of 8; here the reference's own size is
  // the wanted one.)
  Frame fit(Frame frame, const Upscaler& upscaler, int scale, nlohmann::json& used) const {
    const PictureSize target = frame.target;
    const auto height = [&] { return frame.rgb.size(1); };
    const auto width = [&] { return frame.rgb.size(2); };
    for (int done = 1;
         done < kMostPasses && scale > 1 && (height() < target.height || width() < target.width); ++done) {
      frame.rgb = quantized(frame.rgb);
      frame = pass(frame, upscaler, scale, used);
    }
    if (height() != target.height || width() != target.width) {
      frame.boundaries = scaled(std::move(frame.boundaries),
                                static_cast<double>(target.width) / static_cast<double>(width()),
                                static_cast<double>(target.height) / static_cast<double>(height()));
      frame.rgb = resample(quantized(frame.rgb), target.height, target.width, "lanczos");
      used["fitted_by"] = "lanczos";
    }
    return frame;
  }

  std::string id_;
  nlohmann::json model_;
  std::string precision_;
  bool fit_;
  Padding padding_;
  TileSettings tile_;
};

}  // namespace

std::unique_ptr<Stage> make_upscale_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<UpscaleStage>(id, settings);
}

}  // namespace upbench
