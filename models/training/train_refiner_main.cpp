// upbench-train-refiner: makes the small diffusion models that upbench carries in itself, from procedural
// pictures alone.
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
#include "models/training/refiner_trainer.h"
#include "models/training/training_log.h"

namespace upbench {
namespace {

// Steps after which --out is written anew, so that a run that is stopped leaves something.
constexpr int kSavedEvery = 500;

std::map<std::string, std::string> describe(const RefinerSettings& settings, int step) {
  return {{"program", "upbench-train-refiner"},
          {"architecture", "unconditional diffusion model on pixels, LDM names, predicts noise"},
          {"license", "Apache-2.0"},
          {"trained_on", fmt::format("{} procedural pictures, version {}, {} px, drawn by seed {}: {}",
                                     settings.pictures, kProceduralVersion, settings.picture_size,
                                     settings.seed, fmt::join(procedural_classes(), ", "))},
          {"steps", fmt::format("{} of {}, of {} crops of {} px", step, settings.steps, settings.batch,
                                settings.patch)},
          {"learning_rate", fmt::format("{}", settings.learning_rate)}};
}

void run(const RefinerSettings& settings, const std::filesystem::path& out, TrainingLog& log) {
  require_folder(out);
  log.line(fmt::format("# upbench-train-refiner, LibTorch {}, {} threads, procedural pictures version {}",
                       TORCH_VERSION, at::get_num_threads(), kProceduralVersion));
  log.line(
      fmt::format("# seed {} steps {} stop after {} patch {} batch {} pictures {} x {} px learning rate {}",
                  settings.seed, settings.steps, settings.stop_after, settings.patch, settings.batch,
                  settings.pictures, settings.picture_size, settings.learning_rate));
  const auto start = std::chrono::steady_clock::now();
  log.line("#  step  seconds  learning_rate      loss  held-out PSNR (dB) denoised from sigma 0.5, 1, 2");
  const auto write = [&](const NamedTensors& unet, int step) {
    const NamedTensors checkpoint = refiner_checkpoint(unet);
    write_safetensors(out, checkpoint, describe(settings, step));
    log.line(fmt::format("# step {}: tensors {}, {} bytes", step, tensor_hash(checkpoint).hex(),
                         std::filesystem::file_size(out)));
  };
  int written = 0;
  train_refiner(settings, [&](const RefinerProgress& now) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    log.line(fmt::format("{:7} {:8.1f} {:14.2e} {:9.6f} {:7.3f} {:7.3f} {:7.3f}", now.step, seconds.count(),
                         now.learning_rate, now.loss, now.denoised_psnr[0], now.denoised_psnr[1],
                         now.denoised_psnr[2]));
    if (now.is_last || now.step - written >= kSavedEvery) write(*now.weights, written = now.step);
  });
}

}  // namespace
}  // namespace upbench

int main(int argc, char** argv) {
  upbench::RefinerSettings settings;
  std::filesystem::path out, log_file;
  int threads = 2;
  CLI::App app(
      "Trains a small unconditional diffusion model on procedural pictures; writes safetensors\n"
      "(fp16, LDM's names).\n"
      "Example: upbench-train-refiner --out tiny-refiner.safetensors --log tiny-refiner.log",
      "upbench-train-refiner");
  app.option_defaults()->always_capture_default();
  app.add_option("--out", out, "File to write, while it trains too")->required();
  app.add_option("--stop-after", settings.stop_after, "The last step that is made; 0: all");
  app.add_option("--seed", settings.seed, "Of the pictures, the first weights, crops, times and noise");
  app.add_option("--steps", settings.steps, "Steps; fixes the schedule of the learning rate too");
  app.add_option("--patch", settings.patch, "Side of a crop, pixels, even");
  app.add_option("--batch", settings.batch, "Crops a step");
  app.add_option("--pictures", settings.pictures, "Pictures to render");
  app.add_option("--picture-size", settings.picture_size, "Their side, pixels, even");
  app.add_option("--learning-rate", settings.learning_rate, "Highest rate of Adam");
  app.add_option("--report-every", settings.report_every, "Steps between lines of the log");
  app.add_option("--threads", threads, "CPU threads; one makes the weights reproducible bit by bit")
      ->check(CLI::Range(1, 256));
  app.add_option("--log", log_file, "Log file, beside standard output");
  return upbench::run_program(app, argc, argv, [&] {
    at::set_num_threads(threads);
    upbench::TrainingLog log(log_file);
    upbench::run(settings, out, log);
  });
}
