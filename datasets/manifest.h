#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/digest.h"

// A set described by a file: which pictures, exactly (by hash), from where, under which licence. The file is
// YAML, read strictly by harness/spec/manifest.h and written by to_yaml(). Torch-free.
namespace upbench {

struct SetManifest {
  struct Item {
    std::string name;               // unique; default: the stem of hr where there is one, else of file
    std::filesystem::path file;     // the picture: the input where hr is given
    Digest sha256;                  // of the file's bytes
    std::filesystem::path hr;       // its reference; empty: none
    Digest hr_sha256;               // zero without hr
    std::vector<std::string> tags;  // classes, for images.tags
    // How the item was made, by whoever made it; shown, never interpreted.
    std::string from;         // the source picture's name
    Digest from_sha256;       // zero: not said
    std::string degradation;  // settings drawn for this picture
    std::vector<std::string> notes;
  };
  // How the set was made; shown, never interpreted.
  struct Made {
    std::string by;  // program and version
    int scale = 0;
    std::string kernel;
    int kernel_version = 0;
    std::vector<std::string> degrade;  // the settings asked for; empty: none
    int degradation_version = 0;
    std::uint64_t seed = 0;
    bool cropped = false;
  };
  std::string name, licence, source;  // empty: not said
  std::optional<Made> made;
  std::vector<Item> items;
};

// The manifest's file with paths as they are (relative to where it will stand): the same text for the same
// manifest. Names that no YAML text can hold (bytes that are no UTF-8) are written as safe_text().
std::string to_yaml(const SetManifest& manifest);

}  // namespace upbench
