#include "datasets/picture_source.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include "datasets/codec/decode.h"
#include "datasets/safe_text.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

// Without camera raws: they lie beside a JPEG of the same name, which would then be one of two pictures of
// one name, and where they are TIFF files, their first picture is a preview.
constexpr std::string_view kPictureSuffixes[] = {
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".webp", ".tif",  ".tiff", ".bmp", ".dib",
    ".ppm", ".pgm",  ".pnm", ".pbm",  ".pam", ".pfm", ".gif",  ".avif", ".heic", ".heif", ".hif", ".jxl",
    ".jp2", ".j2k",  ".jxr", ".exr",  ".hdr", ".psd", ".psb",  ".qoi",  ".svg",  ".tga",  ".dds", ".pcx"};

// Of what is left out, as it is told.
constexpr std::size_t kMostKinds = 6, kSuffixBytes = 16;

std::string lower_case_suffix(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  std::string suffix(dot == name.npos || dot == 0 ? std::string_view() : name.substr(dot));
  for (char& c : suffix) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return suffix;
}

// A suffix may be nearly as long as a name, and hold anything.
std::string shown_suffix(std::string_view suffix) {
  if (suffix.empty()) return "without a suffix";
  if (suffix.size() <= kSuffixBytes) return safe_text(suffix);
  std::size_t end = 0;
  while (end < kSuffixBytes) end += std::max<std::size_t>(1, utf8_length(suffix.substr(end)));
  return fmt::format("{}...", safe_text(suffix.substr(0, end)));
}

void sort(std::vector<PictureFile>& pictures) {
  std::sort(pictures.begin(), pictures.end(), [](const PictureFile& a, const PictureFile& b) {
    return a.name != b.name ? a.name < b.name : a.file.native() < b.file.native();
  });
}

