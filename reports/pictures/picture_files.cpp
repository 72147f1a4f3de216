#include "reports/pictures/picture_files.h"

#include <algorithm>
#include <stdexcept>

#include "datasets/codec/decode.h"
#include "harness/store/kept_names.h"

namespace upbench {
namespace {

// A store may come from elsewhere: what its folder holds is not trusted to be small.
constexpr DecodeLimits kLimits{.max_pixels = 1'000'000'000, .max_expansion = 10'000};

std::optional<Raster> read(const std::filesystem::path& file, int channels = 3) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return {};
  try {
    Raster raster = decode_file(file, kLimits);
    if (raster.channels != channels || raster.bit_depth != 8) return {};
    return raster;
  } catch (const std::runtime_error&) {
    return {};
  }
}

}  // namespace

bool PictureFiles::any_folder() const {
  std::error_code error;
  for (const std::filesystem::path& folder : data_.output_folders)
    if (std::filesystem::is_directory(folder, error)) return true;
  return false;
}

bool PictureFiles::has_output(const RunData::Trial& trial) const {
  std::error_code error;
  return !trial.pixels.is_zero() && trial.store < data_.output_folders.size() &&
         std::filesystem::is_regular_file(data_.output_folders[trial.store] / kept_output_name(trial.pixels),
                                          error);
}

std::optional<Raster> PictureFiles::output(const RunData::Trial& trial) const {
  if (!has_output(trial)) return {};
  return read(data_.output_folders[trial.store] / kept_output_name(trial.pixels));
}

std::optional<Raster> PictureFiles::map(const RunData::Trial& trial, const RunData::Map& map) const {
  const std::filesystem::path name = map.file;
  const bool inside = name.is_relative() && std::ranges::none_of(name, [](const std::filesystem::path& part) {
                        return part == "..";
                      });
  if (!inside || trial.store >= data_.output_folders.size()) return {};
  return read(data_.output_folders[trial.store] / name, 1);
}

std::optional<Raster> PictureFiles::input(std::uint32_t image) const {
  return of_set(kept_input_name(data_.plan.images[image].key));
}

std::optional<Raster> PictureFiles::reference(std::uint32_t image) const {
  return of_set(kept_reference_name(data_.plan.images[image].key));
}

std::optional<Raster> PictureFiles::of_set(const std::string& name) const {
  for (const std::filesystem::path& folder : data_.output_folders)
    if (std::optional<Raster> raster = read(folder / name)) return raster;
  return {};
}

}  // namespace upbench
