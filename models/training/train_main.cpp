// upbench-train: makes the networks that upbench carries in itself, from procedural pictures alone.
#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/version.h>
#include <CLI/CLI.hpp>

#include "datasets/procedural.h"
#include "models/training/trainer.h"
#include "models/training/training_log.h"

namespace upbench {
namespace {

std::map<std::string, std::string> describe(const TrainingSettings& settings, const TrainingResult& result) {
  return {{"program", "upbench-train"},
          {"architecture", "SRVGGNetCompact"},
          {"license", "Apache-2.0"},
          {"scale", fmt::format("{}", settings.scale)},
          {"features", fmt::format("{}", settings.features)},
          {"convolutions", fmt::format("{}", settings.convolutions)},
          {"trained_on", fmt::format("{} procedural pictures, version {}, {} px, drawn by seed {}: {}",
                                     settings.pictures, kProceduralVersion, settings.picture_size,
                                     settings.seed, fmt::join(procedural_classes(), ", "))},
          {"steps", fmt::format("{} of {} crops of {} px", settings.steps, settings.batch, settings.patch)},
          {"learning_rate", fmt::format("{}", settings.learning_rate)},
          {"held_out_psnr_y",
           fmt::format("{:.3f} (matlab-bicubic {:.3f})", result.held_out_psnr_y, result.held_out_bicubic)}};
}

void run(const TrainingSettings& settings, const std::filesystem::path& out, TrainingLog& log) {
  require_folder(out);
  log.line(fmt::format("# upbench-train, LibTorch {}, {} threads, procedural pictures version {}",
                       TORCH_VERSION, at::get_num_threads(), kProceduralVersion));
  log.line(fmt::format(
      "# scale {} seed {} steps {} features {} convolutions {} patch {} batch {} pictures {} x {} px "
      "learning rate {}",
      settings.scale, settings.seed, settings.steps, settings.features, settings.convolutions, settings.patch,
      settings.batch, settings.pictures, settings.picture_size, settings.learning_rate));
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  log.line("#  step  seconds  learning_rate      loss  held-out PSNR-Y (dB)");
  const TrainingResult result = train(settings, [&](const TrainingProgress& now) {
    log.line(fmt::format("{:7} {:8.1f} {:14.2e} {:9.6f} {:7.3f}", now.step, seconds(), now.learning_rate,
                         now.loss, now.held_out_psnr_y));
  });
  log.line(
      fmt::format("# {} parameters; held-out pictures: {:.3f} dB rounded to fp16, matlab-bicubic {:.3f} dB",
                  result.parameters, result.held_out_psnr_y, result.held_out_bicubic));

  NamedTensors halves;
  for (const auto& [name, tensor] : result.weights) halves[name] = tensor.to(at::kHalf);
  write_safetensors(out, halves, describe(settings, result));
  log.line(fmt::format("# tensors {}, {} bytes", tensor_hash(halves).hex(), std::filesystem::file_size(out)));
}

}  // namespace
}  // namespace upbench

int main(int argc, char** argv) {
  upbench::TrainingSettings settings;
  std::filesystem::path out, log_file;
  int threads = 2;
  CLI::App app(
      "Trains a small SRVGGNetCompact upscaler on procedural pictures; writes safetensors (fp16).\n"
      "Example: upbench-train --scale 2 --out compact-x2.safetensors --log compact-x2.log",
      "upbench-train");
  app.option_defaults()->always_capture_default();
  app.add_option("--out", out, "File to write")->required();
  app.add_option("--scale", settings.scale, "2 to 4");
  app.add_option("--seed", settings.seed, "Of the pictures, the first weights and the crops");
  app.add_option("--steps", settings.steps, "Steps; fixes the schedule of the learning rate too");
  app.add_option("--features", settings.features, "Channels of the inner convolutions");
  app.add_option("--convs", settings.convolutions, "Inner convolutions");
  app.add_option("--patch", settings.patch, "Side of an LR crop, pixels");
  app.add_option("--batch", settings.batch, "Crops a step");
  app.add_option("--pictures", settings.pictures, "Pictures to render");
  app.add_option("--picture-size", settings.picture_size, "Their side, pixels; a multiple of the scale");
  app.add_option("--learning-rate", settings.learning_rate, "Highest rate of Adam");
  app.add_option("--threads", threads, "CPU threads; one makes the weights reproducible bit by bit")
      ->check(CLI::Range(1, 256));
  app.add_option("--log", log_file, "Log file, beside standard output");
  return upbench::run_program(app, argc, argv, [&] {
    at::set_num_threads(threads);
    upbench::TrainingLog log(log_file);
    upbench::run(settings, out, log);
  });
}
