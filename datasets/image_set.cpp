#include "datasets/image_set.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/item_identity.h"
#include "datasets/pairing.h"
#include "datasets/picture_source.h"
#include "datasets/procedural.h"
#include "datasets/resampling/kernels.h"
#include "datasets/safe_text.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

void add_left_out(const fs::path& source, FoundPictures& found, SetListing& listing) {
  if (!found.left_out.empty()) listing.left_out.push_back({source, std::move(found.left_out)});
}

SetListing paired(const ImageSetSpec& spec) {
  FoundPictures hr = find_pictures(spec.hr), lr = find_pictures(spec.lr);
  const auto is_file = [](const FoundPictures& found, const fs::path& source) {
    return found.pictures.size() == 1 && found.pictures[0].file == source;
  };
  const bool one_file = is_file(hr, spec.hr);
  if (one_file != is_file(lr, spec.lr)) {
    throw std::invalid_argument(
        fmt::format("images.hr {} and images.lr {}: expected two folders or two files", spec.hr.string(),
                    spec.lr.string()));
  }
  SetListing listing;
  if (one_file) {
    listing.items.push_back(
        {.name = hr.pictures[0].name, .lr = lr.pictures[0].file, .hr = hr.pictures[0].file});
    return listing;
  }
  std::error_code ignored;
  const bool one_folder = is_folder(spec.hr) && fs::equivalent(spec.hr, spec.lr, ignored);
  if (one_folder) lr.pictures = hr.pictures;
  add_left_out(spec.hr, hr, listing);
  if (!one_folder && spec.lr != spec.hr) add_left_out(spec.lr, lr, listing);
  PairedItems pairs = pair_by_name(std::move(hr.pictures), std::move(lr.pictures), spec);
  listing.items = std::move(pairs.items);
  listing.conflicts = std::move(pairs.conflicts);
  return listing;
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

std::vector<ImageItem> prompted(const std::vector<std::string>& prompts) {
  std::vector<ImageItem> items;
  for (const std::string& prompt : prompts)
    items.push_back({.name = fmt::format("prompt-{:03}", items.size() + 1), .prompt = prompt});
  return items;
}

// source: where they were found; empty: they were listed.
SetListing single(FoundPictures found, const fs::path& source, fs::path ImageItem::* role) {
  SetListing listing;
  add_name_conflicts(found.pictures, listing.conflicts);
  add_left_out(source, found, listing);
  listing.items.reserve(found.pictures.size());
  for (PictureFile& picture : found.pictures) {
    listing.items.push_back({.name = std::move(picture.name)});
    listing.items.back().*role = std::move(picture.file);
  }
  return listing;
}

bool is_wanted(const SetManifest::Item& item, const std::vector<std::string>& tags) {
  const auto has = [&](const std::string& tag) {
    return std::ranges::find(item.tags, tag) != item.tags.end();
  };
  return tags.empty() || std::ranges::any_of(tags, has);
}

void require_known_tags(const ImageSetSpec& spec) {
  std::set<std::string> known;
  for (const SetManifest::Item& item : spec.manifest->items) known.insert(item.tags.begin(), item.tags.end());
  for (const std::string& tag : spec.tags) {
    if (known.contains(tag)) continue;
    throw std::invalid_argument(
        fmt::format("images.tags: no item of {} has the tag '{}'; its tags: {}", spec.manifest_file.string(),
                    tag, known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
}

ImageItem manifest_item(const SetManifest::Item& item, bool make_lr) {
  ImageItem made{.name = item.name, .notes = item.notes};
  if (!item.degradation.empty()) made.notes.push_back("degraded: " + item.degradation);
  for (const std::string& tag : item.tags) made.notes.push_back("class: " + tag);  // as reports read it
  const bool file_is_input = !item.hr.empty() || !make_lr;
  (file_is_input ? made.lr : made.hr) = item.file;
  (file_is_input ? made.lr_sha256 : made.hr_sha256) = item.sha256;
  if (item.hr.empty()) return made;
  made.hr = item.hr;
  made.hr_sha256 = item.hr_sha256;
  return made;
}

SetListing of_manifest(const ImageSetSpec& spec) {
  require_known_tags(spec);
  SetListing listing;
  for (const SetManifest::Item& item : spec.manifest->items) {
    if (!is_wanted(item, spec.tags)) continue;
    if (spec.make_lr && !item.hr.empty())
      throw std::invalid_argument(
          fmt::format("images.lr: {} has the input {} for {}; expected no images.lr beside such a manifest",
                      spec.manifest_file.string(), item.file.string(), item.hr.string()));
    listing.items.push_back(manifest_item(item, spec.make_lr.has_value()));
  }
  std::stable_sort(listing.items.begin(), listing.items.end(),
                   [](const ImageItem& a, const ImageItem& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < listing.items.size(); ++i) {
    const ImageItem &first = listing.items[i - 1], &second = listing.items[i];
    if (first.name != second.name) continue;
    const auto file = [](const ImageItem& item) { return (item.hr.empty() ? item.lr : item.hr).string(); };
    listing.conflicts.push_back(
        {.item = second.name,
         .file = file(second),
         .text = fmt::format("two items of one name: {} and {}; expected one", file(first), file(second))});
  }
  return listing;
}

void require_one_source(const ImageSetSpec& spec) {
  const bool pairs = !spec.hr.empty() && !spec.lr.empty();
  const int sources = int{!spec.path.empty()} + int{!spec.list.empty()} +
                      int{!spec.hr.empty() || !spec.lr.empty()} + int{spec.manifest != nullptr} +
                      int{spec.procedural.has_value()} + int{!spec.prompts.empty()};
  if (sources != 1) {
    throw std::invalid_argument(
        "images: expected exactly one of path, list, hr with lr, lr alone, manifest, procedural, prompts");
  }
  if (!spec.tags.empty() && !spec.manifest)
    throw std::invalid_argument("images.tags: expected with images.manifest only");
  const bool reference_only = !spec.path.empty() || !spec.list.empty() || (!spec.hr.empty() && !pairs);
  if (reference_only && !spec.make_lr) {
    throw std::invalid_argument(
        fmt::format("images: how are the inputs made from {}? Expected lr: {{scale: 4, kernel: "
                    "matlab-bicubic}}, or, to upscale these pictures themselves without a reference, "
                    "lr: FOLDER instead of path",
                    spec.list.empty() ? (spec.path / spec.hr).string() : "images.list"));
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

SetListing whole_set(const ImageSetSpec& spec) {
  require_one_source(spec);
  if (spec.procedural) return {rendered(spec), {}, {}};
  if (!spec.prompts.empty()) return {prompted(spec.prompts), {}, {}};
  if (spec.manifest) return of_manifest(spec);
  if (!spec.list.empty()) return single(listed_pictures(spec.list), {}, &ImageItem::hr);
  if (!spec.path.empty()) return single(find_pictures(spec.path), spec.path, &ImageItem::hr);
  if (spec.lr.empty()) return single(find_pictures(spec.hr), spec.hr, &ImageItem::hr);
  if (spec.hr.empty()) return single(find_pictures(spec.lr), spec.lr, &ImageItem::lr);
  return paired(spec);
}

// Which of several items of one name is meant cannot be told: one is left, which says so.
void merge_names(SetListing& listing) {
  if (listing.conflicts.empty()) return;
  std::unordered_map<std::string_view, const SetConflict*> conflicts;  // the first of each item
  for (const SetConflict& conflict : listing.conflicts) conflicts.emplace(conflict.item, &conflict);
  const auto repeated = std::ranges::unique(listing.items, {}, &ImageItem::name);
  listing.items.erase(repeated.begin(), repeated.end());
  for (ImageItem& item : listing.items)
    if (const auto found = conflicts.find(item.name); found != conflicts.end())
      item.problem = found->second->text;
}

void keep_first(std::vector<ImageItem>& items, std::int64_t limit) {
  if (limit > 0 && static_cast<std::uint64_t>(limit) < items.size())
    items.resize(static_cast<std::size_t>(limit));
}

}  // namespace

SetListing list_set(const ImageSetSpec& spec) {
  SetListing listing = whole_set(spec);
  keep_first(listing.items, spec.limit);
  return listing;
}

SetListing list_merged(const ImageSetSpec& spec) {
  SetListing listing = whole_set(spec);
  merge_names(listing);
  keep_first(listing.items, spec.limit);
  return listing;
}

std::vector<ImageItem> list_items(const ImageSetSpec& spec) {
  return list_merged(spec).items;
}

std::string left_out_note(const LeftOut& left_out) {
  std::size_t count = 0;
  for (const auto& [suffix, files] : left_out.files) count += files;
  return fmt::format("{}: {} {}: {}", safe_text(left_out.source.string()), count,
                     count == 1 ? "file left out that is not named as a picture"
                                : "files left out that are not named as pictures",
                     describe_left_out(left_out.files));
}

}  // namespace upbench
