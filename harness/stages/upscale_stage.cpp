#include <algorithm>
#include <optional>
#include <stdexcept>

#include <ATen/ops/clamp.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "harness/plan/estimate.h"
#include "harness/plan/kinds.h"
#include "harness/plan/usdu_sizes.h"
#include "harness/stages/stage.h"
#include "harness/tf32_scope.h"
#include "models/tiling/tile_batches.h"
#include "models/upscale.h"

namespace upbench {
namespace {

// Of a tile in a batch to itself alone; kernels round otherwise, networks that mix the tiles of a batch do
// more.
constexpr double kLargestBatchDifference = 1.0 / 255;

class UpscaleStage final : public Stage {
 public:
  UpscaleStage(std::string id, const nlohmann::json& settings)
      : id_(std::move(id)),
        model_(settings.at("model")),
        precision_(settings.at("precision")),
        fit_(settings.at("fit") == "a1111"),
        usdu_(settings.at("fit") == "usdu"),
        padding_(parse_padding(settings.value("padding", "authors"))),
        input_range_(settings.value("input-range", "authors")) {
    const nlohmann::json& tile = settings.at("tile");
    if (tile.is_number_integer()) {
      tile_.tile = tile.get<int>();
      tile_.overlap = settings.at("overlap").get<int>();
      tile_.context = settings.at("context").get<int>();
      tile_.mode = parse_tile_mode(settings.at("mode").get<std::string>());
    }
  }

  Frame run(const Frame& input, const StageContext& context, nlohmann::json& used) const override {
    const UpscalerPtr upscaler = upscaler_of(context);
    require_precision(precision_, context.device);
    const Tf32Scope arithmetic(context.device, uses_tf32(precision_));
    const UpscalerInfo& info = upscaler->info();
    require_planned(model_, info, context);
    used = {{"architecture", info.architecture},
            {"tensor_hash", info.tensor_hash.hex()},
            {"dialect", info.dialect},
            {"precision", precision_}};
    if (!info.licence.empty()) used["licence"] = info.licence;
    if (info.spandrel_padding) used["padding"] = to_string(padding_);
    if (!info.input_range.empty()) used["input_range"] = info.input_range;
    if (usdu_ && input.target != PictureSize{}) return by_usdu(input, upscaler, context, used);
    const int scale = info.scale > 0 ? info.scale : scale_for(input, info);
    Frame frame = pass(input, upscaler, scale, context, used);
    if (fit_ && input.target != PictureSize{}) frame = fit(std::move(frame), upscaler, scale, context, used);
    return frame;
  }

  std::vector<std::shared_ptr<const void>> load(const StageContext& context) const override {
    return {upscaler_of(context)};
  }

 private:
  UpscalerPtr upscaler_of(const StageContext& context) const {
    return context.models.get(on_input_range(model_, input_range_), context.device,
                              parse_precision(precision_));
  }

  // For models without a scale of their own.
  int scale_for(const Frame& input, const UpscalerInfo& info) const {
    const PictureSize size{static_cast<int>(input.rgb.size(2)), static_cast<int>(input.rgb.size(1))};
    const std::string known =
        info.scales.empty() ? "" : fmt::format(", expected {}", fmt::join(info.scales, " or "));
    if (input.target == PictureSize{})
      throw std::invalid_argument(
          fmt::format("{}: {} has no scale of its own and the pictures name none{}", id_, info.name, known));
    const int scale = chosen_scale(size, input.target, info.scales, fit_);
    if (scale < 1)
      throw std::invalid_argument(fmt::format("{}: no scale of {} leads from {} x {} to {} x {}", id_,
                                              info.name, size.width, size.height, input.target.width,
                                              input.target.height));
    return scale;
  }

  Frame pass(const Frame& input, const UpscalerPtr& network, int scale, const StageContext& context,
             nlohmann::json& used) const {
    const Upscaler& upscaler = *network;
    UpscaleOptions options{.scale = scale, .tile = tile_, .padding = padding_};
    const std::optional<bool> takes_batches = context.models.takes_batches(upscaler);
    if (takes_batches.value_or(true)) options.batch = planned_batch(upscaler.info(), scale, context);
    options.check_batch = !takes_batches;
    const std::string graph = graph_of(upscaler.info(), scale, context);
    if (!graph.empty()) options.forward = recorded(graph, network, scale, context);
    options.make_room = [graphs = context.graphs] {
      if (graphs == nullptr || graphs->graphs() == 0) return false;
      graphs->clear();
      return true;
    };
    const Image picture = input.rgb.clamp(0, 1);
    UpscaleResult result;
    bool not_finite_in_batch = false;
    try {
      result = upscale(upscaler, picture, options);
    } catch (const NotFiniteError&) {
      if (options.batch <= 1) throw;
      options.batch = 1;
      result = upscale(upscaler, picture, options);
      not_finite_in_batch = true;
      context.models.set_takes_batches(upscaler, false);
    }
    if (const double difference = result.batch_difference; difference >= 0) {
      const bool takes = difference <= kLargestBatchDifference;
      context.models.set_takes_batches(upscaler, takes);
      options.batch = 1;
      if (!takes) result = upscale(upscaler, picture, options);
      result.batch_difference = difference;
    }
    Frame frame{.rgb = std::move(result.image),
                .target = input.target,
                .boundaries = scaled(input.boundaries, scale, scale)};
    for (const Boundary& boundary : result.boundaries)
      frame.boundaries.push_back({id_, boundary.vertical, boundary.position, boundary.half_width});
    nlohmann::json made = {{"scale", scale},
                           {"tiles_x", result.tiles_x},
                           {"tiles_y", result.tiles_y},
                           {"batch", result.batch},
                           {"outside_share", result.outside_share}};
    if (result.batch_halved) made["batch_halved"] = true;
    if (result.batch_difference >= 0) made["batch_difference"] = result.batch_difference;
    if (not_finite_in_batch) made["batch_not_finite"] = true;
    if (const std::string why = graph.empty() ? "" : context.graphs->why_eager(graph); !why.empty())
      made["eager"] = fmt::format("{}: {}", upscaler.info().name, why);
    used["passes"].push_back(std::move(made));
    if (tile_.tile > 0)
      used["tile"] = {{"tile", tile_.tile},
                      {"overlap", tile_.overlap},
                      {"context", tile_.context},
                      {"mode", to_string(tile_.mode)}};
    return frame;
  }

