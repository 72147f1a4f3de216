#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "datasets/codec/picture_check.h"
#include "datasets/degradation/settings.h"
#include "datasets/image_set.h"

namespace upbench {

inline constexpr char kManifestName[] = "set.yaml";

struct MakeSetOptions {
  ImageSetSpec source;  // references, with make_lr
  // What inputs suffer, as parse_degradation() reads it but for scale and kernel, which are make_lr's; empty:
  // they are made as a run makes them.
  DegradeText degrade;
  std::string name, licence;
  std::uint64_t seed = 0;
  bool crop =
      false;  // write references cut to a multiple of the scale; false: whole, as they are cut when scored
  bool force =
      false;     // write into a folder that holds files: those of the same names are replaced, none removed
  int jobs = 1;  // pictures at a time
  std::string made_by;  // program and version, for the manifest
  std::function<void(std::size_t done, std::size_t total)> on_progress;  // from the calling thread
  const std::atomic<bool>* stop = nullptr;
  PictureCheck verify = {};  // of each file before it takes its name; a picture that it refuses fails
};

struct MadeSet {
  std::filesystem::path manifest;     // empty: stopped before it was written
  std::size_t pictures = 0;           // in the set
  std::vector<std::string> failures;  // pictures that could not be read or verified, each with its reason
  std::size_t strangers = 0;          // files in the set's folders that are not of it
  std::vector<LeftOut> left_out;      // files of the source that are not named as pictures
};

// Writes FOLDER/hr/NAME.png, FOLDER/lr/NAMEx{scale}.png and, last, FOLDER/set.yaml, each atomically; the same
// bytes for the same pictures, settings and build, with any number of jobs, and a picture's files depend on
// no other picture. References keep 8 or 16 bits, inputs have 8. NAME is the picture's name as safe_text(),
// each part of more than 200 bytes cut and given a digest of the whole. What a degradation draws follows from
// the seed and the bytes of the picture's file. Throws std::invalid_argument for settings or a set that are
// wrong as a whole, a folder that is not empty (unless forced), sources inside it, two pictures for one file;
// std::system_error where a file cannot be written.
MadeSet make_set(const std::filesystem::path& folder, const MakeSetOptions& options);

}  // namespace upbench
