#include "harness/calibration/cases.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "datasets/procedural.h"
#include "datasets/resample.h"
#include "harness/calibration/pixels.h"

namespace upbench {
namespace {

constexpr std::uint64_t kRound = 54;  // pictures: six classes, nine kinds of clean picture

bool is_picture(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".png" || extension == ".jpg" || extension == ".bmp";
}

}  // namespace

CleanPicture clean_picture(const PictureSet& set, std::uint64_t number) {
  const auto& classes = procedural_classes();
  const auto draw = [&](std::uint64_t which, std::uint64_t seed) {
    return to_image(render_procedural(
        {.cls = classes[which % classes.size()], .size = set.size, .seed = seed, .index = which}));
  };
  CleanPicture picture;
  picture.cls = classes[number % classes.size()];
  picture.name = procedural_name({.cls = picture.cls, .size = set.size, .seed = set.seed, .index = number});
  picture.seed = set.seed * 1'000'003 + number;
  picture.reference = draw(number, set.seed);
  picture.other = draw(number + 1, ~set.seed);
  // Every class and kind of clean picture in both.
  picture.scale = number / kRound % 2 == 0 ? 2 : 4;
  picture.input = reduced_input(picture.reference, picture.scale);
  return picture;
}

std::vector<CleanPicture> real_pictures(const std::filesystem::path& folder, const PictureSet& set) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && is_picture(entry.path())) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<CleanPicture> pictures;
  for (const auto& file : files) {
    const Image whole = to_image(decode_file(file));
    if (std::min(whole.size(1), whole.size(2)) < set.size) continue;
    CleanPicture picture{.name = file.stem().string(), .cls = "photo"};
    picture.seed = set.seed * 1'000'003 + pictures.size();
    const Rectangle middle{static_cast<int>(whole.size(2) - set.size) / 2,
                           static_cast<int>(whole.size(1) - set.size) / 2, set.size, set.size};
    picture.reference = quantized(cut(whole, middle).contiguous());
    picture.scale = pictures.size() % 2 == 0 ? 2 : 4;
    picture.input = reduced_input(picture.reference, picture.scale);
    pictures.push_back(std::move(picture));
  }
  for (std::size_t i = 0; i < pictures.size(); ++i)
    pictures[i].other = pictures[(i + 1) % pictures.size()].reference;
  return pictures;
}

Image reduced_input(const Image& reference, int scale) {
  return quantized(resample(reference, static_cast<int>(reference.size(1)) / scale,
                            static_cast<int>(reference.size(2)) / scale, "matlab-bicubic"));
}

CalibrationCase::CalibrationCase(const CleanPicture& clean)
    : output(clean.reference.clone()), reference(clean.reference), input(clean.input), picture(&clean) {
  const auto height = static_cast<int>(output.size(1)), width = static_cast<int>(output.size(2));
  for (int part = 1; part < 3; ++part) {
    const int x = width * part / 3, y = height * part / 3;
    boundaries.push_back({.vertical = true, .position = static_cast<double>(x)});
    boundaries.push_back({.vertical = false, .position = static_cast<double>(y)});
  }
}

void CalibrationCase::start_from(const Image& other_reference) {
  reference = quantized(other_reference);
  output = reference.clone();
  input = reduced_input(reference, picture->scale);
}

Subject CalibrationCase::subject(Evidence evidence) const {
  const bool referenced = evidence == Evidence::reference;
  return {.output = &output,
          .reference = referenced ? &reference : nullptr,
          .input = input_known || !referenced ? &input : nullptr,
          .base = base.defined() ? &base : nullptr,
          .boundaries = boundaries,
          .boundaries_known = true,
          .expected_width = static_cast<int>(reference.size(2)),
          .expected_height = static_cast<int>(reference.size(1))};
}

}  // namespace upbench
