#include "reports/review.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "harness/store/kept_names.h"
#include "reports/review_page.h"
#include "reports/statistics/random.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

constexpr int kMargin = 32, kLargestCrop = 512, kSmallestCrop = 96;

// One decision of a detector.
struct Item {
  DetectionRow detection;
  double value = 0;
  std::string cell, picture, kept_file;
  Digest output, image;
  double weight = 1;
  std::uint64_t order = 0;  // random
};

struct Region {
  int x = 0, y = 0, width = 0, height = 0;
};

std::vector<Item> all_items(const Store& store, const RunPlan& plan, const Digest& run, std::uint64_t seed) {
  std::vector<Item> items;
  store.for_each_trial(run, [&](const TrialResult& trial) {
    if (trial.same_as != kNoTrial) return;
    for (const DetectionRow& detection : trial.detections) {
      Item item{.detection = detection,
                .cell = label_text(plan.cells[trial.cell].label),
                .picture = plan.images[trial.image].name,
                .kept_file = trial.kept_file,
                .output = trial.output,
                .image = plan.images[trial.image].key};
      for (std::size_t m = 0; m < plan.metrics.size(); ++m)
        if (plan.metrics[m].name == detection.detector) item.value = trial.scores[m].value;
      item.order = Random(seed, items.size()).next();
      items.push_back(std::move(item));
    }
  });
  return items;
}

// At most so many of each detector, each with the weight of what it stands for.
void sample(std::vector<Item>& items, bool flagged, std::size_t most) {
  std::map<std::string, std::vector<std::uint64_t>> orders;
  for (const Item& item : items)
    if (item.detection.flagged == flagged) orders[item.detection.detector].push_back(item.order);
  for (auto& [detector, all] : orders) std::ranges::sort(all);
  std::erase_if(items, [&](const Item& item) {
    if (item.detection.flagged != flagged) return false;
    const auto& all = orders[item.detection.detector];
    return most == 0 || (all.size() > most && item.order > all[most - 1]);
  });
  for (Item& item : items)
    if (item.detection.flagged == flagged) {
      const auto all = static_cast<double>(orders[item.detection.detector].size());
      item.weight = std::max(1.0, all / static_cast<double>(most));
    }
}

// Around the worst box; of what has none the middle.
Region region_of(const Item& item, const Raster& picture) {
  Region region{0, 0, picture.width, picture.height};
  if (!item.detection.boxes.empty()) {
    const DetectionRow::Box& box = item.detection.boxes.front();
    region = {box.x - kMargin, box.y - kMargin, box.width + 2 * kMargin, box.height + 2 * kMargin};
  }
  const auto fit = [](int& start, int& length, int whole) {
    const int centre = start + length / 2;
    length = std::min(std::clamp(length, kSmallestCrop, kLargestCrop), whole);
    start = std::clamp(centre - length / 2, 0, whole - length);
  };
  fit(region.x, region.width, picture.width);
  fit(region.y, region.height, picture.height);
  return region;
}

// The same part of the scene in a picture of any size, 8 bit.
Raster part(const Raster& picture, const Region& region, const Raster& full) {
  const auto scaled = [](int value, int to, int from) {
    return static_cast<int>(static_cast<std::int64_t>(value) * to / from);
  };
  const int left = scaled(region.x, picture.width, full.width),
            top = scaled(region.y, picture.height, full.height);
  const int right = std::max(left + 1, scaled(region.x + region.width, picture.width, full.width)),
            bottom = std::max(top + 1, scaled(region.y + region.height, picture.height, full.height));
  Raster cut{.width = std::min(right, picture.width) - left,
             .height = std::min(bottom, picture.height) - top,
             .channels = picture.channels};
  const auto pixel = static_cast<std::size_t>(picture.channels);
  for (int y = top; y < top + cut.height; ++y) {
    const auto* row = picture.samples.data() + static_cast<std::size_t>(y) * picture.row_bytes() +
                      static_cast<std::size_t>(left) * pixel;
    cut.samples.insert(cut.samples.end(), row, row + static_cast<std::size_t>(cut.width) * pixel);
  }
  return cut;
}

std::optional<Raster> read_kept(const fs::path& file) {
  if (!fs::is_regular_file(file)) return std::nullopt;
  return decode_file(file, kNoDecodeLimits);
}

// Writes the pictures of an item; its entry for the page. Nothing where the output was not kept.
std::optional<nlohmann::json> write_item(const Item& item, std::size_t index, const fs::path& kept,
                                         const fs::path& files) {
  const std::optional<Raster> output =
      item.kept_file.empty() ? std::nullopt : read_kept(kept / item.kept_file);
  if (!output) return std::nullopt;
  const Region region = region_of(item, *output);
  nlohmann::json pictures = nlohmann::json::object();
  const auto add = [&](const char* name, const std::optional<Raster>& picture) {
    if (!picture || picture->bit_depth != 8) return;
    const std::string file = fmt::format("{}-{}.png", index, name);
    write_file_atomically(files / file,
                          encode_png(part(*picture, region, *output), {.level = 1, .text = {}}));
    pictures[name] = files.filename().string() + "/" + file;
  };
  add("result", output);
  add("reference", read_kept(kept / kept_reference_name(item.image)));
  add("input", read_kept(kept / kept_input_name(item.image)));
  if (!item.detection.map_file.empty()) add("map", read_kept(kept / item.detection.map_file));
  return nlohmann::json{{"output", item.output.hex()},
                        {"picture", item.picture},
                        {"cell", item.cell},
                        {"detector", item.detection.detector},
                        {"value", item.value},
                        {"threshold", item.detection.threshold},
                        {"flagged", item.detection.flagged},
                        {"gates", item.detection.gates},
                        {"calibration", item.detection.calibration},
                        {"weight", item.weight},
                        {"region", {region.x, region.y, region.width, region.height}},
                        {"pictures", pictures}};
}

}  // namespace

ReviewSummary write_review(const Store& store, const Digest& run, const fs::path& page,
                           const ReviewOptions& options) {
  const RunPlan plan = store.plan(run);
  std::vector<Item> items = all_items(store, plan, run, options.seed);
  const fs::path kept = store.output_folder();
  ReviewSummary summary;
  summary.without_picture = std::erase_if(items, [&](const Item& item) {
    return item.kept_file.empty() || !fs::is_regular_file(kept / item.kept_file);
  });
  sample(items, true, options.most_flagged);
  sample(items, false, options.unflagged);
  // Mixed, so that nobody can tell from the place what was flagged.
  std::ranges::sort(items, {}, &Item::order);
  const fs::path files = page.parent_path() / (page.stem().string() + "_files");
  fs::create_directories(files);
  nlohmann::json entries = nlohmann::json::array();
  for (const Item& item : items) {
    std::optional<nlohmann::json> entry = write_item(item, entries.size(), kept, files);
    if (!entry) continue;
    ++(item.detection.flagged ? summary.flagged : summary.unflagged);
    entries.push_back(std::move(*entry));
  }
  const std::string text = review_page(plan.run.name, run.hex(), entries);
  write_file_atomically(page, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return summary;
}

}  // namespace upbench
