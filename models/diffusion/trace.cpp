#include "models/diffusion/trace.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/sampling/named_row.h"

namespace upbench {
namespace {

// What a request gives, asked for by name.
class Inputs {
 public:
  Inputs(const DiffusionModel& model, const NamedTensors& tensors) : model_(model), tensors_(tensors) {}

  void allow(const std::vector<std::string>& names) const {
    for (const auto& [name, tensor] : tensors_)
      if (std::ranges::find(names, name) == names.end())
        throw std::invalid_argument(
            fmt::format("input '{}' is not used here, expected some of {}", name, fmt::join(names, ", ")));
  }
  // On the model's device: numbers as float32, ids as they are. Undefined where there is none.
  at::Tensor find(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) return {};
    const at::Tensor& tensor = found->second;
    return tensor.is_floating_point() ? tensor.to(model_.device(), at::kFloat) : tensor.to(model_.device());
  }
  at::Tensor get(const std::string& name) const {
    at::Tensor tensor = find(name);
    if (!tensor.defined()) throw std::invalid_argument(fmt::format("no input '{}'", name));
    return tensor;
  }
  bool has(const std::string& name) const { return tensors_.contains(name); }

 private:
  const DiffusionModel& model_;
  const NamedTensors& tensors_;
};

const std::vector<std::string> kUNetInputs = {"latents", "timesteps", "context", "vector", "labels", "hint"};

UNetInput unet_input(const Inputs& inputs) {
  UNetInput input;
  input.latents = inputs.get("latents");
  input.timesteps = inputs.get("timesteps").to(at::kFloat);
  input.context = inputs.get("context");
  input.vector = inputs.find("vector");
  input.labels = inputs.find("labels");
  return input;
}

NamedTensors run_unet(const DiffusionModel& model, const Inputs& inputs) {
  inputs.allow(kUNetInputs);
  UNetInput input = unet_input(inputs);
  if (inputs.has("hint")) input.control = model.control_net()(input, inputs.get("hint"));
  return {{"noise_pred", model.unet()(input)}};
}

NamedTensors run_control_net(const DiffusionModel& model, const Inputs& inputs) {
  inputs.allow(kUNetInputs);
  const std::vector<at::Tensor> residuals = model.control_net()(unet_input(inputs), inputs.get("hint"));
  NamedTensors made;
  for (std::size_t i = 0; i + 1 < residuals.size(); ++i) made[fmt::format("down.{}", i)] = residuals[i];
  made["middle"] = residuals.back();
  return made;
}

NamedTensors run_encoder(const DiffusionModel& model, const Inputs& inputs) {
  inputs.allow({"image"});
  const Posterior made = model.coder()->encode(inputs.get("image"));
  NamedTensors tensors{{"mean", made.mean}};
  if (made.logvar.defined()) tensors["logvar"] = made.logvar;
  return tensors;
}

NamedTensors run_decoder(const DiffusionModel& model, const Inputs& inputs) {
  inputs.allow({"latents"});
  return {{"decoded", model.coder()->decode(inputs.get("latents"))}};
}

// The encoders' states side by side, where there are several.
NamedTensors run_text(const DiffusionModel& model, const Inputs& inputs) {
  inputs.allow({"input_ids"});
  const at::Tensor ids = inputs.get("input_ids").to(at::kLong);
  std::vector<at::Tensor> last, before_last;
  NamedTensors made;
  for (const ClipTextFunction& encode : model.text()) {
    const TextStates states = encode(ids, 1);
    last.push_back(states.last);
    before_last.push_back(states.skipped);
    made["pooler_output"] = states.pooled;
  }
  made["last_hidden_state"] = at::cat(last, -1);
  made["hidden_state_before_last_layer"] = at::cat(before_last, -1);
  return made;
}

struct PartFunction {
  TracePart row;
  NamedTensors (*run)(const DiffusionModel&, const Inputs&);
};

const std::vector<PartFunction>& part_functions() {
  static const std::vector<PartFunction> parts = {
      {{"unet",
        {"latents", "timesteps", "context"},
        "one forward: noise_pred; vector, labels where it takes them; hint through a ControlNet"},
       run_unet},
      {{"controlnet",
        {"latents", "timesteps", "context", "hint"},
        "its residuals: down.0, down.1, ..., middle"},
       run_control_net},
      {{"vae-encode", {"image"}, "mean and logvar, unscaled, of pictures in [-1, 1]"}, run_encoder},
      {{"vae-decode", {"latents"}, "decoded, of unscaled latents"}, run_decoder},
      {{"text", {"input_ids"}, "last_hidden_state, hidden_state_before_last_layer (no norm), pooler_output"},
       run_text},
  };
  return parts;
}

NamedTensors on_the_host(NamedTensors tensors) {
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kCPU, at::kFloat).contiguous();
  return tensors;
}

