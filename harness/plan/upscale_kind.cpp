#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/plan/kinds.h"
#include "harness/plan/usdu_sizes.h"

namespace upbench {
namespace {

constexpr int kLongestSide = 262'144;  // of an output; what is beyond is a mistake in the spec

// --- settle: settings of a cell
// ----------------------------------------------------------------------------------------

bool has_weights(const nlohmann::json& identity) {
  if (!identity.is_array()) return identity.contains("weights");
  return std::any_of(identity.begin(), identity.end(), has_weights);
}

void set_default(SettledStage& stage, const char* parameter, nlohmann::json value, const std::string& why) {
  stage.values[parameter] = std::move(value);
  stage.notes.push_back({parameter, fmt::format("{} does not matter {}", parameter, why)});
}

// {size, overlap, context, mode}: the keys beside size replace the stage's own parameters.
void unfold_tile(nlohmann::json& values) {
  const nlohmann::json tile = values.at("tile");
  if (!tile.is_object()) return;
  values["tile"] = tile.at("size");
  for (const char* name : {"overlap", "context", "mode"})
    if (tile.contains(name)) values[name] = tile[name];
}

constexpr int kDefaultOverlap = 0;
constexpr int kDefaultContext = 10;  // as Real-ESRGAN's tile_pad
constexpr const char* kDefaultMode = "core-context";

void settle_tile(SettledStage& stage) {
  nlohmann::json& values = stage.values;
  unfold_tile(values);
  if (values.at("tile") == "none") {
    set_default(stage, "overlap", kDefaultOverlap, "without tiles");
    set_default(stage, "context", kDefaultContext, "without tiles");
    set_default(stage, "mode", kDefaultMode, "without tiles");
  } else if (values.at("mode") == "core-context") {
    set_default(stage, "overlap", kDefaultOverlap, "with mode core-context");
  } else {
    set_default(stage, "context", kDefaultContext,
                fmt::format("with mode {}", values.at("mode").get<std::string>()));
    if (values.at("overlap") >= values.at("tile"))
      stage.refusal = fmt::format("overlap {} is not smaller than tile {}", values.at("overlap").dump(),
                                  values.at("tile").dump());
  }
}

// Settings say how to pad only where that is not as the authors do, so that keys are those of before there
// was anything to say.
void settle_padding(SettledStage& stage, const ModelFacts& facts) {
  if (stage.values.at("padding") == "spandrel" && facts.has_paddings) return;
  if (!facts.has_paddings)
    stage.notes.push_back({"padding", "padding does not matter to models that both pad alike"});
  stage.values.erase("padding");
}

// The same for the range that networks compute on where their files do not tell it.
void settle_input_range(SettledStage& stage, const ModelFacts& facts) {
  const std::string range = stage.values.at("input-range");
  if (range != "authors" && !facts.input_range.empty() && range != facts.input_range) return;
  if (facts.input_range.empty())
    stage.notes.push_back({"input-range", "input-range does not matter to models whose files tell it"});
  else if (range != "authors")
    stage.notes.push_back({"input-range", fmt::format("input-range {} is that of the authors", range)});
  stage.values.erase("input-range");
}

SettledStage settle(const nlohmann::json& parameters, const StageKind::FindModel& find_model) {
  SettledStage stage;
  stage.values = parameters;
  settle_tile(stage);
  const nlohmann::json& model = parameters.at("model");
  const ModelFacts& facts = find_model(model);
  settle_padding(stage, facts);
  settle_input_range(stage, facts);
  const nlohmann::json what = model_identity(model, find_model);
  if (!has_weights(what)) set_default(stage, "precision", "fp32", "to models without weights");
  stage.models = {{{"parameter", "model"}, {"scale", facts.scale}, {"identity", what}}};
  if (!facts.scales.empty()) stage.models[0]["scales"] = facts.scales;
  return stage;
}

// --- outcome: what it does to pictures of one size
// ---------------------------------------------------------------------

struct Upscaling {
  int model_scale = 0;      // 0: the pictures choose it
  std::vector<int> scales;  // among these; empty: any
  bool resamples = false;   // has no weights
  bool fit = false, usdu = false;
  int tile = 0;  // 0: none
  int overlap = 0, context = 0;
  bool core_context = true, full_tiles = false;  // full_tiles: the last tile is as long as the others

