#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "metrics/artifacts/calibration.h"
#include "metrics/artifacts/detector.h"
#include "reports/statistics/random.h"

// The pictures that detectors are calibrated on: what they are, and what was made of them.
namespace upbench {

// A picture without defects. Images are RGB [3, H, W] in [0, 1], 8-bit levels, CPU.
struct CleanPicture {
  std::string name;  // "text-017", or the stem of a file
  std::string cls;   // class of content: of procedural_classes(), or "photo"
  Image reference;
  Image input;         // reference / scale, matlab-bicubic
  int scale = 2;       // 2 or 4
  Image other;         // another picture of the same size: what does not belong here
  std::uint64_t seed;  // of everything random that is done to it
};

// Which of the program's own pictures, by number: every class in turn, each its own seed. Never of one seed
// with another set.
struct PictureSet {
  std::uint64_t seed = 1;
  int size = 192;  // side, pixels; a multiple of 12
};
CleanPicture clean_picture(const PictureSet& set, std::uint64_t number);

// Cut from the middle of real pictures (all PNG, JPEG, BMP files below the folder, by name), of the set's
// size; smaller ones are left out.
std::vector<CleanPicture> real_pictures(const std::filesystem::path& folder, const PictureSet& set);

// A result to judge, and what the detectors are told of it. Starts as the reference itself.
struct CalibrationCase {
  explicit CalibrationCase(const CleanPicture& picture);
  // This picture instead: reference, the input that follows from it, and the output.
  void start_from(const Image& other_reference);
  // What is known beside the reference, or the input without it. Borrows.
  Subject subject(Evidence evidence) const;

  Image output, reference, input;
  Image base;                            // of a refine stage; undefined: there was none
  bool input_known = true;               // beside a reference; without one it always is
  std::vector<TileBoundary> boundaries;  // of tiles of a third of the side, whether or not they show
  const CleanPicture* picture;
};

// The input of a reference: matlab-bicubic, 8 bit.
Image reduced_input(const Image& reference, int scale);

}  // namespace upbench
