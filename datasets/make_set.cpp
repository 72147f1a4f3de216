#include "datasets/make_set.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <unordered_map>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/codec/encode.h"
#include "datasets/degrade.h"
#include "datasets/image.h"
#include "datasets/item_identity.h"
#include "datasets/load_item.h"
#include "datasets/resampling/kernels.h"
#include "datasets/safe_text.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestPart = 200;  // bytes; a file name has 255 at most

// One part of a name, as a name that every program can show.
std::string file_name_part(const std::string& part) {
  std::string safe = safe_text(part);
  if (safe.size() <= kLongestPart) return safe;
  std::size_t end = 0;
  for (std::size_t next = 0; next <= kLongestPart - 13;
       next += utf8_length(std::string_view(safe).substr(end)))
    end = next;
  return safe.substr(0, end) + "-" + sha256(part).short_hex();
}

// What the files of an item are called, without suffix. A manifest may hold any text as a name.
std::string file_name(const ImageItem& item) {
  std::string name;
  for (std::size_t begin = 0; begin <= item.name.size();) {
    const std::size_t end = std::min(item.name.find('/', begin), item.name.size());
    const std::string part = item.name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..")
      throw std::invalid_argument(fmt::format(
          "'{}': a picture of this name would lie outside the set; expected another name", item.name));
    name += (begin == 0 ? "" : "/") + file_name_part(part);
    begin = end + 1;
  }
  return name;
}

std::vector<std::string> file_names(const std::vector<ImageItem>& items) {
  std::vector<std::string> names;
  std::unordered_map<std::string, const ImageItem*> taken;
  for (const ImageItem& item : items) {
    names.push_back(file_name(item));
    if (const auto [other, fresh] = taken.emplace(names.back(), &item); !fresh)
      throw std::invalid_argument(
          fmt::format("{} and {} would both be written to {}.png: expected different names",
                      other->second->hr.string(), item.hr.string(), names.back()));
  }
  return names;
}

