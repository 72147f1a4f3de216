#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/stage_kinds.h"

// What the kinds of stages that run a diffusion model have in common: generate, refine, hires.
namespace upbench {

// Parameters in groups, which the kinds put between their own ones.
std::vector<ParameterKind> model_parameters();     // checkpoint, vae
std::vector<ParameterKind> schedule_parameters();  // sampler, scheduler, steps, eta, guidance, ...
// The prompt itself, as the kind has it, then negative, prompt-dialect, clip-skip, lora
std::vector<ParameterKind> prompt_parameters(ParameterKind prompt);
ParameterKind noise_parameter();
ParameterKind rule_parameter();                 // `as`, of all rules
std::vector<ParameterKind> coder_parameters();  // vae-tiles, ..., precision
ParameterKind posterior_parameter();

void append(std::vector<ParameterKind>& parameters, const std::vector<ParameterKind>& group);

// What a stage {settings, models} knows of the model that this parameter names; nullptr: nothing.
const nlohmann::json* model_of_parameter(const nlohmann::json& stage, const char* parameter);

// Whether an optional parameter is neither absent nor "none".
bool is_given(const nlohmann::json& value);

// The stage of these parameters with the noise levels of this denoise as `levels`, and settings that change
// nothing beside the others at their defaults. Throws as StageKind::settle does.
SettledStage settle_diffusion(const nlohmann::json& parameters, double denoise,
                              const StageKind::FindModel& find_model);
bool has_steps(const nlohmann::json& settings);  // with `levels` or, of seams that are fixed, `seam-levels`
// What `denoise` comes to with the other settings, as `levels` of a stage. Throws std::invalid_argument.
nlohmann::json noise_levels(const nlohmann::json& settings, double denoise, const DiffusionModelFacts& facts);
// The levels as the floats that are computed with: equal ones are equal whatever led to them.
std::string levels_hash(const nlohmann::json& settings, const char* levels = "levels");
// Throws std::invalid_argument for a strength above 1, the parameter of this name, that is no noise level.
void require_strength(const char* kind, const nlohmann::json& parameters, const char* name = "denoise");
void set_default(SettledStage& stage, const char* parameter, nlohmann::json value, const char* why);

// Of the UNet, for a picture: both branches of guidance count.
int evaluations(const nlohmann::json& settings, const char* levels = "levels");

// What the pixels depend on of everything above.
StageEffect diffusion_effect(const nlohmann::json& stage);

}  // namespace upbench
