#include "tests/harness/plan_fixture.h"

#include <stdexcept>

namespace upbench::test {

Spec spec_of(const std::string& pipeline, const std::string& rest) {
  return parse_spec(
      "name: t\nimages: {path: photos, lr: {scale: 4}}\nmetrics: [psnr-y]\ntiming: none\npipeline:\n" +
          pipeline + rest,
      "s.yaml", "");
}

ImageRow picture(const std::string& name, int width, int height, int scale) {
  ImageRow image;
  image.name = name;
  image.input = sha256(name);
  image.input_width = width;
  image.input_height = height;
  if (scale > 0) {
    image.reference = sha256(name + " reference");
    image.reference_width = width * scale;
    image.reference_height = height * scale;
  }
  return image;
}

ModelFacts facts_of(const nlohmann::json& model) {
  ModelFacts facts;
  facts.label = model.dump();
  if (model.is_object() && model.contains("diffusion")) {
    const std::string checkpoint = model["diffusion"]["checkpoint"];
    facts.scale = 1;
    facts.tensor_hash = sha256(model.dump());
    facts.macs_per_pixel = 1000;
    facts.diffusion = {.coder_macs_per_pixel = 100,
                       .vocabulary = checkpoint == "mute" ? "" : "words",
                       .latents = checkpoint == "xl" ? LatentSpace{.scale = 0.13025, .family = "sdxl"}
                                                     : LatentSpace{.family = "sd1"},
                       .refusal = checkpoint == "half" ? "it has no vae" : ""};
    return facts;
  }
  if (model.is_object()) {
    facts.scale = 4;
    facts.tensor_hash = sha256(facts.label);
    return facts;
  }
  std::string name = model;
  if (name == "lost") throw std::invalid_argument("unknown model 'lost'");
  if (name.starts_with("copy of ")) name = name.substr(8);
  const std::size_t x = name.rfind("_x");
  const bool any = name.ends_with("_any");
  if (x == std::string::npos && !any) return facts;
  if (any) {
    facts.macs_by_scale = {{2, 100}, {4, 1000}};
    facts.scales = {2, 4};
  } else {
    facts.scale = std::stoi(name.substr(x + 2));
  }
  facts.tensor_hash = sha256(name);
  facts.macs_per_pixel = 1000;
  facts.weight_bytes = 4000;
  return facts;
}

PlanInputs inputs_of(std::vector<ImageRow> images) {
  PlanInputs inputs;
  inputs.images = std::move(images);
  inputs.metrics = {{.name = "psnr-y", .unit = "dB", .convention = {}}};
  inputs.model_facts = facts_of;
  inputs.environment.json = "{}";
  return inputs;
}

Plan plan_of(const std::string& pipeline, const std::string& rest) {
  return make_plan(spec_of(pipeline, rest), inputs_of({picture("a", 100, 80), picture("b", 60, 60)}));
}

std::string error_of(const Spec& spec, const PlanInputs& inputs) {
  try {
    make_plan(spec, inputs);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

std::set<Digest> outputs(const Plan& plan) {
  std::set<Digest> keys;
  for (const TrialRow& trial : plan.rows.trials) keys.insert(trial.output);
  return keys;
}

std::map<std::string, std::uint64_t> duplicates(const Plan& plan) {
  std::map<std::string, std::uint64_t> reasons;
  for (const Duplicates& line : plan.duplicates) reasons[line.reason] = line.trials;
  return reasons;
}

}  // namespace upbench::test
