#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/record.h"
#include "harness/stage_kinds.h"

// The settings of a cell -> what they mean for one picture, and the keys of that. Used by the plan for every
// picture size, and by whoever runs or checks a trial.
namespace upbench {

// One stage for one picture.
struct EffectiveStage {
  std::string id, kind;
  int version = 1;
  nlohmann::json asked;   // settings by parameter name (CellRow::settings)
  nlohmann::json effect;  // what the pixels depend on; null: nothing is done
  PictureSize input, output;
  Digest prefix;           // of the effects of all stages up to and with this one
  bool uses_seed = false;  // this stage or one before it
  PromptSources prompts;   // that count in this stage or one before it
};

struct EffectivePipeline {
  std::vector<EffectiveStage> stages;
  std::vector<SameNote> notes;  // with the whole path: "upscale.tile"
  std::string refusal;  // not empty: pictures of this size cannot be used, and why; stages are then empty
};

// The prefix before the first stage, and the key of a pipeline without any (`upbench score`).
Digest no_stages();

// A cell's stages, read once, asked about many sizes. Immutable.
class Pipeline {
 public:
  explicit Pipeline(nlohmann::json cell_settings);  // CellRow::settings, parsed

  struct Pass {
    std::vector<StageOutcome> outcomes;
    std::string refusal;
    PictureSize output(PictureSize input) const { return outcomes.empty() ? input : outcomes.back().output; }
  };
  // target: the size that is wanted; 0x0: any. An output of another size is refused with both scales.
  Pass pass(PictureSize input, PictureSize target) const;
  EffectivePipeline effective(PictureSize input, const Pass& pass) const;
  std::size_t size() const { return outcomes_.size(); }

 private:
  std::string scale_refusal(PictureSize input, PictureSize output, PictureSize target) const;

  nlohmann::json stages_;
  std::vector<StageKind::Outcome> outcomes_;
};

EffectivePipeline effective_pipeline(const CellRow& cell, const ImageRow& image);

// Of the output of a stage for one input picture; that of the last stage is TrialRow::output. The seed counts
// only where a stage uses one.
Digest output_key(const Digest& prefix, const Digest& input, bool uses_seed, std::uint64_t seed);
Digest output_key(Hasher& hasher, const Digest& prefix, const Digest& input, bool uses_seed,
                  std::uint64_t seed);
// output_key of every stage of a trial; where a stage uses a prompt of the picture, it is part of the input.
// Throws std::invalid_argument for a picture that the cell refuses.
std::vector<Digest> stage_keys(const CellRow& cell, const ImageRow& image, std::uint64_t seed,
                               const PicturePrompts& prompts = {});

PictureSize input_size(const ImageRow& image);
PictureSize reference_size(const ImageRow& image);  // or what is wanted without a reference; 0x0: nothing

}  // namespace upbench