bool lies_in(const fs::path& place, const fs::path& folder) {
  const fs::path inner = fs::weakly_canonical(place), outer = fs::weakly_canonical(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

void require_apart(const fs::path& folder, const std::vector<ImageItem>& items) {
  std::set<std::string> sources;  // folders
  for (const ImageItem& item : items)
    if (!item.hr.empty()) sources.insert(item.hr.parent_path().string());
  for (const std::string& source : sources)
    if (lies_in(source.empty() ? "." : source, folder))
      throw std::invalid_argument(fmt::format(
          "{}: holds pictures to read and lies in {}, which is to be written; expected another folder",
          source, folder.string()));
}

void prepare_folder(const fs::path& folder, const std::vector<ImageItem>& items, bool force) {
  if (fs::exists(folder) && !fs::is_directory(folder))
    throw std::invalid_argument(fmt::format("{}: is a file, expected a folder or nothing", folder.string()));
  if (fs::exists(folder) && !fs::is_empty(folder) && !force)
    throw std::invalid_argument(
        fmt::format("{}: is not empty, expected a new folder; --force replaces files of the same names, for "
                    "instance to go on where it was interrupted (the manifest is then missing)",
                    folder.string()));
  for (const char* part : {"hr", "lr"}) {
    require_apart(folder / part, items);
    fs::create_directories(folder / part);
  }
  fs::remove(folder / kManifestName);  // without it, the set counts as unfinished
}

// With the scale and kernel that the set is made with: Real-ESRGAN's chain draws its kernels.
std::optional<DegradeSettings> degradation(const MakeSetOptions& options) {
  if (options.degrade.empty()) return std::nullopt;
  const auto lr = low_resolution(options.source);
  DegradeText keys = options.degrade;
  keys.emplace_back("scale", std::to_string(lr.scale));
  if (std::ranges::none_of(keys, [](const auto& key) { return key.first == "real-esrgan"; }))
    keys.emplace_back("kernel", lr.kernel);
  return parse_degradation(keys);
}

// Writes the files of one picture.
class ItemMaker {
 public:
  ItemMaker(const fs::path& folder, const MakeSetOptions& options,
            const std::optional<DegradeSettings>& settings)
      : folder_(folder),
        options_(options),
        degradation_(settings),
        scale_(low_resolution(options.source).scale) {}

  SetManifest::Item make(const ImageItem& item, const std::string& name) const {
    if (!item.problem.empty()) throw std::runtime_error(item.problem);
    const ItemBytes bytes = read_item(item);
    const ItemIdentity identity = identify_bytes(options_.source, item, bytes);
    Raster whole = read_reference(options_.source, item, bytes);
    const Image picture = to_image(whole);
    const Image cut = cut_picture(picture, identity.reference_width, identity.reference_height);

    SetManifest::Item made{.name = safe_text(item.name)};
    made.file = fmt::format("lr/{}x{}.png", name, scale_);
    made.hr = fmt::format("hr/{}.png", name);
    made.from = safe_text(item.hr.filename().string());
    if (!item.hr.empty()) made.from_sha256 = Hasher().add(bytes.hr.data(), bytes.hr.size()).finish();
    for (const std::string& note : identity.notes) made.notes.push_back(safe_text(note));
    made.sha256 = write(made.file, to_raster(input(cut, identity, made)));
    try {
      made.hr_sha256 = write(made.hr, to_raster(options_.crop ? cut : picture, whole.bit_depth));
    } catch (const std::runtime_error&) {  // no half of a pair is left
      fs::remove(folder_ / made.file);
      throw;
    }
    return made;
  }

 private:
  // Notes in `made` what was drawn.
  Image input(const Image& cut, const ItemIdentity& identity, SetManifest::Item& made) const {
    if (!degradation_) return make_input(options_.source, cut, identity);
    const Digest& content = made.from_sha256.is_zero() ? identity.reference : made.from_sha256;
    made.degradation = describe_degradation(*degradation_, options_.seed, content);
    return degrade(cut, *degradation_, options_.seed, content);
  }

  Digest write(const fs::path& file, const Raster& raster) const {
    const std::vector<std::uint8_t> png = encode_png(raster);
    fs::create_directories((folder_ / file).parent_path());
    write_file_atomically(folder_ / file, png, read_back_check(options_.verify, raster));
    return Hasher().add(png.data(), png.size()).finish();
  }

  const fs::path& folder_;
  const MakeSetOptions& options_;
  const std::optional<DegradeSettings>& degradation_;
  int scale_;
};

struct MadeItem {
  std::optional<SetManifest::Item> item;
  std::string failure;
};

// A picture that cannot be read, or does not come back as it was, fails alone; a file that cannot be written
// ends everything.
std::vector<MadeItem> make_all(const ItemMaker& maker, const std::vector<ImageItem>& items,
                               const std::vector<std::string>& names, const MakeSetOptions& options) {
  std::vector<MadeItem> made(items.size());
  std::atomic<std::size_t> next{0}, done{0};
  std::atomic<bool> broken{false};
  std::exception_ptr error;
  std::once_flag first;
  const auto work = [&](bool reports) {
    const auto ended = [&] { return broken || (options.stop && *options.stop); };
    for (std::size_t i; !ended() && (i = next++) < items.size();) {
      try {
        made[i].item = maker.make(items[i], names[i]);
      } catch (const std::system_error&) {
        std::call_once(first, [&] { error = std::current_exception(); });
        broken = true;
      } catch (const std::exception& failure) {
        made[i].failure = failure.what();
      }
      ++done;
      if (reports && options.on_progress) options.on_progress(done, items.size());
    }
  };
  {
    std::vector<std::jthread> others;
    for (int t = 1; t < options.jobs; ++t) others.emplace_back(work, false);
    work(true);
  }
  if (error) std::rethrow_exception(error);
  return made;
}

SetManifest manifest_of(const MakeSetOptions& options, const std::optional<DegradeSettings>& settings) {
  const auto lr = low_resolution(options.source);
  SetManifest manifest{.name = options.name, .licence = options.licence};
  manifest.made = SetManifest::Made{.by = options.made_by,
                                    .scale = lr.scale,
                                    .kernel = lr.kernel,
                                    .kernel_version = kResamplingVersion,
                                    .degrade = {},
                                    .seed = options.seed,
                                    .cropped = options.crop};
  if (!settings) return manifest;
  for (const auto& [key, value] : canonical_degradation(*settings))
    manifest.made->degrade.push_back(fmt::format("{}={}", key, value));
  manifest.made->degradation_version = kDegradationVersion;
  if (settings->real_esrgan) manifest.made->kernel.clear();
  return manifest;
}

// Files in the set's folders that the manifest does not name: of an earlier set, or put there by someone.
std::size_t count_strangers(const fs::path& folder, const SetManifest& manifest) {
  std::set<fs::path> own;
  for (const SetManifest::Item& item : manifest.items) own.insert({folder / item.file, folder / item.hr});
  std::size_t strangers = 0;
  for (const char* part : {"hr", "lr"})
    for (const auto& entry : fs::recursive_directory_iterator(folder / part))
      strangers += !entry.is_directory() && !own.contains(entry.path());
  return strangers;
}

}  // namespace

MadeSet make_set(const fs::path& folder, const MakeSetOptions& options) {
  const std::optional<DegradeSettings> settings = degradation(options);
  SetListing listing = list_merged(options.source);
  const std::vector<ImageItem>& items = listing.items;
  const std::vector<std::string> names = file_names(items);
  prepare_folder(folder, items, options.force);
  std::vector<MadeItem> made = make_all(ItemMaker(folder, options, settings), items, names, options);

  MadeSet set;
  set.left_out = std::move(listing.left_out);
  SetManifest manifest = manifest_of(options, settings);
  for (MadeItem& one : made) {
    if (one.item) manifest.items.push_back(std::move(*one.item));
    if (!one.failure.empty()) set.failures.push_back(std::move(one.failure));
  }
  set.pictures = manifest.items.size();
  const bool finished = set.pictures + set.failures.size() == items.size();
  if (!finished || manifest.items.empty()) return set;
  const std::string text = to_yaml(manifest);
  write_file_atomically(folder / kManifestName,
                        {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  set.manifest = folder / kManifestName;
  set.strangers = count_strangers(folder, manifest);
  return set;
}

}  // namespace upbench
