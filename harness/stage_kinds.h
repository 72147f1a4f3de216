#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "datasets/degradation/settings.h"
#include "datasets/digest.h"
#include "datasets/picture_prompt.h"
#include "models/diffusion/sampling/latent_space.h"

// What kinds of stages there are and which parameters they take; what spec and plan need to know of a stage.
// Torch-free. How a stage runs is in harness/stages/.
namespace upbench {

// Of a diffusion model.
struct DiffusionModelFacts {
  double first_beta = 0.00085, last_beta = 0.012;  // of its noise schedule
  int factor = 8;                                  // pixels to a latent: sides are multiples of it
  bool unconditional = false;                      // no text, nothing to guide by
  double coder_macs_per_pixel = 0;                 // encoding and decoding together
  std::string vocabulary;                          // of its prompts: digest of the file; empty: none found
  LatentSpace latents;
  std::string refusal;  // why it cannot refine pictures; empty: it can
};

struct ModelFacts {
  std::string label;          // as the report shows it
  int scale = 0;              // 0: the pictures choose it
  std::vector<int> scales;    // where they choose: among these, ascending; empty: any
  bool has_paddings = false;  // do its authors and spandrel pad otherwise (models/padding.h)
  std::string input_range;    // of its authors' where its file does not tell: "0..255"; else empty
  Digest tensor_hash;         // zero: no weights
  std::string architecture;
  double macs_per_pixel = 0;            // per input pixel
  std::map<int, double> macs_by_scale;  // the same, where the pictures choose the scale
  std::int64_t weight_bytes = 0;
  int version = 1;  // of the code, where that alone decides the pixels (interpolators); part of output keys
  std::optional<DiffusionModelFacts> diffusion = {};  // macs_per_pixel: one evaluation, by output pixel
};

struct ParameterKind {
  // checkpoint: the file or folder of a diffusion model or of a part of one. size: "640x480". tile: none, an
  // integer of at least `least`, or {size, overlap, context, mode}.
  enum class Type { text, integer, number, boolean, choice, model, checkpoint, tile, size };
  std::string name;  // with a dot, "blur.sigma": key sigma of a map blur
  Type type = Type::text;
  nlohmann::json default_value;      // null: must be given, unless optional
  double least = 0, most = 0;        // integer, number; both 0: unbounded
  std::vector<std::string> choices;  // choice
  std::string help;
  bool optional = false;     // may be absent; its value is then null
  bool may_be_none = false;  // `none` may be written; its value is then "none"
  bool is_short = false;     // with a dot in its name: what stands in the place of the map is its value

  bool names_model() const { return type == Type::model || type == Type::checkpoint; }
};

struct PictureSize {
  int width = 0, height = 0;
  bool operator==(const PictureSize&) const = default;
  auto operator<=>(const PictureSize&) const = default;
  double pixels() const { return static_cast<double>(width) * height; }
};

// Why `parameter` may differ between two cells that compute the same.
struct SameNote {
  std::string parameter;
  std::string text;  // "tile 128 covers the picture: same as tile none"
};

// One stage of one cell, before a picture is known.
struct SettledStage {
  nlohmann::json values;  // by parameter name, every parameter; those without effect at their defaults
  nlohmann::json models;  // list of {parameter, scale, identity}; identity: what the pixels depend on
  std::vector<SameNote> notes;
  std::string refusal;  // not empty: this setting cannot work, and why
};

// What one stage does to pictures of one size.
struct StageOutcome {
  PictureSize output;
  std::array<int, 4>
      variant{};  // what of the effective settings depends on the picture; each kind has its own meaning
  int scale = 1;  // of the model, in each pass
  double pixels_read = 0;       // input pixels that a network computes on, all tiles and passes
  double pixels_coded = 0;      // that an autoencoder encodes and decodes
  double largest_piece = 0;     // input pixels computed on at once
  int tiles = 0;                // that a diffusion model works on apart; 0: the whole picture
  double evaluations = 0;       // of a diffusion network, both contexts and all tiles
  double pixels_resampled = 0;  // output pixels of a resampling kernel
  std::string refusal;          // not empty: pictures of this size cannot be used, and why
};

// What the pixels depend on: goes into the output key.
struct StageEffect {
  nlohmann::json settings;  // null: the picture goes through as it is, with the keys of a pipeline without it
  std::vector<SameNote> notes;
  bool uses_seed = false;
  PromptSources prompts = {};  // of the picture that count too
};

// The last stage before one that runs a diffusion model.
struct PassBefore {
  nlohmann::json parameters;    // by name, as its kind has settled them; empty object: there is none
  bool leaves_latents = false;  // it comes right before, and its latents are still there
};

struct StageKind {
  // model: as ParameterKind::Type::model reads it, or {diffusion: {checkpoint: NAME}}, in which vae,
  // control-net and loras, [[NAME, STRENGTH]], may be.
  using FindModel = std::function<const ModelFacts&(const nlohmann::json& model)>;
  // target: the size that the pictures finally should have; 0x0: nothing is wanted. A closure, so that a plan
  // over many sizes reads the settings once.
  using Outcome = std::function<StageOutcome(PictureSize input, PictureSize target)>;

  std::string name;
  int version = 1;  // of its code; part of every output key
  std::vector<ParameterKind> parameters;
  std::vector<std::string> exactly_one;  // of these optional parameters one must be given
  bool makes_pictures = false;  // from prompts: stands at the spec's top level in the place of `images`

  bool leaves_latents = false;  // for the stage right after it, which may go on with them

  // Fills parameters that the spec does not give from the stage before. nullptr: there are none.
  nlohmann::json (*inherit)(nlohmann::json parameters, const PassBefore& before) = nullptr;
  // parameters: values by name, as the spec reads them and after `inherit`.
  SettledStage (*settle)(const nlohmann::json& parameters, const FindModel& find_model) = nullptr;
  // stage: {settings, models} of CellRow::settings.
  Outcome (*outcome)(const nlohmann::json& stage) = nullptr;
  StageEffect (*effect)(const nlohmann::json& stage, const StageOutcome& outcome) = nullptr;
};

const std::vector<StageKind>& stage_kinds();
const StageKind* find_stage_kind(std::string_view name);

// The factor for a model that has none of its own: the whole number that leads to the target, one of `scales`
// (ascending; empty: any). With `fit`, where there is none, the next one above it, else the greatest: passes
// are repeated. 0: there is none.
int chosen_scale(PictureSize input, PictureSize target, const std::vector<int>& scales, bool fit);

// Output size of a resize stage. settings: one of scale, megapixels (1e6), long_edge, size is not null; sides
// are rounded half up and are at least 1.
PictureSize resized(const nlohmann::json& settings, PictureSize input);
PictureSize parse_size(const std::string& text);  // "640x480", as ParameterKind::Type::size reads it

// The model that a refine or generate stage of these settings asks for, as StageKind::FindModel takes it.
// Throws std::invalid_argument for a `lora` that is no "NAME:STRENGTH", several joined by "+".
nlohmann::json refine_model(const nlohmann::json& settings);

// Of a degrade stage. settings: by parameter name; null and "none": not given. Throws std::invalid_argument
// as parse_degradation() does.
DegradeSettings degradation_of(const nlohmann::json& settings);
bool does_nothing(const DegradeSettings& settings);
// What a degrade stage draws follows from this, the seed and the settings: two of one pipeline draw apart.
Digest degradation_content(const Digest& input, const std::string& stage_id);

}  // namespace upbench
