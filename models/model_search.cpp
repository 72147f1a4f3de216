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

// In any letter case.
constexpr std::array<std::string_view, 5> kEndings{".safetensors", ".pth.tar", ".pth", ".pt", ".ckpt"};

// Bytes of the ending that makes it a checkpoint's name; 0: none does.
std::size_t ending_bytes(const std::string& file_name) {
  const std::string lower = to_lower(file_name);
  for (const std::string_view ending : kEndings)
    if (lower.size() > ending.size() && lower.ends_with(ending)) return ending.size();
  return 0;
}

// Without the ending, which the target of a link, as it is listed, may lack.
std::string stem_of(const fs::path& file) {
  const std::string name = file.filename().string();
  const std::size_t ending = ending_bytes(name);
  return ending > 0 ? name.substr(0, name.size() - ending) : file.stem().string();
}

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
      if (ending_bytes(entry->path().filename().string()) == 0) continue;
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
    if (stem_of(file) == name || file.filename() == name) hits.push_back(file);
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
  for (const fs::path& file : checkpoint_files(search)) stems.insert(stem_of(file));
  return {stems.begin(), stems.end()};
}

}  // namespace upbench
