#include "models/model_search.h"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/edit_distance.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kExtensions{".safetensors", ".pth", ".pt", ".ckpt"};

// Checkpoint files under the model folders, each once however it is reached, sorted. Links to folders are not
// followed.
std::set<fs::path> checkpoint_files(const ModelSearch& search) {
  std::set<fs::path> files;
  for (const fs::path& folder : search.model_dirs) {
    std::error_code error;
    if (!fs::is_directory(folder, error))
      throw std::invalid_argument(fmt::format("{}: is no folder of models", folder.string()));
    for (fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied), end;
         entry != end; entry.increment(error)) {
      if (std::ranges::find(kExtensions, entry->path().extension().string()) == kExtensions.end()) continue;
      if (entry->is_regular_file(error)) files.insert(fs::weakly_canonical(entry->path()));
    }
  }
  return files;
}

}  // namespace

std::optional<fs::path> find_model_file(const std::string& name, const ModelSearch& search) {
  std::error_code ignored;
  if (fs::path beside = search.spec_dir / name;
      !name.empty() && fs::exists(beside, ignored) && !fs::is_directory(beside, ignored))
    return beside;
  std::vector<fs::path> hits;
  for (const fs::path& file : checkpoint_files(search)) {
    if (file.stem() == name || file.filename() == name) hits.push_back(file);
  }
  if (hits.size() > 1) {
    throw std::invalid_argument(fmt::format("model '{}' is both {} and {}: write the path", name,
                                            hits[0].string(), hits[1].string()));
  }
  if (hits.empty()) return {};
  return hits.front();
}

std::vector<std::string> near_misses(std::string_view name, const std::vector<std::string>& known) {
  constexpr std::size_t kShown = 3;
  const std::string wanted = to_lower(name);
  const std::size_t farthest = std::max<std::size_t>(2, wanted.size() / 3);
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& candidate : known) {
    const std::string other = to_lower(candidate);
    const bool contains = wanted.size() >= 3 && other.find(wanted) != other.npos;
    const std::size_t distance = contains ? 0 : edit_distance(wanted, other);
    if (distance <= farthest) near.emplace_back(distance, candidate);
  }
  std::ranges::sort(near);
  std::vector<std::string> names;
  for (const auto& [distance, candidate] : near) {
    if (names.size() < kShown && std::ranges::find(names, candidate) == names.end())
      names.push_back(candidate);
  }
  return names;
}

std::vector<std::string> model_stems(const ModelSearch& search) {
  std::set<std::string> stems;
  for (const fs::path& file : checkpoint_files(search)) stems.insert(file.stem().string());
  return {stems.begin(), stems.end()};
}

}  // namespace upbench