at::Tensor row(const at::Tensor& tensor, std::int64_t index) {
  return tensor.defined() ? tensor.narrow(0, index, 1) : tensor;
}

Conditioning conditioning_of(const DiffusionModel& model, const Inputs& inputs) {
  if (inputs.has("context") == inputs.has("input_ids"))
    throw std::invalid_argument("expected one of the inputs context and input_ids");
  const at::Tensor context = inputs.has("context")
                                 ? inputs.get("context")
                                 : model.text().front()(inputs.get("input_ids").to(at::kLong), 1).last;
  if (context.dim() != 3 || context.size(0) < 1 || context.size(0) > 2)
    throw std::invalid_argument(
        fmt::format("context is [{}], expected [2, L, D] (negative prompt, prompt) or [1, L, D]",
                    fmt::join(context.sizes(), ", ")));
  const at::Tensor vector = inputs.find("vector");
  if (vector.defined() && vector.size(0) != context.size(0))
    throw std::invalid_argument("vector has not as many rows as context");
  Conditioning made;
  const std::int64_t last = context.size(0) - 1;
  made.cond = row(context, last);
  made.cond_vector = row(vector, last);
  if (last == 1) {
    made.uncond = row(context, 0);
    made.uncond_vector = row(vector, 0);
  }
  made.labels = inputs.find("labels");
  made.hint = inputs.find("hint");
  return made;
}

// Draws in the order in which they were given.
NoiseFunction given_noise(const at::Tensor& draws, const at::Tensor& like) {
  return [draws, like, next = std::int64_t{0}]() mutable {
    if (!draws.defined() || next >= draws.size(0))
      throw std::invalid_argument(fmt::format("step_noise has {} draws, the sampler asks for more",
                                              draws.defined() ? draws.size(0) : 0));
    return draws[next++].reshape(like.sizes());
  };
}

at::Tensor as_tensor(const std::vector<double>& numbers) {
  return at::tensor(numbers, at::kDouble);
}

}  // namespace

const std::vector<TracePart>& trace_parts() {
  static const std::vector<TracePart> rows = [] {
    std::vector<TracePart> made;
    for (const PartFunction& part : part_functions()) made.push_back(part.row);
    return made;
  }();
  return rows;
}

NamedTensors trace_part(const DiffusionModel& model, std::string_view part, const NamedTensors& inputs) {
  (void)named_row(trace_parts(), part, "part");
  const auto found =
      std::ranges::find(part_functions(), part, [](const PartFunction& p) { return p.row.name; });
  return on_the_host(found->run(model, Inputs(model, inputs)));
}

NamedTensors trace_run(const DiffusionModel& model, const LatentRun& run, const NamedTensors& given) {
  const Inputs inputs(model, given);
  inputs.allow(
      {"init_latents", "image", "noise", "step_noise", "context", "input_ids", "vector", "labels", "hint"});
  if (inputs.has("init_latents") == inputs.has("image"))
    throw std::invalid_argument("expected one of the inputs init_latents and image");
  const at::Tensor start = inputs.has("init_latents")
                               ? inputs.get("init_latents")
                               : encode_picture(model, {}, (inputs.get("image") + 1) / 2).result;
  std::vector<at::Tensor> seen;
  const auto keep = [&](std::size_t step, const at::Tensor& x) {
    seen.push_back(x * run.steps.tool_scale(run.steps.sigmas.at(step)));
  };
  const SampledLatents made =
      sample_latents(model, start, conditioning_of(model, inputs), run, inputs.get("noise"),
                     given_noise(inputs.find("step_noise"), start), keep);
  NamedTensors out{{"latents", at::cat(seen)},
                   {"sigmas", as_tensor(run.steps.sigmas)},
                   {"timesteps", as_tensor(run.steps.timesteps)}};
  if (model.facts().autoencoder || model.facts().tiny_autoencoder)
    out["decoded"] = decode_latents(model, {}, made.latents).result * 2 - 1;
  return on_the_host(std::move(out));
}

}  // namespace upbench
