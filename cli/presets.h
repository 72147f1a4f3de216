#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace upbench {

// A spec that comes with upbench (experiments/NAME.yaml); its first comment line is the question it answers.
struct Preset {
  std::string name;
  std::string question;
  std::filesystem::path file;
};

// Looked for in $UPBENCH_EXPERIMENTS, beside the installed program (../share/upbench/experiments), and in the
// checkout it was built from (build/..). Sorted by name.
std::vector<Preset> presets();

}  // namespace upbench
