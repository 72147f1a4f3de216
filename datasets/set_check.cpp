#include "datasets/set_check.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/codec/decode.h"
#include "datasets/item_identity.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

constexpr int kSsimWindow = 11;  // pixels a side

// What one item's files are, found by any thread.
struct Looked {
  std::vector<SetFinding> findings;
  Digest lr, hr;  // of the bytes; zero: no picture
  int scale = 0;  // 0: none, or a problem
  std::uint64_t bytes = 0, pixels = 0;
};

// Errors name the file first; a finding has the file elsewhere.
std::string without_file(const std::string& text, const fs::path& file) {
  const std::string prefix = file.string() + ": ";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

class ItemCheck {
 public:
  ItemCheck(const ImageSetSpec& spec, const ImageItem& item) : spec_(spec), item_(item) {}

  Looked look() {
    const fs::path& file = item_.hr.empty() ? item_.lr : item_.hr;
    if (!item_.problem.empty()) add(Severity::problem, "missing partner", file, item_.problem);
    ItemBytes bytes;
    Size hr;
    const bool lr_sound = look_at(item_.lr, item_.lr_sha256, bytes.lr, looked_.lr, nullptr);
    const bool hr_sound = look_at(item_.hr, item_.hr_sha256, bytes.hr, looked_.hr, &hr);
    if (lr_sound && hr_sound && item_.problem.empty()) look_at_sizes(bytes, file, hr);
    return std::move(looked_);
  }

 private:
  struct Size {
    int width = 0, height = 0;
  };

  void add(Severity severity, std::string kind, const fs::path& file, const std::string& text) {
    looked_.findings.push_back({severity, std::move(kind), item_.name, file, without_file(text, file)});
  }

  // False where the file is of no use; an item without this file is fine.
  bool look_at(const fs::path& file, const Digest& expected, std::vector<std::uint8_t>& bytes, Digest& digest,
               Size* size) {
    if (file.empty()) return true;
    try {
      bytes = read_bytes(file);
    } catch (const std::exception& error) {
      add(Severity::problem, "unreadable", file, error.what());
      return false;
    }
    looked_.bytes += bytes.size();
    const Digest found = Hasher().add(bytes.data(), bytes.size()).finish();
    const bool meant = expected.is_zero() || found == expected;
    if (!meant)
      add(Severity::problem, "hash mismatch", file,
          fmt::format("sha256 is {}, expected {} as the manifest says", found.hex(), expected.hex()));
    try {
      const Raster raster = decode(bytes, file.string(), decode_limits(spec_));
      looked_.pixels += static_cast<std::uint64_t>(raster.width) * static_cast<std::uint64_t>(raster.height);
      if (size) *size = {raster.width, raster.height};
      add_notes(file, raster);
      digest = found;
      return meant;
    } catch (const std::exception& error) {
      add(Severity::problem, "undecodable", file, error.what());
      return false;
    }
  }

  void add_notes(const fs::path& file, const Raster& raster) {
    for (const std::string& note : raster.notes) {
      if (note.starts_with("named "))
        add(Severity::warning, "wrong extension", file, note);
      else if (note.starts_with("icc_ignored"))
        add(Severity::warning, "icc ignored", file, note);
      else if (note.starts_with(kCorruptNote))
        add(Severity::warning, "corrupt", file, note);
      else
        add(Severity::note, "decoding", file, note);
    }
    if (raster.bit_depth == 16) add(Severity::note, "decoding", file, std::string(kDeepNote));
  }

  void look_at_sizes(const ItemBytes& bytes, const fs::path& file, Size hr) {
    try {
      const ItemIdentity identity = identify_bytes(spec_, item_, bytes);
      looked_.scale = identity.scale;
      if (identity.reference.is_zero()) return;
      const int width = identity.reference_width, height = identity.reference_height;
      if (hr.width > 0 && (hr.width != width || hr.height != height))
        add(Severity::note, "cut", file,
            fmt::format("{}x{} is used as {}x{}", hr.width, hr.height, width, height));
      const int border = identity.scale;
      if (std::min(width, height) - 2 * border < kSsimWindow)
        add(Severity::warning, "too small", file,
            fmt::format(
                "{}x{} without a border of {} is smaller than SSIM's window of {} pixels: such scores "
                "are skipped",
                width, height, border, kSsimWindow));
    } catch (const std::exception& error) {
      add(Severity::problem, "size mismatch", file, error.what());
    }
  }

  const ImageSetSpec& spec_;
  const ImageItem& item_;
  Looked looked_;
};

// Items by several threads, the calling one among them.
std::vector<Looked> look_at_all(const ImageSetSpec& spec, const std::vector<ImageItem>& items,
                                const SetCheckOptions& options) {
  std::vector<Looked> looked(items.size());
  std::atomic<std::size_t> next{0}, done{0};
  const auto stopped = [&] { return options.stop && options.stop->load(); };
  const auto work = [&](bool reports) {
    for (std::size_t i; !stopped() && (i = next++) < items.size();) {
      looked[i] = ItemCheck(spec, items[i]).look();
      ++done;
      if (reports && options.on_progress) options.on_progress(done, items.size());
    }
  };
  {
    std::vector<std::jthread> others;
    for (int t = 1; t < options.threads; ++t) others.emplace_back(work, false);
    work(true);
  }
  return looked;
}

// The same bytes under two names, among the files of one role.
class Duplicates {
 public:
  void look_at(const Digest& digest, const ImageItem& item, const fs::path& file,
               std::vector<SetFinding>& findings) {
    if (digest.is_zero()) return;
    const auto [first, fresh] = first_.emplace(digest, &file);
    if (fresh) return;
    findings.push_back(
        {Severity::warning, "duplicate", item.name, file,
         fmt::format("the same bytes as {}: scored once, shown for both", first->second->string())});
  }

 private:
  std::unordered_map<Digest, const fs::path*> first_;
};

void add_scales(const std::vector<ImageItem>& items, const std::vector<Looked>& looked, SetCheck& check) {
  std::map<int, std::pair<std::size_t, std::string>> scales;  // how many, the first one's name
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (looked[i].scale == 0) continue;
    auto& [count, name] = scales[looked[i].scale];
    if (count++ == 0) name = items[i].name;
  }
  if (scales.size() < 2) return;
  std::vector<std::string> parts;
  for (const auto& [scale, those] : scales)
    parts.push_back(
        fmt::format("{} for x{} ({}{})", those.first, scale, those.second, those.first > 1 ? ", ..." : ""));
  check.findings.push_back({Severity::problem, "different scales", "", "",
                            fmt::format("pictures ask for different scales: {}; expected one scale in a set",
                                        fmt::join(parts, ", "))});
}

}  // namespace

