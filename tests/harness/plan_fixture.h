#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/plan.h"

// Specs, pictures and models that exist only as numbers, and what of a plan the tests compare.
namespace upbench::test {

// Of the stages as YAML; x4, psnr-y, no timing.
Spec spec_of(const std::string& pipeline, const std::string& rest = "");
ImageRow picture(const std::string& name, int width, int height, int scale = 4);  // scale 0: no reference

// "NAME_xN" is a network of that scale with weights of its own, 1000 multiply-accumulates a pixel; "NAME_any"
// one of the scales 2 and 4 with 100 and 1000; "copy of X" has the weights of X; "lost" cannot be loaded;
// everything else is an interpolator. Of diffusion models, 1000 a pixel and 100 for the autoencoder, "half"
// cannot refine and "mute" has no vocabulary.
ModelFacts facts_of(const nlohmann::json& model);

PlanInputs inputs_of(std::vector<ImageRow> images);
// Of two pictures, 100 x 80 and 60 x 60.
Plan plan_of(const std::string& pipeline, const std::string& rest = "");
std::string error_of(const Spec& spec, const PlanInputs& inputs);  // "accepted" if there is none

std::set<Digest> outputs(const Plan& plan);
std::map<std::string, std::uint64_t> duplicates(const Plan& plan);  // trials by reason

}  // namespace upbench::test
