#include "harness/plan/canonical.h"

#include <stdexcept>

#include <fmt/format.h>

namespace upbench {

Pipeline::Pipeline(nlohmann::json cell_settings) : stages_(std::move(cell_settings)) {
  for (const nlohmann::json& stage : stages_)
    outcomes_.push_back(find_stage_kind(stage.at("kind").get_ref<const std::string&>())->outcome(stage));
}

Pipeline::Pass Pipeline::pass(PictureSize input, PictureSize target) const {
  Pass pass;
  PictureSize size = input;
  for (const StageKind::Outcome& outcome : outcomes_) {
    pass.outcomes.push_back(outcome(size, target));
    pass.refusal = pass.outcomes.back().refusal;
    if (!pass.refusal.empty()) return pass;
    size = pass.outcomes.back().output;
  }
  if (target != PictureSize{} && size != target) pass.refusal = scale_refusal(input, size, target);
  return pass;
}

std::string Pipeline::scale_refusal(PictureSize input, PictureSize output, PictureSize target) const {
  const auto scale = [&](PictureSize size) { return static_cast<double>(size.width) / input.width; };
  bool could_fit = false;
  for (const nlohmann::json& stage : stages_)
    could_fit = could_fit || stage.at("settings").value("fit", "") == "none";
  std::string hint;
  if (could_fit)
    hint = output.width < target.width ? " (fit: a1111 would repeat it)"
                                       : " (fit: a1111 would shrink the result)";
  return fmt::format("scale {:.4g}, but the pictures ask for {:.4g}{}", scale(output), scale(target), hint);
}

Digest no_stages() {
  return sha256("upbench-pipeline-1");
}

EffectivePipeline Pipeline::effective(PictureSize input, const Pass& pass) const {
  EffectivePipeline made;
  made.refusal = pass.refusal;
  if (!made.refusal.empty()) return made;
  Digest prefix = no_stages();
  bool uses_seed = false;
  PromptSources prompts;
  Hasher hasher;
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    const nlohmann::json& stage = stages_[i];
    const StageKind& kind = *find_stage_kind(stage.at("kind").get_ref<const std::string&>());
    StageEffect effect = kind.effect(stage, pass.outcomes[i]);
    const std::string id = stage.at("id");
    for (SameNote& note : effect.notes)
      made.notes.push_back({fmt::format("{}.{}", id, note.parameter), std::move(note.text)});
    if (!effect.settings.is_null())
      prefix = hasher.add_field(prefix)
                   .add_field(kind.name)
                   .add_field(static_cast<std::uint64_t>(kind.version))
                   .add_field(effect.settings.dump())
                   .finish();
    uses_seed = uses_seed || effect.uses_seed;
    prompts.insert(effect.prompts.begin(), effect.prompts.end());
    made.stages.push_back({.id = id,
                           .kind = kind.name,
                           .version = kind.version,
                           .asked = stage.at("settings"),
                           .effect = std::move(effect.settings),
                           .input = i == 0 ? input : pass.outcomes[i - 1].output,
                           .output = pass.outcomes[i].output,
                           .prefix = prefix,
                           .uses_seed = uses_seed,
                           .prompts = prompts});
  }
  return made;
}

PictureSize input_size(const ImageRow& image) {
  return {image.input_width, image.input_height};
}

PictureSize reference_size(const ImageRow& image) {
  return {image.reference_width, image.reference_height};
}

EffectivePipeline effective_pipeline(const CellRow& cell, const ImageRow& image) {
  const Pipeline pipeline(nlohmann::json::parse(cell.settings));
  return pipeline.effective(input_size(image), pipeline.pass(input_size(image), reference_size(image)));
}

std::vector<Digest> stage_keys(const CellRow& cell, const ImageRow& image, std::uint64_t seed,
                               const PicturePrompts& prompts) {
  const EffectivePipeline pipeline = effective_pipeline(cell, image);
  if (!pipeline.refusal.empty())
    throw std::invalid_argument(fmt::format("{}: {}", image.name, pipeline.refusal));
  std::vector<Digest> keys;
  for (const EffectiveStage& stage : pipeline.stages)
    keys.push_back(
        output_key(stage.prefix, prompted_input(image.input, stage.prompts, prompts), stage.uses_seed, seed));
  return keys;
}

Digest output_key(const Digest& prefix, const Digest& input, bool uses_seed, std::uint64_t seed) {
  Hasher hasher;
  return output_key(hasher, prefix, input, uses_seed, seed);
}

Digest output_key(Hasher& hasher, const Digest& prefix, const Digest& input, bool uses_seed,
                  std::uint64_t seed) {
  hasher.add_field("upbench-output-1").add_field(prefix).add_field(input).add_field(std::uint64_t{uses_seed});
  if (uses_seed) hasher.add_field(seed);
  return hasher.finish();
}

}  // namespace upbench
