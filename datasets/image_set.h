#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/digest.h"
#include "datasets/image_fwd.h"

namespace upbench {

// Which pictures: the `images` part of a spec. Exactly one of path, hr (+ lr), lr alone, procedural.
struct ImageSetSpec {
  struct LowResolution {  // how LR is made where only HR is given
    int scale = 4;        // 1..16
    std::string kernel = "matlab-bicubic";
  };
  struct Procedural {
    std::vector<std::string> classes;  // empty: all six
    int count = 6;                     // pictures in all, classes in turn
    int size = 192;                    // HR side, pixels
    std::uint64_t seed = 1;
  };
  std::filesystem::path path;    // HR folder or file; LR made from it
  std::filesystem::path hr, lr;  // folders or files that exist as pairs; lr alone: no reference
  std::string match;  // LR name for an HR name, e.g. "{name}x4"; empty: equal, or one x{scale} suffix
  std::optional<LowResolution> make_lr;
  std::optional<Procedural> procedural;
  bool same_size = false;      // pairs are finished pictures and references: scale 1 whatever their names say
  bool cut_reference = false;  // a larger reference is cut at right and bottom, by however much
  std::int64_t limit = 0;      // first N in name order; 0: all
};

// One picture of a set, before anything is decoded.
struct ImageItem {
  std::string name;              // unique in the set; the HR stem
  std::filesystem::path lr, hr;  // empty where there is none
  std::uint64_t procedural_index = 0;
  std::string problem;  // not empty: this item cannot be used, and why (missing partner, ...)
};

// In name order, never paired by index. Throws std::invalid_argument when the set itself is wrong (no such
// folder, two files of one stem, no pictures at all).
std::vector<ImageItem> list_items(const ImageSetSpec& spec);

// What identifies an item's pixels: file bytes + decoder version (+ how LR is made). The item's files are
// read once.
struct ItemIdentity {
  Digest input;
  Digest reference;  // zero: no reference
  int input_width = 0, input_height = 0;
  int reference_width = 0, reference_height = 0;  // after the cut
  int scale = 0;                                  // reference size / input size; 0 without reference
  std::vector<std::string> notes;                 // "reference cut from 510x480 to 508x480"
};
// Reads headers and hashes; throws std::runtime_error naming the file and the reason (unreadable, sizes do
// not fit).
ItemIdentity identify(const ImageSetSpec& spec, const ImageItem& item);

}  // namespace upbench
