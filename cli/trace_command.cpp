#include <filesystem>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "harness/device.h"
#include "harness/model_cache.h"
#include "models/diffusion/trace.h"
#include "models/network_upscaler.h"

namespace upbench {
namespace {

struct TraceOptions {
  DiffusionFiles files;
  std::filesystem::path inputs, output;
  std::string part, sampler = "euler", scheduler = "uniform", as = "a1111", prediction, precision = "fp32",
                    device = "auto";
  int steps = 20;
  double denoise = 0.5, guidance = 7.5, guidance_rescale = 0;
  std::optional<double> eta;
};

DiffusionModel load(const TraceOptions& options) {
  DiffusionTensors tensors = read_diffusion(options.files);
  if (tensors.parts.empty())
    throw std::invalid_argument("no model: expected --checkpoint, or parts by --unet, --vae, --text-encoder");
  if (!options.prediction.empty()) tensors.config.prediction = parse_prediction(options.prediction);
  const std::string device = open_device(options.device).name;
  require_precision(options.precision, device);
  return {std::move(tensors), at::Device(device), dtype_of(parse_precision(options.precision))};
}

LatentRun run_of(const TraceOptions& options, const NoiseSchedule& noise) {
  LatentRun run;
  run.sampler = parse_sampler(options.sampler);
  run.sampler_options.eta = options.eta;
  run.steps = denoise_steps(parse_denoise_rule(options.as), options.denoise, options.steps,
                            parse_scheduler(options.scheduler), noise, {.sampler = run.sampler, .rho = {}});
  run.guidance = options.guidance;
  run.guidance_rescale = options.guidance_rescale;
  return run;
}

int trace(const TraceOptions& options) {
  const at::NoGradGuard no_gradients;
  const NamedTensors inputs = read_checkpoint(options.inputs).tensors;
  const DiffusionModel model = load(options);
  const NamedTensors made = options.part.empty()
                                ? trace_run(model, run_of(options, model.facts().noise), inputs)
                                : trace_part(model, options.part, inputs);
  write_safetensors(options.output, made, {{"model", describe(model.facts())}});
  fmt::print("{}\n", describe(model.facts()));
  for (const auto& [name, tensor] : made)
    fmt::print("  {:<32} [{}]\n", name, fmt::join(tensor.sizes(), ", "));
  fmt::print("written to {}\n", options.output.string());
  return exit_ok;
}

void add_model_options(CLI::App& command, TraceOptions& options) {
  command
      .add_option("--checkpoint", options.files.checkpoint,
                  "A whole model: one file as LDM names it, or a diffusers folder")
      ->type_name("FILE");
  command.add_option("--unet", options.files.unet, "Its UNet, or in the checkpoint's place")
      ->type_name("FILE");
  command.add_option("--vae", options.files.vae, "Its autoencoder, or in the checkpoint's place")
      ->type_name("FILE");
  command
      .add_option("--text-encoder", options.files.text_encoders,
                  "Its text encoder; SDXL: twice, CLIP-L first")
      ->type_name("FILE");
  command.add_option("--control-net", options.files.control_net, "A ControlNet, for the input `hint`")
      ->type_name("FILE");
  command.add_option("--prediction", options.prediction, "epsilon or v; by default as the file says")
      ->type_name("KIND");
}

void add_run_options(CLI::App& command, TraceOptions& options) {
  command.add_option("--sampler", options.sampler, "As `upbench list samplers` names it")
      ->capture_default_str();
  command.add_option("--scheduler", options.scheduler, "As `upbench list schedulers` names it")
      ->capture_default_str();
  command.add_option("--steps", options.steps, "As the user sets them")->capture_default_str();
  command.add_option("--denoise", options.denoise, "Strength; with --as sigma the start sigma")
      ->capture_default_str();
  command.add_option("--as", options.as, "Whose rule (`upbench list denoise`) says what denoise means")
      ->capture_default_str();
  command.add_option("--guidance", options.guidance, "CFG scale; 1: the prompt alone")->capture_default_str();
  command.add_option("--guidance-rescale", options.guidance_rescale, "CFG rescale, 0 to 1")
      ->capture_default_str();
  command.add_option("--eta", options.eta, "Share of noise drawn anew; by default the sampler's own");
}

}  // namespace

void add_trace_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<TraceOptions>();
  CLI::App* command = program.add_subcommand(
      "trace", "Run one part of a diffusion model, or a whole img2img run, on given tensors");
  add_model_options(*command, *options);
  std::vector<std::string> parts;
  for (const TracePart& part : trace_parts()) parts.push_back(part.name);
  command
      ->add_option("--part", options->part,
                   fmt::format("One forward of this part instead of a run: {}", fmt::join(parts, ", ")))
      ->type_name("PART");
  add_run_options(*command, *options);
  command->add_option("--inputs", options->inputs, "Tensors by name: .safetensors")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--output", options->output, "Where the results go: .safetensors")
      ->required()
      ->type_name("FILE");
  command->add_option("--precision", options->precision, "fp32, tf32, fp16, bf16")->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu, cuda:N")->capture_default_str();
  command->footer(
      "Tensors in and out: docs/diffusion.md.\n"
      "Examples:\n"
      "  upbench trace --unet unet.safetensors --part unet --inputs in.safetensors -o out.safetensors\n"
      "  upbench trace --checkpoint sd15.safetensors --inputs in.safetensors -o out.safetensors "
      "--sampler dpmpp-2m --scheduler karras --steps 20 --denoise 0.4 --as a1111");
  command->callback([options, &chosen] { chosen = [options] { return trace(*options); }; });
}

}  // namespace upbench
