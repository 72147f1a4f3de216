#include "cli/presets.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace upbench {
namespace {

std::filesystem::path preset_folder() {
  if (const char* folder = std::getenv("UPBENCH_EXPERIMENTS")) return folder;
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (const auto& folder : {program / "../share/upbench/experiments", program / "../experiments"})
    if (std::filesystem::is_directory(folder)) return folder.lexically_normal();
  return {};
}

}  // namespace

std::vector<Preset> presets() {
  std::vector<Preset> found;
  const auto folder = preset_folder();
  if (folder.empty()) return found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream file(entry.path());
    std::string line;
    std::getline(file, line);
    const auto text = line.find_first_not_of("# ");
    found.push_back(
        {entry.path().stem().string(), text == std::string::npos ? "" : line.substr(text), entry.path()});
  }
  std::sort(found.begin(), found.end(), [](const Preset& a, const Preset& b) { return a.name < b.name; });
  return found;
}

}  // namespace upbench
