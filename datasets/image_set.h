#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/digest.h"
#include "datasets/image_fwd.h"
#include "datasets/manifest.h"

namespace upbench {

// Which pictures: the `images` part of a spec, or the prompts of `generate`. Exactly one of path, list, hr
// (+ lr), lr alone, manifest, procedural, prompts. path, hr and lr are folders, files, patterns or lists: see
// find_pictures().
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
  std::filesystem::path path;               // HR; LR made from it
  std::vector<std::filesystem::path> list;  // as path, file by file
  std::filesystem::path hr, lr;             // exist as pairs; lr alone: no reference
  std::string match;  // LR name for an HR name, e.g. "{name}x4"; empty: equal, or one x{scale} suffix
  // Inputs, with references where it names any; with make_lr: references, LR made from them.
  std::shared_ptr<const SetManifest> manifest;
  std::filesystem::path manifest_file;  // where it was read, for messages
  std::vector<std::string> tags;        // of the manifest, the items that have one of these; empty: all
  std::optional<LowResolution> make_lr;
  std::optional<Procedural> procedural;
  std::vector<std::string> prompts;  // of `generate`: an item each, without files; may be empty texts
  bool same_size = false;      // pairs are finished pictures and references: scale 1 whatever their names say
  bool cut_reference = false;  // a larger reference is cut at right and bottom, by however much
  std::int64_t limit = 0;      // first N in name order; 0: all
  int max_megapixels = 0;      // larger pictures are refused; 0: as DecodeLimits says
  bool lenient = false;        // as DecodeLimits says; every JPEG is then decoded to identify it
};

// One picture of a set, before anything is decoded.
struct ImageItem {
  std::string name;              // unique in the set; the HR stem
  std::filesystem::path lr, hr;  // empty where there is none
  std::uint64_t procedural_index = 0;
  std::optional<std::string> prompt;  // that the picture is made from; it has no files then
  std::string problem;                // not empty: this item cannot be used, and why (missing partner, ...)
  Digest lr_sha256, hr_sha256;        // what a manifest says of the files; zero: nothing
  std::vector<std::string> notes;     // what a manifest says of the making
};

// Several files for one name.
struct SetConflict {
  std::string item;            // that cannot be used for it
  std::filesystem::path file;  // the second one
  std::string text;            // names all of them
};

// Files of a folder, or that fit a pattern, that are not named as pictures and are no items for that.
struct LeftOut {
  std::filesystem::path source;              // as the spec names it
  std::map<std::string, std::size_t> files;  // by suffix: see FoundPictures
};
// "hr: 3 files left out that are not named as pictures: 2 .txt, 1 .db"
std::string left_out_note(const LeftOut& left_out);

struct SetListing {
  std::vector<ImageItem> items;  // in name order, never paired by index
  std::vector<SetConflict> conflicts;
  std::vector<LeftOut> left_out;  // of each source that has some, references first
};

// Every file, also those of one name. Throws std::invalid_argument when there is nothing to list (no such
// folder, no pictures at all, a contradiction in the spec).
SetListing list_set(const ImageSetSpec& spec);

// What a run works on: of several items of one name one is left, and the conflict is its problem.
SetListing list_merged(const ImageSetSpec& spec);
std::vector<ImageItem> list_items(const ImageSetSpec& spec);  // its items alone

// What identifies an item's pixels: file bytes + decoder version (+ how LR is made), or its prompt, which has
// no size. The item's files are read once.
struct ItemIdentity {
  Digest input;
  Digest reference;  // zero: no reference
  int input_width = 0, input_height = 0;
  int reference_width = 0, reference_height = 0;  // after the cut
  int scale = 0;                                  // reference size / input size; 0 without reference
  std::vector<std::string> notes;                 // "reference cut from 510x480 to 508x480"
  bool corrupt = false;                           // a file of it is damaged, and was read leniently
};
// Reads headers and hashes; throws std::runtime_error naming the file and the reason (unreadable, sizes do
// not fit, not the file that the manifest means).
ItemIdentity identify(const ImageSetSpec& spec, const ImageItem& item);

}  // namespace upbench
