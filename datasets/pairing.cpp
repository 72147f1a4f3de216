#include "datasets/pairing.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/item_identity.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

// The pictures from `first` on that have its name.
std::span<const PictureFile> of_one_name(std::span<const PictureFile> pictures, std::size_t first) {
  std::size_t end = first + 1;
  while (end < pictures.size() && pictures[end].name == pictures[first].name) ++end;
  return pictures.subspan(first, end - first);
}

SetConflict name_conflict(std::span<const PictureFile> pictures, std::string item) {
  std::vector<std::string> files;
  for (const PictureFile& picture : pictures) files.push_back(picture.file.string());
  return {.item = std::move(item),
          .file = pictures[1].file,
          .text = fmt::format("{} pictures of one name: {}; expected one, rename or remove the others",
                              files.size(), fmt::join(files, " and "))};
}

// images.match, or the rule that holds without it: equal names, or one x{scale} suffix.
class NameRule {
 public:
  explicit NameRule(std::string match) : match_(std::move(match)) {
    const std::size_t at = match_.find(kName);
    if (!match_.empty() && (at == match_.npos || match_.find(kName, at + 1) != match_.npos)) {
      throw std::invalid_argument(
          fmt::format("images.match '{}': expected the word {} once, as in {}x4", match_, kName, kName));
    }
  }

  bool by_suffix() const { return match_.empty(); }

  // What an HR's LR is called. The pattern may name the file with its suffix.
  std::string lr_name(const std::string& name) const {
    if (match_.empty()) return name;
    std::string lr = match_;
    lr.replace(lr.find(kName), kName.size(), name);
    const fs::path file(lr);
    return is_picture_name(file) ? (file.parent_path() / file.stem()).string() : lr;
  }

  // lr_name() or the suffix read backwards; empty: does not fit.
  std::string hr_name(const std::string& lr) const {
    if (match_.empty()) {
      const auto suffix = scale_suffix(lr);
      return suffix ? suffix->base : "";
    }
    const std::string around = lr_name("");
    const std::size_t before = match_.find(kName), after = around.size() - before;
    const bool fits = lr.size() > around.size() && lr.compare(0, before, around, 0, before) == 0 &&
                      lr.compare(lr.size() - after, after, around, before, after) == 0;
    return fits ? lr.substr(before, lr.size() - around.size()) : "";
  }

 private:
  static constexpr std::string_view kName = "{name}";
  std::string match_;
};

// Leaves every file that is in both lists in the one that its name says.
void separate(std::vector<PictureFile>& hr, std::vector<PictureFile>& lr, const NameRule& rule,
              const ImageSetSpec& spec) {
  std::unordered_set<std::string> names, low;  // names of files in both lists; those of them that are LR
  std::unordered_set<std::string> lr_files;
  for (const PictureFile& picture : lr) lr_files.insert(picture.file.lexically_normal().string());
  for (const PictureFile& picture : hr)
    if (lr_files.contains(picture.file.lexically_normal().string())) names.insert(picture.name);
  if (names.empty()) return;
  for (const std::string& name : names)
    if (names.contains(rule.hr_name(name))) low.insert(name);
  std::erase_if(hr, [&](const PictureFile& picture) { return low.contains(picture.name); });
  std::erase_if(lr, [&](const PictureFile& picture) {
    return names.contains(picture.name) && !low.contains(picture.name);
  });
  if (!lr.empty()) return;
  throw std::invalid_argument(fmt::format(
      "images.hr and images.lr are both {}, and none of its pictures is named as the low-resolution "
      "one of another; expected {}",
      spec.hr.string(),
      rule.by_suffix() ? "names like ax4.png beside a.png, or images.match"
                       : fmt::format("names that fit images.match '{}'", spec.match)));
}

class Pairing {
 public:
  Pairing(std::vector<PictureFile> lr, const NameRule& rule, const ImageSetSpec& spec)
      : lr_(std::move(lr)), rule_(rule), spec_(spec), taken_(lr_.size()) {
    // Of one name, the first stands for all.
    for (std::size_t i = 0; i < lr_.size(); ++i) taken_[i] = !by_name_.emplace(lr_[i].name, i).second;
  }