  // The name of the network's graphs. Empty: there are none. Tiles have few shapes, those at the borders
  // their own; whole pictures may have any.
  std::string graph_of(const UpscalerInfo& info, int scale, const StageContext& context) const {
    if (context.graphs == nullptr || tile_.tile == 0 || info.tensor_hash.is_zero()) return {};
    return fmt::format("{} {} x{} {}", info.tensor_hash.hex(), precision_, scale, info.input_range);
  }

  // The network's kernels are started together.
  static BatchFunction recorded(const std::string& name, const UpscalerPtr& network, int scale,
                                const StageContext& context) {
    return [=, graphs = context.graphs](const at::Tensor& batch) {
      const auto forward = [&](const at::Tensor& input) { return network->forward(input, scale); };
      return graphs->run(name, batch, forward, network);
    };
  }

  int planned_batch(const UpscalerInfo& info, int scale, const StageContext& context) const {
    if (tile_.tile == 0 || context.tile_bytes <= 0) return 1;
    const double side = tile_.tile + (tile_.mode == TileMode::core_context ? 2.0 * tile_.context : 0.0);
    return tiles_at_once(side * side, activation_bytes_per_pixel(info.macs_per_pixel, scale),
                         context.tile_bytes);
  }

  // As Ultimate SD Upscale enlarges a picture before it redraws it; see usdu_sizes(). 8 bit between all
  // steps.
  Frame by_usdu(const Frame& input, const UpscalerPtr& upscaler, const StageContext& context,
                nlohmann::json& used) const {
    const auto size_of = [](const Frame& frame) {
      return PictureSize{static_cast<int>(frame.rgb.size(2)), static_cast<int>(frame.rgb.size(1))};
    };
    const std::vector<PictureSize> sizes = usdu_sizes(size_of(input), input.target);
    Frame frame = input;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      for (int done = 0; i + 1 < sizes.size() && done < kMostPasses && is_smaller(size_of(frame), sizes[i]);
           ++done) {
        const UpscalerInfo& info = upscaler->info();
        const int scale =
            info.scale > 0 ? info.scale : chosen_scale(size_of(frame), sizes[i], info.scales, true);
        if (scale <= 1) break;
        frame = pass(frame, upscaler, scale, context, used);
        frame.rgb = quantized(frame.rgb);
      }
      if (size_of(frame) != sizes[i]) frame = resized_to(std::move(frame), sizes[i], "pil-lanczos", used);
    }
    return frame;
  }

  static Frame resized_to(Frame frame, PictureSize size, const char* kernel, nlohmann::json& used) {
    frame.boundaries =
        scaled(std::move(frame.boundaries), size.width / static_cast<double>(frame.rgb.size(2)),
               size.height / static_cast<double>(frame.rgb.size(1)));
    frame.rgb = resample(quantized(frame.rgb), size.height, size.width, kernel);
    used["fitted_by"] = kernel;
    return frame;
  }

  // As A1111's upscaler wrapper: more passes while smaller than wanted, 8 bit between them, then Lanczos to
  // the exact size. (A1111 also floors the wanted size to a multiple of 8; here the reference's own size is
  // the wanted one.)
  Frame fit(Frame frame, const UpscalerPtr& upscaler, int scale, const StageContext& context,
            nlohmann::json& used) const {
    const PictureSize target = frame.target;
    const auto height = [&] { return frame.rgb.size(1); };
    const auto width = [&] { return frame.rgb.size(2); };
    for (int done = 1;
         done < kMostPasses && scale > 1 && (height() < target.height || width() < target.width); ++done) {
      frame.rgb = quantized(frame.rgb);
      frame = pass(frame, upscaler, scale, context, used);
    }
    if (height() != target.height || width() != target.width)
      return resized_to(std::move(frame), target, "lanczos", used);
    return frame;
  }

  std::string id_;
  nlohmann::json model_;
  std::string precision_;
  bool fit_, usdu_;
  Padding padding_;
  std::string input_range_;
  TileSettings tile_;
};

}  // namespace

std::unique_ptr<Stage> make_upscale_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<UpscaleStage>(id, settings);
}

}  // namespace upbench
