#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "datasets/device/graph_pool.h"
#include "harness/diffusion_models.h"
#include "harness/model_cache.h"
#include "harness/record.h"
#include "harness/stage_kinds.h"

namespace upbench {

// Latents that a picture was decoded from.
struct FrameLatents {
  at::Tensor values;  // [1, C, h, w], as the UNet has them
  LatentSpace space;
  Digest model;  // tensor hash of the model they are of
};

// What travels between stages.
struct Frame {
  Image rgb;  // on the trial's device; a network may leave it outside [0, 1]: each stage clamps its input
  PictureSize target;                        // that the pictures finally should have; 0x0: nothing is wanted
  std::vector<BoundaryRow> boundaries = {};  // known tile boundaries, in this frame's pixels
  Image base = {};  // of the picture that diffusion stages began with; undefined: there is none of this size
  std::optional<FrameLatents> latents = {};  // that rgb was decoded from and nothing has changed since
};

using LatentCache = SharedCache<Digest, Coded>;

// What a stage works with, shared by all trials of a sweep.
struct StageContext {
  ModelCache& models;
  std::string device;
  const std::unordered_map<std::string, ModelFacts>&
      planned;             // by model value: a network must still be what was planned
  std::uint64_t seed = 0;  // of the trial
  Digest input{};          // of the trial's picture, ImageRow::input
  double tile_bytes = 0;   // device memory for batches of tiles; 0: one tile at a time, which is best on CPUs
  GraphPool* graphs = nullptr;  // of the thread that computes; nothing: every call starts its own kernels
  DiffusionCache* diffusion = nullptr;  // for stages that run a diffusion model
  Digest stage_input{};                 // what the stage's input pixels depend on
  LatentCache* latents = nullptr;       // encoded pictures by what they depend on; nothing: each is made anew
  const PicturePrompts* prompts = nullptr;  // of the trial's picture, from the sources that stages name
};

// A stage maps a Frame to a Frame. Immutable; run() may be called by several threads at once.
class Stage {
 public:
  virtual ~Stage() = default;
  // used: filled with what was really used (tensor hash, tile plan, precision), for the proof of cell.
  virtual Frame run(const Frame& input, const StageContext& context, nlohmann::json& used) const = 0;
  // Loads what run() will ask the context for, while another trial computes. The caller holds on to it until
  // then, so that no cache drops it in between.
  virtual std::vector<std::shared_ptr<const void>> load(const StageContext&) const { return {}; }
};

// id: of the stage in its pipeline. settings: by parameter name, defaults filled, as harness/stage_kinds.h
// lists them.
std::unique_ptr<Stage> make_stage(const std::string& kind, const std::string& id,
                                  const nlohmann::json& settings);

std::unique_ptr<Stage> make_upscale_stage(const std::string& id, const nlohmann::json& settings);
std::unique_ptr<Stage> make_resize_stage(const std::string& id, const nlohmann::json& settings);
std::unique_ptr<Stage> make_degrade_stage(const std::string& id, const nlohmann::json& settings);
std::unique_ptr<Stage> make_refine_stage(const std::string& id, const nlohmann::json& settings);
std::unique_ptr<Stage> make_generate_stage(const std::string& id, const nlohmann::json& settings);
std::unique_ptr<Stage> make_hires_stage(const std::string& id, const nlohmann::json& settings);

// Throws std::runtime_error where the weights are not those of the plan: edited between plan and run they
// would give one row two meanings. model: as the plan knows it.
void require_planned(const nlohmann::json& model, const UpscalerInfo& info, const StageContext& context);

// Boundaries of a frame whose sides were multiplied.
std::vector<BoundaryRow> scaled(std::vector<BoundaryRow> boundaries, double x_factor, double y_factor);

}  // namespace upbench
