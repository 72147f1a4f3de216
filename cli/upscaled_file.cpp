#include "cli/upscaled_file.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/codec/encode.h"
#include "datasets/codec/picture_check.h"
#include "datasets/image.h"
#include "datasets/safe_text.h"
#include "harness/environment.h"

namespace upbench {
namespace {

constexpr int kLongestWebpSide = 16383;

std::string text_of(const nlohmann::json& value) {
  return safe_text(value.is_string() ? value.get<std::string>() : value.dump());
}

// Without the folders of the machine: pictures are passed on.
std::string model_name(const nlohmann::json& settings) {
  return safe_text(std::filesystem::path(settings.at("model").get<std::string>()).filename().string());
}

void add_tile(const nlohmann::json& settings, PictureParameters& parameters) {
  const auto add = [&](const char* name, const char* key) {
    parameters.fields.emplace_back(name, text_of(settings.at(key)));
  };
  add("Tile", "tile");
  if (settings.at("tile") == "none") return;
  add("Tile mode", "mode");
  settings.at("mode") == "core-context" ? add("Tile context", "context") : add("Tile overlap", "overlap");
}

std::vector<std::uint8_t> encode(const std::filesystem::path& file, const Raster& raster,
                                 UpscaledFormat format, const PictureParameters& parameters) {
  if (format != UpscaledFormat::webp)
    return encode_png(raster, {.level = 6, .text = parameter_chunks(parameters)});
  if (std::max(raster.width, raster.height) > kLongestWebpSide)
    throw std::runtime_error(
        fmt::format("{}: {} x {} is too large for WebP, expected at most {} pixels a side: "
                    "--format png takes it",
                    file.string(), raster.width, raster.height, kLongestWebpSide));
  return encode_webp(raster);
}

}  // namespace

const std::vector<std::string>& upscaled_format_names() {
  static const std::vector<std::string> names = {"png", "png16", "webp"};
  return names;
}

UpscaledFormat parse_upscaled_format(const std::string& name) {
  const auto& names = upscaled_format_names();
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    throw std::invalid_argument(fmt::format("format '{}': expected png, png16 or webp", name));
  return static_cast<UpscaledFormat>(found - names.begin());
}

std::string suffix_of(UpscaledFormat format) {
  return format == UpscaledFormat::webp ? ".webp" : ".png";
}

PictureParameters upscaled_parameters(const Making& making) {
  PictureParameters parameters;
  auto& fields = parameters.fields;
  const nlohmann::json& settings = making.settings;
  fields.emplace_back("Postprocess upscaler", model_name(settings));
  fields.emplace_back("Postprocess upscale by", fmt::format("{:g}", making.scale));
  const Digest tensors = parse_digest(making.used.at("tensor_hash").get<std::string>());
  if (!tensors.is_zero()) fields.emplace_back("Tensor hash", tensors.hex());
  add_tile(settings, parameters);
  for (const auto& [name, key] :
       {std::pair{"Padding", "padding"}, {"Precision", "precision"}, {"Fit", "fit"}})
    fields.emplace_back(name, text_of(settings.at(key)));
  if (settings.contains("input-range"))
    fields.emplace_back("Input range", text_of(settings.at("input-range")));
  fields.emplace_back("Input", safe_text(making.input_name));
  fields.emplace_back("Input SHA-256", making.input.hex());
  fields.emplace_back("Program", "upbench " + program_version());
  nlohmann::json shown = settings;
  shown["model"] = model_name(settings);
  parameters.json = nlohmann::json{{"upbench", program_version()},
                                   {"settings", shown},
                                   {"used", making.used},
                                   {"scale", making.scale},
                                   {"input",
                                    {{"name", safe_text(making.input_name)},
                                     {"sha256", making.input.hex()},
                                     {"notes", making.input_notes}}}}
                        .dump();
  return parameters;
}

void write_upscaled(const std::filesystem::path& file, const Image& image, UpscaledFormat format,
                    const PictureParameters& parameters, bool verify) {
  const Raster raster = to_raster(image, format == UpscaledFormat::png16 ? 16 : 8);
  const PictureCheck check = verify ? require_decodes_to : PictureCheck();
  write_file_atomically(file, encode(file, raster, format, parameters), read_back_check(check, raster));
}

}  // namespace upbench
