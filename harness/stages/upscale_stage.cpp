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
        fit_(settings.at("fit") == "a1111") {
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
            {"precision", precision_}};
    Frame frame = pass(input, *upscaler, info.scale > 0 ? info.scale : any_scale(input, info), used);
    if (fit_ && input.target != PictureSize{}) frame = fit(std::move(frame), *upscaler, used);
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

  // For models that take any: the whole factor to the wanted size, the next one above it where `fit` goes the
  // rest.
  int any_scale(const Frame& input, const UpscalerInfo& info) const {
    const auto factor = [](int target, std::int64_t side) {
      return static_cast<int>((target + side - 1) / side);
    };
    const int scale = std::max(factor(input.target.width, input.rgb.size(2)),
                               factor(input.target.height, input.rgb.size(1)));
    if (scale < 1)
      throw std::invalid_argument(
          fmt::format("{}: {} resizes to any scale and the pictures name none", id_, info.name));
    return scale;
  }

  Frame pass(const Frame& input, const Upscaler& upscaler, int scale, nlohmann::json& used) const {
    UpscaleResult result = upscale(upscaler, input.rgb.clamp(0, 1), {.scale = scale, .tile = tile_});
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
  Frame fit(Frame frame, const Upscaler& upscaler, nlohmann::json& used) const {
    const PictureSize target = frame.target;
    const int scale = upscaler.info().scale;
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
  TileSettings tile_;
};

}  // namespace

std::unique_ptr<Stage> make_upscale_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<UpscaleStage>(id, settings);
}

}  // namespace upbench