  StageOutcome operator()(PictureSize input, PictureSize target) const;
  std::string scale_refusal(PictureSize input, PictureSize target) const;
  StageOutcome by_usdu(PictureSize input, PictureSize target) const;
  void add_pass(PictureSize input, StageOutcome& made) const;
  double read_length(int side) const;
};

// Pixels of one axis that all tiles together read; see models/tiling/tile_plan.h for the modes.
double Upscaling::read_length(int side) const {
  if (tile == 0 || tile >= side) return side;
  const int cores = (side + tile - 1) / tile;
  if (core_context) return side + 2.0 * context * (cores - 1);
  const int stride = tile - overlap;
  const int count = (side - overlap + stride - 1) / stride;
  return full_tiles ? static_cast<double>(count) * tile : side + static_cast<double>(count - 1) * overlap;
}

void Upscaling::add_pass(PictureSize input, StageOutcome& made) const {
  made.pixels_read += read_length(input.width) * read_length(input.height);
  const auto piece = [&](int side) {
    return tile == 0 ? side : std::min(side, tile + (core_context ? 2 * context : 0));
  };
  made.largest_piece =
      std::max(made.largest_piece, static_cast<double>(piece(input.width)) * piece(input.height));
}

// Why no scale of the model's leads from one size to the other.
std::string Upscaling::scale_refusal(PictureSize input, PictureSize target) const {
  const int wanted = chosen_scale(input, target, {}, false);
  if (wanted == 0) return "no whole scale leads to the size of the reference (fit: a1111 would reach it)";
  return fmt::format("the model's scales are {}, but the pictures ask for {} (fit: a1111 would reach it)",
                     fmt::join(scales, ", "), wanted);
}

std::string too_large(PictureSize size, int scale) {
  return fmt::format("the output would be {} pixels wide or high, at most {} are computed",
                     static_cast<std::int64_t>(std::max(size.width, size.height)) * scale, kLongestSide);
}

// Calls of A1111's wrapper one after another, then Lanczos.
StageOutcome Upscaling::by_usdu(PictureSize input, PictureSize target) const {
  StageOutcome made;
  made.output = input;
  int passes = 0;
  PictureSize last = input;
  const std::vector<PictureSize> sizes = usdu_sizes(input, target);
  for (std::size_t call = 0; call < sizes.size(); ++call) {
    const PictureSize size = sizes[call];
    if (std::max(size.width, size.height) > kLongestSide) {
      made.refusal = too_large(size, 1);
      return made;
    }
    const int most = call + 1 < sizes.size() ? kMostPasses : 0;
    for (int i = 0; i < most && is_smaller(made.output, size); ++i, ++passes) {
      made.scale = model_scale > 0 ? model_scale : chosen_scale(made.output, size, scales, true);
      if (made.scale <= 1) break;
      last = made.output;
      if (std::max(last.width, last.height) > kLongestSide / made.scale) {
        made.refusal = too_large(last, made.scale);
        return made;
      }
      add_pass(last, made);
      made.output = {last.width * made.scale, last.height * made.scale};
      if (resamples) made.pixels_resampled += made.output.pixels();
    }
    if (made.output != size) made.pixels_resampled += size.pixels();
    made.output = size;
  }
  const bool tiled = tile > 0 && (tile < last.width || tile < last.height);
  made.variant = {made.scale, passes * 2 + tiled, made.output.width, made.output.height};
  return made;
}

StageOutcome Upscaling::operator()(PictureSize input, PictureSize target) const {
  StageOutcome made;
  const bool wanted = target != PictureSize{};
  if (model_scale == 0 && !wanted) {
    made.refusal = fmt::format(
        "the model {}, but the pictures ask for none (images.scale would say it)",
        scales.empty() ? "takes any scale" : fmt::format("has the scales {}", fmt::join(scales, ", ")));
    return made;
  }
  if (usdu && wanted) return by_usdu(input, target);
  const int scale = model_scale > 0 ? model_scale : chosen_scale(input, target, scales, fit);
  if (scale == 0) {
    made.refusal = scale_refusal(input, target);
    return made;
  }
  made.scale = scale;
  PictureSize last = input;  // input of the last pass
  int passes = 0;
  made.output = input;
  do {
    last = made.output;
    if (std::max(last.width, last.height) > kLongestSide / scale) {
      made.refusal = too_large(last, scale);
      return made;
    }
    add_pass(last, made);
    made.output = {last.width * scale, last.height * scale};
    ++passes;
  } while (fit && wanted && scale > 1 && passes < kMostPasses &&
           (made.output.width < target.width || made.output.height < target.height));
  if (resamples) made.pixels_resampled += made.output.pixels();
  const bool tiled = tile > 0 && (tile < last.width || tile < last.height);
  made.variant = {scale, passes * 2 + tiled, 0, 0};
  if (fit && wanted && made.output != target) {
    made.variant[2] = target.width;
    made.variant[3] = target.height;
    made.output = target;
    made.pixels_resampled += target.pixels();
  }
  return made;
}

StageKind::Outcome outcome(const nlohmann::json& stage) {
  const nlohmann::json& settings = stage.at("settings");
  const std::string mode = settings.at("mode");
  Upscaling upscaling;
  const nlohmann::json& model = stage.at("models").at(0);
  upscaling.model_scale = model.at("scale");
  upscaling.scales = model.value("scales", std::vector<int>());
  upscaling.resamples = !has_weights(model.at("identity"));
  upscaling.fit = settings.at("fit") == "a1111";
  upscaling.usdu = settings.at("fit") == "usdu";
  if (settings.at("tile").is_number()) upscaling.tile = settings.at("tile");
  upscaling.overlap = settings.at("overlap");
  upscaling.context = settings.at("context");
  upscaling.core_context = mode == "core-context";
  upscaling.full_tiles = mode == "even-ramp" || mode == "uniform";
  return upscaling;
}

// --- effect: what the pixels depend on
// ---------------------------------------------------------------------------------

StageEffect effect(const nlohmann::json& stage, const StageOutcome& made) {
  const nlohmann::json& settings = stage.at("settings");
  const nlohmann::json& model = stage.at("models").at(0).at("identity");
  const auto [scale, passes_and_tiled, fit_width, fit_height] = made.variant;
  StageEffect what;
  what.settings = {{"model", model}, {"scale", scale}, {"tile", nullptr}};
  if (has_weights(model)) what.settings["precision"] = settings.at("precision");
  for (const char* name : {"padding", "input-range"})
    if (settings.contains(name)) what.settings[name] = settings.at(name);

  if (passes_and_tiled % 2 == 1) {
    const char* margin = settings.at("mode") == "core-context" ? "context" : "overlap";
    what.settings["tile"] = {
        {"size", settings.at("tile")}, {"mode", settings.at("mode")}, {margin, settings.at(margin)}};
  } else if (settings.at("tile").is_number()) {
    what.notes.push_back(
        {"tile", fmt::format("tile {} covers the picture: same as tile none", settings.at("tile").dump())});
    for (const char* name : {"overlap", "context", "mode"})
      what.notes.push_back({name, fmt::format("{} does not matter where the tile covers the picture", name)});
  }

  if (fit_width > 0 && settings.at("fit") == "usdu")
    what.settings["fit"] = {{"usdu", {fit_width, fit_height}}, {"passes", passes_and_tiled / 2}};
  else if (fit_width > 0)
    what.settings["fit"] = {{"size", {fit_width, fit_height}}, {"passes", passes_and_tiled / 2}};
  else if (passes_and_tiled / 2 > 1)
    what.settings["passes"] = passes_and_tiled / 2;
  else
    what.notes.push_back({"fit", "fit does not matter where the model's scale is what the pictures ask for"});
  return what;
}

}  // namespace

nlohmann::json model_identity(const nlohmann::json& model, const StageKind::FindModel& find_model) {
  if (model.is_object() && model.contains("chain")) {
    nlohmann::json parts = nlohmann::json::array();
    for (const auto& part : model["chain"]) parts.push_back(model_identity(part, find_model));
    return parts;
  }
  const ModelFacts& facts = find_model(model);
  if (facts.tensor_hash.is_zero()) return {{"name", model}, {"version", facts.version}};
  return {{"weights", facts.tensor_hash.hex()}, {"version", facts.version}};
}

int chosen_scale(PictureSize input, PictureSize target, const std::vector<int>& scales, bool fit) {
  const int x = (target.width + input.width - 1) / input.width,
            y = (target.height + input.height - 1) / input.height, least = std::max(x, y);
  const bool whole = x == y && x * input.width == target.width && y * input.height == target.height;
  if (!whole && !fit) return 0;
  if (scales.empty()) return least;
  const auto next = std::ranges::lower_bound(scales, least);
  if (next != scales.end() && (fit || *next == least)) return *next;
  return fit ? scales.back() : 0;
}

StageKind upscale_kind() {
  using Type = ParameterKind::Type;
  const std::vector<std::string> modes = {"core-context", "even-ramp", "stride-feather", "half-sine",
                                          "uniform"};
  StageKind kind;
  kind.name = "upscale";
  kind.version = 2;  // 2: tiles are clamped before they are blended
  kind.parameters = {
      {.name = "model",
       .type = Type::model,
       .help = "a built-in name, a file (FILE@KEY: its tensors under this key), {chain: [a, b]} or {blend: "
               "{a: 0.5, b: 0.5}}"},
      {.name = "tile",
       .type = Type::tile,
       .default_value = "none",
       .least = 16,
       .most = 65536,
       .choices = modes,
       .help = "input pixels; none: the whole picture; {size, overlap, context, mode} sets all at once"},
      {.name = "overlap",
       .type = Type::integer,
       .default_value = kDefaultOverlap,
       .least = 0,
       .most = 65536,
       .help = "input pixels that neighbours share and blend; all modes but core-context"},
      {.name = "context",
       .type = Type::integer,
       .default_value = kDefaultContext,
       .least = 0,
       .most = 65536,
       .help = "input pixels read around a tile and thrown away; mode core-context"},
      {.name = "mode",
       .type = Type::choice,
       .default_value = kDefaultMode,
       .choices = modes,
       .help = "how tiles are laid and merged"},
      {.name = "precision",
       .type = Type::choice,
       .default_value = "fp32",
       .choices = {"fp32", "tf32", "fp16", "bf16"},
       .help = "inside the network; tf32: fp32 with products in TF32, on GPUs that have it"},
      {.name = "fit",
       .type = Type::choice,
       .default_value = "none",
       .choices = {"none", "a1111", "usdu"},
       .help = "a1111: repeat up to 3 times until large enough, then Lanczos to the wanted size; usdu: as "
               "Ultimate "
               "SD Upscale, by 4, 3 and 2, then Pillow's Lanczos to the wanted size rounded up to 64"},
      {.name = "padding",
       .type = Type::choice,
       .default_value = "authors",
       .choices = {"authors", "spandrel"},
       .help = "how pictures are brought to sizes that the network takes: as its authors do, or as spandrel "
               "(ComfyUI, chaiNNer) does; differs for CRAFT, DCTLSA, SAFMN++, Real-ESRGAN x2"},
      {.name = "input-range",
       .type = Type::choice,
       .default_value = "authors",
       .choices = {"authors", "0..255", "0..1"},
       .help = "of the values that a network computes on, for those whose files do not tell it (RFDN, RLFN): "
               "as its authors', or another that it was trained on"},
  };
  kind.settle = settle;
  kind.outcome = outcome;
  kind.effect = effect;
  return kind;
}

}  // namespace upbench
