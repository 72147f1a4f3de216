#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/picture_limit.h"
#include "cli/upscaled_file.h"
#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "datasets/safe_text.h"
#include "harness/device.h"
#include "harness/stages/stage.h"
#include "models/checkpoint/checkpoint.h"

namespace upbench {
namespace {

struct UpscaleCommandOptions {
  std::vector<std::filesystem::path> images;
  std::string model, param_key;
  std::vector<std::filesystem::path> model_dirs;
  std::filesystem::path folder = ".";
  int scale = 0, tile = 0, overlap = 0, context = 10, threads = 0, max_megapixels = 0;
  std::string mode = "core-context", precision = "fp32", device = "auto", fit = "none", padding = "authors",
              input_range = "authors", format = "png";
  bool raw = false, verify = false;
};

nlohmann::json stage_settings(const UpscaleCommandOptions& options) {
  nlohmann::json settings = {
      {"model", options.param_key.empty() ? options.model : options.model + "@" + options.param_key},
      {"tile", options.tile > 0 ? nlohmann::json(options.tile) : nlohmann::json("none")},
      {"overlap", options.overlap},
      {"context", options.context},
      {"mode", options.mode},
      {"precision", options.precision},
      {"fit", options.fit},
      {"padding", options.padding}};
  if (options.input_range != "authors") settings["input-range"] = options.input_range;
  return settings;
}

std::filesystem::path result_file(const std::filesystem::path& image, const UpscaleCommandOptions& options) {
  return options.folder / (image.stem().string() + suffix_of(parse_upscaled_format(options.format)));
}

// What decoding did to the picture. A PNG of the result says so, too; other formats cannot.
void print_notes(const std::filesystem::path& file, const std::vector<std::string>& notes) {
  for (const std::string& note : notes)
    fmt::print(stderr, "upbench: note: {}\n", safe_text(fmt::format("{}: {}", file.string(), note)));
}

// One picture through the same stage that `run` uses, saved as `run` would save it.
void upscale_one(const std::filesystem::path& file, const Stage& stage, const StageContext& context,
                 const UpscaleCommandOptions& options, const nlohmann::json& settings) {
  const std::vector<std::uint8_t> bytes = read_bytes(file);
  const Raster decoded = decode(bytes, file.string(), limited_to(options.max_megapixels));
  print_notes(file, decoded.notes);
  const Image input = to_image(decoded).to(context.device);
  nlohmann::json used;
  const PictureSize wanted{static_cast<int>(input.size(2)) * options.scale,
                           static_cast<int>(input.size(1)) * options.scale};
  const Frame frame = stage.run({.rgb = input, .target = wanted}, context, used);
  const UpscaledFormat format = parse_upscaled_format(options.format);
  const auto result = result_file(file, options);
  const Making making{.settings = settings,
                      .used = used,
                      .input_name = file.filename().string(),
                      .input = Hasher().add(bytes.data(), bytes.size()).finish(),
                      .input_notes = decoded.notes,
                      .scale = static_cast<double>(frame.rgb.size(2)) / static_cast<double>(input.size(2))};
  write_upscaled(result, frame.rgb, format, upscaled_parameters(making), options.verify);
  if (options.raw)
    write_safetensors(options.folder / (file.stem().string() + ".safetensors"),
                      {{"image", frame.rgb.cpu().contiguous()}});
  fmt::print("{}: {} x {} -> {} x {}{}\n", result.string(), input.size(2), input.size(1), frame.rgb.size(2),
             frame.rgb.size(1), options.verify ? ", read back" : "");
}

// Two results of one name, or a result in the place of an input.
void refuse_name_clashes(const UpscaleCommandOptions& options) {
  std::map<std::filesystem::path, std::filesystem::path> image_of;
  for (const auto& image : options.images) {
    const auto [other, fresh] = image_of.emplace(result_file(image, options), image);
    if (!fresh)
      throw std::invalid_argument(
          fmt::format("{} and {} would both be written to {}: expected different names",
                      other->second.string(), image.string(), other->first.string()));
  }
  std::error_code missing;  // no such file: nothing is in the way
  for (const auto& image : options.images)
    for (const auto& [result, from] : image_of)
      if (std::filesystem::equivalent(result, image, missing))
        throw std::invalid_argument(fmt::format("{} would be written over {}: expected another folder (-o)",
                                                from.string(), image.string()));
}

int run_upscale(const UpscaleCommandOptions& options) {
  refuse_name_clashes(options);
  const nlohmann::json settings = stage_settings(options);
  const auto stage = make_upscale_stage("upscale", settings);
  const DeviceInfo device = open_device(options.device);
  set_operator_threads(options.threads > 0 ? options.threads : available_threads());
  ModelCache models({.spec_dir = ".", .model_dirs = options.model_dirs}, std::size_t{1} << 30);
  std::filesystem::create_directories(options.folder);
  const std::unordered_map<std::string, ModelFacts> nothing_planned;
  int failed = 0;
  models.get(settings["model"], device.name,
             parse_precision(options.precision));  // a wrong model is one error, not one a picture
  for (const auto& image : options.images) {
    try {
      upscale_one(image, *stage, {models, device.name, nothing_planned}, options, settings);
    } catch (const std::runtime_error& error) {
      fmt::print(stderr, "upbench: {}\n", error.what());
      ++failed;
    }
  }
  return failed > 0 ? exit_incomplete : exit_ok;
}

}  // namespace

void add_upscale_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<UpscaleCommandOptions>();
  CLI::App* command =
      program.add_subcommand("upscale", "Upscale pictures with the same pipeline that `run` measures");
  command->add_option("IMAGE", options->images, "Pictures")->required();
  command->add_option("--model", options->model, "Built-in name (upbench list models) or checkpoint file")
      ->required();
  command
      ->add_option("--param-key", options->param_key,
                   "Take the file's tensors under this key (params_ema); the same as --model FILE@KEY")
      ->type_name("KEY");
  command
      ->add_option("--models", options->model_dirs,
                   "Folder to look for model files by name (may be repeated)")
      ->type_name("DIR");
  command->add_option("-o,--output", options->folder, "Folder for the results, NAME.png or NAME.webp")
      ->capture_default_str()
      ->type_name("DIR");
  command
      ->add_option("--scale", options->scale,
                   "For models without a scale of their own (interpolators, CARN-M, VDSR, PAN and old ESRGAN "
                   "of x2 or x3), or with --fit: how much larger")
      ->check(CLI::Range(1, 16));
  command->add_option("--tile", options->tile, "Tile side in input pixels; 0: the whole picture")
      ->check(CLI::Range(0, 65536));
  command->add_option("--overlap", options->overlap, "Input pixels shared by neighbours (blending modes)")
      ->check(CLI::Range(0, 65536));
  command
      ->add_option("--context", options->context,
                   "Input pixels read around a tile and thrown away (core-context)")
      ->capture_default_str()
      ->check(CLI::Range(0, 65536));
  command->add_option("--mode", options->mode, "core-context, even-ramp, stride-feather, half-sine, uniform")
      ->capture_default_str();
  command->add_option("--fit", options->fit, "a1111: repeat the model, then Lanczos, to reach --scale")
      ->check(CLI::IsMember({"none", "a1111"}))
      ->capture_default_str();
  command
      ->add_option(
          "--padding", options->padding,
          "How pictures are brought to sizes that the network takes: as its authors do, or as spandrel "
          "(ComfyUI, chaiNNer) does; differs for CRAFT, DCTLSA, SAFMN++, Real-ESRGAN x2")
      ->check(CLI::IsMember({"authors", "spandrel"}))
      ->capture_default_str();
  command
      ->add_option("--input-range", options->input_range,
                   "Of the values that a network computes on, where its file does not tell (RFDN, RLFN): as "
                   "its authors', 0..255 or 0..1")
      ->check(CLI::IsMember({"authors", "0..255", "0..1"}))
      ->capture_default_str();
  command->add_option("--precision", options->precision, "fp32, fp16, bf16")->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu or cuda:N")->capture_default_str();
  command->add_option("--threads", options->threads, "Processors to use; 0: every one available")
      ->check(CLI::Range(0, 4096));
  command
      ->add_option("--format", options->format,
                   "png: 8 bit; png16: 16 bit; both carry how they were made. webp: 8 bit, lossless, without")
      ->check(CLI::IsMember(upscaled_format_names()))
      ->capture_default_str();
  command->add_flag("--verify", options->verify,
                    "Read each file back and compare its pixels before it takes its name");
  add_max_megapixels(*command, options->max_megapixels);
  command->add_flag("--raw", options->raw,
                    "Also write NAME.safetensors: unclamped float32 `image` [3, H, W]");
  command->footer(
      "What decoding does to a picture (alpha, colour profile, ...) is noted on stderr.\n"
      "Example:\n  upbench upscale photo.png --model RealESRGAN_x4plus.pth --tile 256 -o upscaled");
  command->callback([options, &chosen] { chosen = [options] { return run_upscale(*options); }; });
}

}  // namespace upbench