  PairedItems pair(std::vector<PictureFile> hr) {
    std::vector<ImageItem>& items = paired_.items;
    add_name_conflicts(hr, paired_.conflicts);
    items.reserve(hr.size());
    for (PictureFile& picture : hr)
      items.push_back({.name = std::move(picture.name), .lr = {}, .hr = std::move(picture.file)});
    // Equal names first, so that a set that holds both "a" and "ax2" pairs each with its own.
    for (ImageItem& item : items) take(item, rule_.lr_name(item.name));
    if (rule_.by_suffix()) take_by_suffix();
    for (ImageItem& item : items) {
      if (item.lr.empty()) item.problem = missing_lr(item);
    }
    add_orphans();
    std::sort(items.begin(), items.end(),
              [](const ImageItem& a, const ImageItem& b) { return a.name < b.name; });
    return std::move(paired_);
  }

 private:
  void take(ImageItem& item, const std::string& name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return;
    item.lr = lr_[found->second].file;
    use(found->second, item.name);
  }

  void use(std::size_t lr, const std::string& item) {
    const auto same = of_one_name(lr_, lr);
    if (!taken_[lr] && same.size() > 1) paired_.conflicts.push_back(name_conflict(same, item));
    taken_[lr] = true;
  }

  void take_by_suffix() {
    std::unordered_map<std::string, ImageItem*> items;
    for (ImageItem& item : paired_.items) items.emplace(item.name, &item);
    for (std::size_t i = 0; i < lr_.size(); ++i) {
      const std::string base = rule_.hr_name(lr_[i].name);
      const auto found = taken_[i] || base.empty() ? items.end() : items.find(base);
      if (found == items.end()) continue;
      ImageItem& item = *found->second;
      if (item.lr.empty()) {
        take(item, lr_[i].name);
        continue;
      }
      taken_[i] = true;
      paired_.conflicts.push_back(
          {.item = item.name,
           .file = lr_[i].file,
           .text = fmt::format("two low-resolution pictures for {}: {} and {}; say which by images.match, as "
                               "in '{{name}}x4'",
                               item.hr.string(), item.lr.string(), lr_[i].file.string())});
    }
  }

  // Where a partner of this name would lie.
  static fs::path place(const fs::path& source, const std::string& name) {
    return is_folder(source) ? source / name : fs::path(name);
  }

  std::string missing_lr(const ImageItem& item) const {
    const std::string suffix = item.hr.extension().string();
    const std::string also = rule_.by_suffix() ? fmt::format(" or {}x{{scale}}{}", item.name, suffix) : "";
    return fmt::format("{}: no low-resolution picture; expected {}{}", item.hr.string(),
                       place(spec_.lr, rule_.lr_name(item.name) + suffix).string(), also);
  }

  // LR pictures without HR. With a pattern, files that do not fit it are not meant.
  void add_orphans() {
    for (std::size_t i = 0; i < lr_.size(); ++i) {
      const std::string base = rule_.hr_name(lr_[i].name);
      if (taken_[i] || (base.empty() && !rule_.by_suffix())) continue;
      const fs::path expected =
          place(spec_.hr, (base.empty() ? lr_[i].name : base) + lr_[i].file.extension().string());
      paired_.items.push_back(
          {.name = rule_.by_suffix() ? lr_[i].name : base,
           .lr = lr_[i].file,
           .hr = {},
           .problem = fmt::format("{}: no reference; expected {}", lr_[i].file.string(), expected.string())});
      use(i, paired_.items.back().name);
    }
  }

  std::vector<PictureFile> lr_;
  const NameRule& rule_;
  const ImageSetSpec& spec_;
  std::vector<bool> taken_;
  std::unordered_map<std::string, std::size_t> by_name_;
  PairedItems paired_;
};

}  // namespace

void add_name_conflicts(std::span<const PictureFile> pictures, std::vector<SetConflict>& conflicts) {
  for (std::size_t i = 0; i < pictures.size();) {
    const auto same = of_one_name(pictures, i);
    if (same.size() > 1) conflicts.push_back(name_conflict(same, pictures[i].name));
    i += same.size();
  }
}

PairedItems pair_by_name(std::vector<PictureFile> hr, std::vector<PictureFile> lr, const ImageSetSpec& spec) {
  const NameRule rule(spec.match);
  // Two folders have no file in common unless they are one.
  std::error_code ignored;
  const bool apart = is_folder(spec.hr) && is_folder(spec.lr) && !fs::equivalent(spec.hr, spec.lr, ignored);
  if (!spec.same_size && !apart) separate(hr, lr, rule, spec);
  return Pairing(std::move(lr), rule, spec).pair(std::move(hr));
}

}  // namespace upbench
