#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "datasets/codec/parameters.h"
#include "datasets/digest.h"
#include "datasets/image_fwd.h"

// How `upbench upscale` writes a picture: which format, with what in it.
namespace upbench {

enum class UpscaledFormat { png, png16, webp };
// "png", "png16", "webp", in the order of the enumeration.
const std::vector<std::string>& upscaled_format_names();
UpscaledFormat parse_upscaled_format(const std::string& name);  // std::invalid_argument for any other
std::string suffix_of(UpscaledFormat format);                   // ".png"

// What the picture says of its making.
struct Making {
  nlohmann::json settings, used;  // of the upscale stage: as asked, and what it did
  std::string input_name;         // without folders
  Digest input;                   // SHA-256 of the file
  std::vector<std::string> input_notes;
  double scale = 0;  // output side / input side
};

// A line that the web UI of A1111 and its relatives show ("Postprocess upscaler" and "Postprocess upscale by"
// are their names for model and scale; nothing there is taken for a setting of theirs), and as JSON
// {upbench, settings, used, input: {name, sha256, notes}, scale}.
PictureParameters upscaled_parameters(const Making& making);

// Writes it atomically, 8 bit or for png16 16 bit; WebP is lossless and carries no parameters. verify: what
// stands on the disk is read back and decoded before it takes its name. Throws std::runtime_error where the
// picture is too large for WebP or does not come back as it was, std::system_error where it cannot be
// written.
void write_upscaled(const std::filesystem::path& file, const Image& image, UpscaledFormat format,
                    const PictureParameters& parameters, bool verify);

}  // namespace upbench
