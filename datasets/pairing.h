#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/image_set.h"
#include "datasets/picture_source.h"

// Which LR belongs to which HR, by name only. Torch-free.
namespace upbench {

struct PairedItems {
  std::vector<ImageItem> items;  // by name; what has no partner is an item with a problem
  std::vector<SetConflict> conflicts;
};

// One for each name that several of the pictures, which come by name, have.
void add_name_conflicts(std::span<const PictureFile> pictures, std::vector<SetConflict>& conflicts);

// hr, lr: by name, as find_pictures() gives them. The folders are named in messages only. A file in both
// lists (hr and lr are the same folder) is LR where it is named as the LR of another, HR otherwise;
// same_size: it is paired with itself. Throws std::invalid_argument for a `match` that is no pattern, and
// where one list serves for both and nothing in it is named as LR.
PairedItems pair_by_name(std::vector<PictureFile> hr, std::vector<PictureFile> lr, const ImageSetSpec& spec);

}  // namespace upbench
