#include "datasets/image_set.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/item_identity.h"
#include "datasets/resampling/kernels.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

// What is taken from a folder. WebP and TIFF cannot be decoded yet: such a picture is listed and then refused
// by name, because leaving it out silently would shrink the set.
constexpr std::string_view kPictureSuffixes[] = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"};

struct PictureFile {
  std::string stem;
  fs::path file;
};

bool is_picture_name(const fs::path& file) {
  std::string suffix = file.extension().string();
  for (char& c : suffix) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return file.filename().string().front() != '.' &&
         std::ranges::find(kPictureSuffixes, suffix) != std::end(kPictureSuffixes);
}

std::vector<PictureFile> pictures_in(const fs::path& folder) {
  std::vector<PictureFile> pictures;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (is_picture_name(entry.path())) pictures.push_back({entry.path().stem().string(), entry.path()});
    }
  } catch (const fs::filesystem_error& error) {
    throw std::invalid_argument(
        fmt::format("{}: cannot be listed: {}", folder.string(), error.code().message()));
  }
  const auto before = [](const PictureFile& a, const PictureFile& b) {
    return a.stem != b.stem ? a.stem < b.stem : a.file < b.file;
  };
  std::sort(pictures.begin(), pictures.end(), before);
  for (std::size_t i = 1; i < pictures.size(); ++i) {
    if (pictures[i].stem != pictures[i - 1].stem) continue;
    throw std::invalid_argument(fmt::format("two pictures of one name: {} and {}",
                                            pictures[i - 1].file.string(), pictures[i].file.string()));
  }
  if (pictures.empty()) {
    throw std::invalid_argument(fmt::format(
        "{}: no pictures there; expected files named .png, .jpg, .jpeg or .bmp", folder.string()));
  }
  return pictures;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// A folder's pictures in the order of their names, or the one file named. What lies behind a name is looked
// at by identify().
std::vector<PictureFile> pictures_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(path, ignored))) {
    throw std::invalid_argument(fmt::format("{}: no such folder or file", path.string()));
  }
  if (is_folder(path)) return pictures_in(path);
  return {{path.stem().string(), path}};
}

// Which LR belongs to which HR, by name only.
class Pairing {
 public:
  Pairing(std::vector<PictureFile> lr, std::string match)
      : lr_(std::move(lr)), match_(std::move(match)), taken_(lr_.size()) {
    const std::size_t at = match_.find(kName);
    if (!match_.empty() && (at == match_.npos || match_.find(kName, at + 1) != match_.npos)) {
      throw std::invalid_argument(
          fmt::format("images.match '{}': expected the word {} once, as in {}x4", match_, kName, kName));
    }
    for (std::size_t i = 0; i < lr_.size(); ++i) by_stem_.emplace(lr_[i].stem, i);
  }

  std::vector<ImageItem> pair(const std::vector<PictureFile>& hr, const fs::path& hr_folder,
                              const fs::path& lr_folder) {
    std::vector<ImageItem> items;
    items.reserve(hr.size());
    for (const PictureFile& picture : hr) items.push_back({.name = picture.stem, .hr = picture.file});
    // Equal names first, so that a set that holds both "a" and "ax2" pairs each with its own.
    for (ImageItem& item : items) take(item, by_stem_.find(expected_stem(item.name)));
    if (match_.empty()) take_by_suffix(items);
    for (ImageItem& item : items) {
      if (item.lr.empty()) item.problem = missing_lr(item, lr_folder);
    }
    add_orphans(items, hr_folder);
    std::sort(items.begin(), items.end(),
              [](const ImageItem& a, const ImageItem& b) { return a.name < b.name; });
    return items;
  }

 private:
  static constexpr std::string_view kName = "{name}";
  using Index = std::map<std::string, std::size_t, std::less<>>;

  // The pattern may name the file with its suffix.
  std::string expected_stem(const std::string& name) const {
    if (match_.empty()) return name;
    std::string stem = match_;
    stem.replace(stem.find(kName), kName.size(), name);
    const fs::path file(stem);
    return is_picture_name(file) ? file.stem().string() : stem;
  }

  void take(ImageItem& item, Index::const_iterator found) {
    if (found == by_stem_.end()) return;
    item.lr = lr_[found->second].file;
    taken_[found->second] = true;
  }

  void take_by_suffix(std::vector<ImageItem>& items) {
    std::map<std::string, ImageItem*> by_name;
    for (ImageItem& item : items) by_name.emplace(item.name, &item);
    for (std::size_t i = 0; i < lr_.size(); ++i) {
      const auto suffix = scale_suffix(lr_[i].stem);
      if (taken_[i] || !suffix) continue;
      const auto found = by_name.find(suffix->base);
      if (found == by_name.end()) continue;
      ImageItem& item = *found->second;
      if (!item.lr.empty()) {
        throw std::invalid_argument(
            fmt::format("two low-resolution pictures for {}: {} and {}; say which by images.match, as in "
                        "'{{name}}x4'",
                        item.hr.string(), item.lr.string(), lr_[i].file.string()));
      }
      take(item, by_stem_.find(lr_[i].stem));
    }
  }

  std::string missing_lr(const ImageItem& item, const fs::path& folder) const {
    const std::string suffix = item.hr.extension().string();
    const std::string also = match_.empty() ? fmt::format(" or {}x{{scale}}{}", item.name, suffix) : "";
    return fmt::format("{}: no low-resolution picture; expected {}{}", item.hr.string(),
                       (folder / (expected_stem(item.name) + suffix)).string(), also);
  }

