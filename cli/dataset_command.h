#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"
#include "datasets/image_set.h"

// What `upbench dataset check` and `upbench dataset make` share.
namespace upbench {

// SET of the command line: a folder, picture, pattern or .txt list, as inputs or as references to make inputs
// from (scale > 0, by this kernel); or a .yaml file: a manifest, or a spec, of which the images are taken.
ImageSetSpec set_argument(const std::filesystem::path& set, const std::vector<std::string>& tags, int scale,
                          const std::string& kernel);

void add_dataset_check(CLI::App& dataset, Command& chosen);
void add_dataset_make(CLI::App& dataset, Command& chosen);

}  // namespace upbench