// Entries of a folder, "" being the one we are in.
fs::directory_iterator open_folder(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator entries(folder.empty() ? fs::path(".") : folder, error);
  if (error)
    throw std::invalid_argument(fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
  return entries;
}

template <typename Visit>
void for_each_entry(const fs::path& folder, Visit visit) {
  fs::directory_iterator entry = open_folder(folder);
  std::error_code error;
  for (; entry != fs::directory_iterator(); entry.increment(error)) visit(*entry);
  if (error)
    throw std::invalid_argument(fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
}

FoundPictures pictures_in(const fs::path& folder) {
  FoundPictures found;
  std::vector<std::string> folders;
  for_each_entry(folder, [&](const fs::directory_entry& entry) {
    const fs::path name = entry.path().filename();
    if (is_picture_name(name)) return found.pictures.push_back({name.stem().string(), entry.path()});
    if (name.native().front() == '.') return;
    std::error_code ignored;
    if (entry.is_directory(ignored))
      folders.push_back(name.string());
    else
      ++found.left_out[lower_case_suffix(name.native())];
  });
  if (found.pictures.empty()) {
    std::sort(folders.begin(), folders.end());
    if (folders.size() > 6) folders.resize(6);
    throw std::invalid_argument(fmt::format(
        "{}: no pictures there{}; expected files named .png, .jpg, .webp, .tif, .bmp, .ppm or alike",
        folder.string(),
        folders.empty() ? "" : fmt::format(" (it holds folders: {})", fmt::join(folders, ", "))));
  }
  sort(found.pictures);
  return found;
}

bool has_wildcard(std::string_view text) {
  const std::size_t bracket = text.find('[');
  return text.find_first_of("*?") != text.npos ||
         (bracket != text.npos && text.find(']', bracket) != text.npos);
}

class PatternWalk {
 public:
  explicit PatternWalk(const fs::path& pattern) {
    for (const fs::path& part : pattern) {
      if (parts_.empty() && !has_wildcard(part.native()))
        base_ /= part;
      else if (parts_.empty() || parts_.back() != "**" || part != "**")
        parts_.push_back(part.native());
    }
    if (parts_.back() == "**") parts_.emplace_back("*");
  }

  FoundPictures find() {
    walk(base_, "", 0);
    FoundPictures found;
    // One file can fit "**" in several ways.
    sort(pictures_);
    const auto same = [](const PictureFile& a, const PictureFile& b) { return a.file == b.file; };
    pictures_.erase(std::unique(pictures_.begin(), pictures_.end(), same), pictures_.end());
    found.pictures = std::move(pictures_);
    std::sort(others_.begin(), others_.end());
    others_.erase(std::unique(others_.begin(), others_.end()), others_.end());
    for (const std::string& other : others_)
      ++found.left_out[lower_case_suffix(fs::path(other).filename().native())];
    return found;
  }

 private:
  // prefix: the folders below base_ so far, with a slash after each.
  void walk(const fs::path& folder, const std::string& prefix, std::size_t part) {
    const bool last = part + 1 == parts_.size(), any_depth = parts_[part] == "**";
    if (any_depth) walk(folder, prefix, part + 1);
    for_each_entry(folder, [&](const fs::directory_entry& entry) {
      const std::string name = entry.path().filename().string();
      const std::string& wanted = any_depth ? std::string("*") : parts_[part];
      if (fnmatch(wanted.c_str(), name.c_str(), FNM_PERIOD | FNM_NOESCAPE) != 0) return;
      std::error_code ignored;
      const bool folder_within = entry.is_directory(ignored);
      if (last && folder_within) return;
      if (last && is_picture_name(name)) {
        pictures_.push_back({prefix + fs::path(name).stem().string(), folder / name});
      } else if (last) {
        others_.push_back((folder / name).string());
      } else if (folder_within && (!any_depth || !entry.is_symlink(ignored))) {
        walk(folder / name, prefix + name + "/", any_depth ? part : part + 1);
      }
    });
  }

  fs::path base_;                   // before the first part with a wildcard
  std::vector<std::string> parts_;  // from there on
  std::vector<PictureFile> pictures_;
  std::vector<std::string> others_;  // files that fit and are not named as pictures
};

}  // namespace

bool is_picture_name(const fs::path& file) {
  const fs::path name = file.filename();
  return !name.empty() && name.native().front() != '.' &&
         std::ranges::find(kPictureSuffixes, lower_case_suffix(name.native())) != std::end(kPictureSuffixes);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

FoundPictures find_pictures(const fs::path& source) {
  std::error_code ignored;
  if (is_folder(source)) return pictures_in(source);
  if (fs::exists(fs::symlink_status(source, ignored))) {
    if (lower_case_suffix(source.filename().native()) == ".txt") return listed_pictures(source);
    return {{{source.stem().string(), source}}, {}};
  }
  if (!has_wildcard(source.native()))
    throw std::invalid_argument(fmt::format("{}: no such folder or file", source.string()));
  FoundPictures found = PatternWalk(source).find();
  if (found.pictures.empty())
    throw std::invalid_argument(fmt::format("{}: no pictures fit this pattern", source.string()));
  return found;
}

FoundPictures listed_pictures(const fs::path& list) {
  const auto bytes = read_bytes(list);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.find('\0') != text.npos)
    throw std::invalid_argument(
        fmt::format("{}: holds a zero byte, expected a text file with one path a line", list.string()));
  std::vector<fs::path> files;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && line.front() != '#') files.push_back(list.parent_path() / line);
  }
  if (files.empty())
    throw std::invalid_argument(fmt::format("{}: names no file, expected one path a line", list.string()));
  return listed_pictures(files);
}

FoundPictures listed_pictures(const std::vector<fs::path>& files) {
  FoundPictures found;
  for (const fs::path& file : files) found.pictures.push_back({file.stem().string(), file});
  sort(found.pictures);
  return found;
}

std::string describe_left_out(const std::map<std::string, std::size_t>& files) {
  std::vector<std::pair<std::string_view, std::size_t>> kinds(files.begin(), files.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  std::size_t rest = 0;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto& [suffix, count] = kinds[i];
    if (i < kMostKinds)
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", count, shown_suffix(suffix));
    else
      rest += count;
  }
  return rest == 0 ? text : fmt::format("{}, {} of other kinds", text, rest);
}

}  // namespace upbench