  // LR pictures without HR. With a pattern, files that do not fit it are not meant.
  void add_orphans(std::vector<ImageItem>& items, const fs::path& folder) const {
    for (std::size_t i = 0; i < lr_.size(); ++i) {
      const std::string name = match_.empty() ? lr_[i].stem : name_of(lr_[i].stem);
      if (taken_[i] || name.empty()) continue;
      const auto suffix = match_.empty() ? scale_suffix(name) : std::nullopt;
      const fs::path expected = folder / ((suffix ? suffix->base : name) + lr_[i].file.extension().string());
      items.push_back(
          {.name = name,
           .lr = lr_[i].file,
           .problem = fmt::format("{}: no reference; expected {}", lr_[i].file.string(), expected.string())});
    }
  }

  // The pattern read backwards; empty: does not fit.
  std::string name_of(const std::string& stem) const {
    const std::string around = expected_stem("");
    const std::size_t before = match_.find(kName), after = around.size() - before;
    const bool fits = stem.size() > around.size() && stem.compare(0, before, around, 0, before) == 0 &&
                      stem.compare(stem.size() - after, after, around, before, after) == 0;
    return fits ? stem.substr(before, stem.size() - around.size()) : "";
  }

  std::vector<PictureFile> lr_;
  std::string match_;
  std::vector<bool> taken_;
  Index by_stem_;
};

std::vector<ImageItem> paired(const ImageSetSpec& spec) {
  const auto hr = pictures_of(spec.hr);
  auto lr = pictures_of(spec.lr);
  const bool hr_folder = is_folder(spec.hr), lr_folder = is_folder(spec.lr);
  if (hr_folder != lr_folder) {
    throw std::invalid_argument(
        fmt::format("images.hr {} and images.lr {}: expected two folders or two files", spec.hr.string(),
                    spec.lr.string()));
  }
  if (!hr_folder) return {{.name = hr[0].stem, .lr = lr[0].file, .hr = hr[0].file}};
  return Pairing(std::move(lr), spec.match).pair(hr, spec.hr, spec.lr);
}

std::vector<ImageItem> rendered(const ImageSetSpec& spec) {
  const auto& asked = *spec.procedural;
  if (asked.count < 1)
    throw std::invalid_argument(fmt::format("images.procedural.count {}: expected 1 or more", asked.count));
  std::set<std::string> names;
  std::vector<ImageItem> items;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(asked.count); ++i) {
    const ProceduralPicture picture = procedural_picture(spec, i);
    procedural_identity(picture);  // refuses an unknown class or size before any work
    std::string name = procedural_name(picture);
    if (!names.insert(name).second) {
      throw std::invalid_argument(fmt::format("images.procedural.classes names {} twice", picture.cls));
    }
    items.push_back({.name = std::move(name), .procedural_index = i});
  }
  return items;
}

std::vector<ImageItem> single(const fs::path& path, fs::path ImageItem::* role) {
  std::vector<ImageItem> items;
  for (PictureFile& picture : pictures_of(path)) {
    items.push_back({.name = std::move(picture.stem)});
    items.back().*role = std::move(picture.file);
  }
  return items;
}

void require_one_source(const ImageSetSpec& spec) {
  const bool pairs = !spec.hr.empty() && !spec.lr.empty();
  const int sources =
      int{!spec.path.empty()} + int{!spec.hr.empty() || !spec.lr.empty()} + int{spec.procedural.has_value()};
  if (sources != 1) {
    throw std::invalid_argument("images: expected exactly one of path, hr with lr, lr alone, procedural");
  }
  const bool reference_only = !spec.path.empty() || (!spec.hr.empty() && !pairs);
  if (reference_only && !spec.make_lr) {
    throw std::invalid_argument(
        fmt::format("images: how are the inputs made from {}? Expected lr: {{scale: 4, kernel: "
                    "matlab-bicubic}}, or, to upscale these pictures themselves without a reference, "
                    "lr: FOLDER instead of path",
                    (spec.path / spec.hr).string()));
  }
  if (!spec.lr.empty() && spec.make_lr) {
    throw std::invalid_argument(
        "images: the low-resolution pictures are given and also to be made; expected one of the two");
  }
  if (!spec.match.empty() && !pairs)
    throw std::invalid_argument("images.match: expected with both hr and lr only");
  if (spec.limit < 0)
    throw std::invalid_argument(fmt::format("images.limit {}: expected 0 (all) or more", spec.limit));
  const auto made = low_resolution(spec);
  if (made.scale < 1 || made.scale > 16) {
    throw std::invalid_argument(fmt::format("images.lr.scale {}: expected 1 to 16", made.scale));
  }
  require_kernel(made.kernel);
}

std::vector<ImageItem> all_items(const ImageSetSpec& spec) {
  if (spec.procedural) return rendered(spec);
  if (!spec.path.empty()) return single(spec.path, &ImageItem::hr);
  if (spec.lr.empty()) return single(spec.hr, &ImageItem::hr);
  if (spec.hr.empty()) return single(spec.lr, &ImageItem::lr);
  return paired(spec);
}

}  // namespace

std::vector<ImageItem> list_items(const ImageSetSpec& spec) {
  require_one_source(spec);
  auto items = all_items(spec);
  if (spec.limit > 0 && static_cast<std::uint64_t>(spec.limit) < items.size()) {
    items.resize(static_cast<std::size_t>(spec.limit));
  }
  return items;
}

}  // namespace upbench