std::string_view to_string(Severity severity) {
  constexpr std::string_view kNames[] = {"note", "warning", "problem"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::size_t SetCheck::count(Severity severity) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      findings, [&](const SetFinding& finding) { return finding.severity == severity; }));
}

SetCheck check_set(const ImageSetSpec& spec, const SetCheckOptions& options) {
  const SetListing listing = list_set(spec);
  std::vector<Looked> looked = look_at_all(spec, listing.items, options);
  SetCheck check;
  check.stopped = options.stop && options.stop->load();
  check.pictures = listing.items.size();
  for (const LeftOut& left_out : listing.left_out)
    for (const auto& [suffix, count] : left_out.files) check.left_out[suffix] += count;
  std::unordered_set<std::string_view> conflicting;
  for (const SetConflict& conflict : listing.conflicts) {
    conflicting.insert(conflict.item);
    check.findings.push_back({Severity::problem, "same name", conflict.item, conflict.file, conflict.text});
  }
  add_scales(listing.items, looked, check);
  Duplicates lr, hr;
  for (std::size_t i = 0; i < looked.size(); ++i) {
    const ImageItem& item = listing.items[i];
    std::vector<SetFinding>& found = looked[i].findings;
    lr.look_at(looked[i].lr, item, item.lr, found);
    hr.look_at(looked[i].hr, item, item.hr, found);
    check.usable +=
        !conflicting.contains(item.name) && std::ranges::none_of(found, [](const SetFinding& finding) {
          return finding.severity == Severity::problem;
        });
    check.bytes += looked[i].bytes;
    check.pixels += looked[i].pixels;
    std::ranges::move(found, std::back_inserter(check.findings));
  }
  return check;
}

}  // namespace upbench
