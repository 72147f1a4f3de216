// The data block:
//   methods    [{name, settings}]
//   metrics    [{name, unit, better: "higher" | "lower", decimals}]
//   scenes     [{picture, size: [W, H], rect: [x, y, w, h] of it, sources: [by method: index, link or null],
//                reference, input: index, link or null, input_rect: [x, y, w, h] in pixels of the scene,
//                scores: [by method: null or by metric: number, "inf" or null], missing: [by method: why,
//                ""], boxes: [{method, kind: name of the detector, rect: in pixels of the scene}],
//                maps: [{method, kind, unit, source: index, black, white: what they stand for, threshold:
//                number or null}] over the whole picture}]
//   worst      [{metric, method, rival, scene, rect: in pixels of the scene, score, behind, rank, detects:
//                the metric is an artifact detector, flagged}]
// An index is that of a source, a link the name of a file beside the page.
#include "reports/pictures/gallery.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/pictures/methods.h"
#include "reports/pictures/picture_files.h"
#include "reports/pictures/picture_maps.h"
#include "reports/pictures/picture_store.h"
#include "reports/pictures/shown_picture.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

using nlohmann::json;

constexpr int kWorstSide = 256;         // of a crop around a worst place
constexpr int kLeastSide = 96;          // of any other crop
constexpr int kMarkedSide = 96;         // of the place itself
constexpr std::size_t kMostCrops = 3;   // of one picture
constexpr double kBytesPerPixel = 1.6;  // of photographs, lossless WebP as base64; an estimate
constexpr double kForWorst = 0.6;       // of the limit, while other pictures wait

json rect_json(const Rect& rect) {
  return {rect.x, rect.y, rect.width, rect.height};
}

// What the pipeline got of the rectangle, and where that lies in it: pixels of the input are larger.
struct InputCrop {
  Raster raster;
  json rect;
};
InputCrop crop_input(const Raster& input, const Rect& rect, int width, int height) {
  const double sx = double(width) / input.width, sy = double(height) / input.height;
  Rect own{.x = static_cast<int>(std::floor(rect.x / sx)), .y = static_cast<int>(std::floor(rect.y / sy))};
  own.width = std::min(input.width, static_cast<int>(std::ceil((rect.x + rect.width) / sx))) - own.x;
  own.height = std::min(input.height, static_cast<int>(std::ceil((rect.y + rect.height) / sy))) - own.y;
  return {crop(input, own), {own.x * sx - rect.x, own.y * sy - rect.y, own.width * sx, own.height * sy}};
}

class GalleryMaker {
 public:
  GalleryMaker(const Analysis& analysis, const Decisions& decisions, const GalleryOptions& options)
      : analysis_(analysis),
        data_(*analysis.data),
        options_(options),
        files_(data_),
        methods_(analysis, decisions, files_),
        cases_(worst_cases(analysis, methods_)),
        embedded_(options.embed_limit) {}

  std::optional<Gallery> make();

 private:
  std::vector<std::uint32_t> by_priority() const;
  bool all_fit() const;
  void add_picture(std::uint32_t image, bool whole, std::size_t waiting);
  bool embed(const ShownPicture& picture, const Rect& rect);
  void add_full(const ShownPicture& picture);
  void add_worst(const ShownPicture& picture, std::size_t first_scene);
  std::vector<Rect> crops_of(const ShownPicture& picture, std::size_t waiting) const;
  json scene(const ShownPicture& picture, const Rect& rect) const;
  json scores(std::size_t method, std::uint32_t image) const;
  json boxes(const ShownPicture& picture, const Rect& rect) const;
  void add_maps(const ShownPicture& picture, std::size_t first_scene);
  Rect place_of(const ShownPicture& picture, const WorstCase& worst, int side) const;
  std::string missing(const ShownPicture& picture, std::size_t method) const;
  bool is_worst_somewhere(std::uint32_t image) const;

  const Analysis& analysis_;
  const RunData& data_;
  const GalleryOptions& options_;
  PictureFiles files_;
  ShownMethods methods_;
  std::vector<WorstCase> cases_;
  EmbeddedPictures embedded_;
  json scenes_ = json::array(), worst_ = json::array();
  std::size_t left_out_ = 0;  // pictures
};

// The worst of every metric, then the second worst, ...; then pictures that are nowhere the worst.
std::vector<std::uint32_t> GalleryMaker::by_priority() const {
  std::vector<std::pair<std::size_t, std::uint32_t>> ranked;
  for (const WorstCase& worst : cases_) ranked.emplace_back(worst.rank, worst.image);
  std::ranges::stable_sort(ranked, {}, &std::pair<std::size_t, std::uint32_t>::first);
  std::vector<std::uint32_t> order;
  const auto add = [&](std::uint32_t image) {
    if (std::ranges::find(order, image) == order.end()) order.push_back(image);
  };
  for (const auto& [place, image] : ranked) add(image);
  for (const std::uint32_t image : methods_.images()) add(image);
  return order;
}

bool GalleryMaker::is_worst_somewhere(std::uint32_t image) const {
  return std::ranges::any_of(cases_, [&](const WorstCase& worst) { return worst.image == image; });
}

// By an estimate; add_picture() still counts.
bool GalleryMaker::all_fit() const {
  double pixels = 0;
  for (const std::uint32_t image : methods_.images()) {
    std::vector<Digest> distinct;
    double largest = 0;
    for (std::size_t k = 0; k < methods_.cells().size(); ++k) {
      if (methods_.trial(k, image) == kNoTrial) continue;
      const RunData::Trial& trial = data_.trials[methods_.trial(k, image)];
      if (std::ranges::find(distinct, trial.pixels) == distinct.end()) distinct.push_back(trial.pixels);
      largest = std::max(largest, double(trial.width) * trial.height);
    }
    pixels += largest * static_cast<double>(distinct.size() + 2);
  }
  return pixels * kBytesPerPixel <= static_cast<double>(options_.embed_limit);
}

std::optional<Gallery> GalleryMaker::make() {
  if (methods_.cells().empty()) return {};
  const std::vector<std::uint32_t> order = by_priority();
  const bool whole = all_fit();
  for (std::size_t i = 0; i < order.size(); ++i) add_picture(order[i], whole, order.size() - i);
  Gallery gallery;
  json methods = json::array(), metrics = json::array();
  for (const std::uint32_t cell : methods_.cells())
    methods.push_back({{"name", clean_text(analysis_.cells[cell].name)},
                       {"settings", clean_text(label_text(data_.plan.cells[cell].label))}});
  for (const MetricRow& metric : data_.plan.metrics)
    metrics.push_back({{"name", clean_text(metric.name)},
                       {"unit", clean_text(metric.unit)},
                       {"better", metric.higher_is_better ? "higher" : "lower"},
                       {"decimals", std::clamp(metric.decimals, 0, 10)}});
  if (methods_.left_out() > 0)
    gallery.notes.push_back(fmt::format(
        "{} of {} cells are shown: the best of each kind, those that no faster one beats, and the "
        "next by rank.",
        methods_.cells().size(), data_.plan.cells.size()));
  if (!whole)
    gallery.notes.push_back(fmt::format(
        "Crops, chosen where a method falls furthest behind the best of the others{}. Whole pictures: "
        "upbench report --full-pictures, or a larger --embed-limit.",
        left_out_ > 0
            ? fmt::format("; {} pictures did not fit into {} MB", left_out_, options_.embed_limit / 1'000'000)
            : ""));
  gallery.data = {{"methods", methods}, {"metrics", metrics}, {"scenes", scenes_}, {"worst", worst_}};
  gallery.sources = embedded_.take();
  if (scenes_.empty()) return {};
  return gallery;
}

std::vector<Rect> GalleryMaker::crops_of(const ShownPicture& picture, std::size_t waiting) const {
  if (!is_worst_somewhere(picture.image())) {
    const double pixels = static_cast<double>(embedded_.left()) /
                          (kBytesPerPixel * static_cast<double>(waiting * (picture.methods() + 2)));
    return {picture.worst_of_all(std::clamp(static_cast<int>(std::sqrt(pixels)), kLeastSide, kWorstSide))};
  }
  std::vector<WorstCase> here;
  std::ranges::copy_if(cases_, std::back_inserter(here),
                       [&](const WorstCase& worst) { return worst.image == picture.image(); });
  std::ranges::stable_sort(here, {}, &WorstCase::rank);
  std::vector<Rect> crops;
  for (const WorstCase& worst : here) {
    if (crops.size() == kMostCrops) break;
    const Rect rect = place_of(picture, worst, kWorstSide);
    if (std::ranges::none_of(crops, [&](const Rect& other) { return overlap(rect, other) > 0.5; }))
      crops.push_back(rect);
  }
  return crops;
}

void GalleryMaker::add_picture(std::uint32_t image, bool whole, std::size_t waiting) {
  const ShownPicture picture(files_, data_, methods_, image);
  if (picture.width() == 0) return;
  const Rect all{0, 0, picture.width(), picture.height()};
  const std::size_t first_scene = scenes_.size();
  const bool share =
      static_cast<double>(embedded_.left()) > (1 - kForWorst) * static_cast<double>(options_.embed_limit);
  const bool enough = !is_worst_somewhere(image) || share || whole;
  if (!(whole && embed(picture, all)) && enough)
    for (const Rect& rect : crops_of(picture, waiting)) embed(picture, rect);
  if (scenes_.size() == first_scene && enough) embed(picture, picture.worst_of_all(kLeastSide));
  if (scenes_.size() == first_scene) ++left_out_;
  if (!options_.full_pictures.empty() &&
      (scenes_.size() == first_scene || scenes_.back()["rect"] != rect_json(all)))
    add_full(picture);
  add_maps(picture, first_scene);
  add_worst(picture, first_scene);
}

json GalleryMaker::scores(std::size_t method, std::uint32_t image) const {
  const std::uint32_t trial = methods_.trial(method, image);
  if (trial == kNoTrial) return nullptr;
  json list = json::array();
  for (std::size_t m = 0; m < data_.plan.metrics.size(); ++m) {
    const RunData::Score& score = data_.score(trial, m);
    list.push_back(score.flag == ValueFlag::ok    ? json(score.value)
                   : score.flag == ValueFlag::inf ? json("inf")
                                                  : json(nullptr));
  }
  return list;
}

// What detectors flagged inside the rectangle, cut to it.
json GalleryMaker::boxes(const ShownPicture& picture, const Rect& rect) const {
  json list = json::array();
  for (std::size_t k = 0; k < picture.methods(); ++k) {
    const auto found = data_.places.find(methods_.trial(k, picture.image()));
    if (found == data_.places.end()) continue;
    for (const RunData::Place& place : found->second) {
      const Rect shown = intersection({place.box.x, place.box.y, place.box.width, place.box.height}, rect);
      if (shown.width == 0 || shown.height == 0) continue;
      list.push_back({{"method", k},
                      {"kind", clean_text(data_.plan.metrics[place.metric].name)},
                      {"rect", {shown.x - rect.x, shown.y - rect.y, shown.width, shown.height}}});
    }
  }
  return list;
}

// Of a detector the worst box that it flagged, of others where most is lost.
Rect GalleryMaker::place_of(const ShownPicture& picture, const WorstCase& worst, int side) const {
  const auto found = data_.places.find(methods_.trial(worst.method, picture.image()));
  if (analysis_.detects(worst.metric) && found != data_.places.end())
    for (const RunData::Place& place : found->second) {
      const DetectionRow::Box& box = place.box;
      if (place.metric != worst.metric || box.width <= 0 || box.height <= 0) continue;
      return rect_around(box.x + box.width / 2.0, box.y + box.height / 2.0, side, picture.width(),
                         picture.height());
    }
  return picture.worst(worst.method, side).rect;
}

// Of the picture's scenes. Small beside the pictures; they are left out where nothing fits any more.
void GalleryMaker::add_maps(const ShownPicture& picture, std::size_t first_scene) {
  if (scenes_.size() == first_scene) return;
  json shown = json::array();
  for (const PictureMap& map : picture_maps(picture, files_, data_, methods_)) {
    const std::vector<std::size_t> index = embedded_.add({map.colours});
    if (index.empty()) continue;
    shown.push_back({{"method", map.method},
                     {"kind", map.kind},
                     {"unit", map.unit},
                     {"source", index.front()},
                     {"black", map.black},
                     {"white", map.white},
                     {"threshold", map.threshold ? json(*map.threshold) : json(nullptr)}});
  }
  for (std::size_t s = first_scene; s < scenes_.size(); ++s) scenes_[s]["maps"] = shown;
}

std::string GalleryMaker::missing(const ShownPicture& picture, std::size_t method) const {
  for (const RunData::Trial& trial : data_.trials)
    if (trial.cell == methods_.cells()[method] && trial.image == picture.image())
      return !trial.finished ? "not computed yet"
             : trial.status == Status::ok
                 ? "its picture was not kept"
                 : fmt::format("{}: {}", to_string(trial.status), clean_text(data_.text(trial.reason)));
  return "not part of the run";
}

json GalleryMaker::scene(const ShownPicture& picture, const Rect& rect) const {
  const auto count = static_cast<std::ptrdiff_t>(picture.methods());
  json scene = {{"picture", clean_text(data_.plan.images[picture.image()].name)},
                {"size", {picture.width(), picture.height()}},
                {"rect", rect_json(rect)},
                {"sources", json(std::vector<std::nullptr_t>(static_cast<std::size_t>(count)))},
                {"reference", nullptr},
                {"input", nullptr},
                {"scores", json::array()},
                {"missing", json::array()},
                {"boxes", boxes(picture, rect)}};
  for (std::size_t k = 0; k < picture.methods(); ++k) {
    scene["scores"].push_back(scores(k, picture.image()));
    scene["missing"].push_back("");
  }
  return scene;
}

bool GalleryMaker::embed(const ShownPicture& picture, const Rect& rect) {
  json added = scene(picture, rect);
  std::vector<Raster> rasters;
  std::vector<json*> places;
  for (std::size_t k = 0; k < picture.methods(); ++k) {
    if (const auto raster = picture.output(k)) {
      rasters.push_back(crop(*raster, rect));
      places.push_back(&added["sources"][k]);
    } else {
      added["missing"][k] = missing(picture, k);
    }
  }
  if (picture.reference()) {
    rasters.push_back(crop(*picture.reference(), rect));
    places.push_back(&added["reference"]);
  }
  if (picture.input()) {
    InputCrop input = crop_input(*picture.input(), rect, picture.width(), picture.height());
    rasters.push_back(std::move(input.raster));
    places.push_back(&added["input"]);
    added["input_rect"] = input.rect;
  }
  const std::vector<std::size_t> indices = embedded_.add(rasters);
  if (indices.empty()) return false;
  for (std::size_t i = 0; i < indices.size(); ++i) *places[i] = indices[i];
  scenes_.push_back(std::move(added));
  return true;
}

void GalleryMaker::add_full(const ShownPicture& picture) {
  json added = scene(picture, {0, 0, picture.width(), picture.height()});
  for (std::size_t k = 0; k < picture.methods(); ++k) {
    if (const auto raster = picture.output(k))
      added["sources"][k] = write_full_picture(options_.full_pictures, *raster);
    else
      added["missing"][k] = missing(picture, k);
  }
  if (picture.reference())
    added["reference"] = write_full_picture(options_.full_pictures, *picture.reference());
  if (picture.input()) {
    added["input"] = write_full_picture(options_.full_pictures, *picture.input());
    added["input_rect"] = {0, 0, picture.width(), picture.height()};
  }
  scenes_.push_back(std::move(added));
}

// The scene that shows most of the place.
void GalleryMaker::add_worst(const ShownPicture& picture, std::size_t first_scene) {
  for (const WorstCase& worst : cases_) {
    if (worst.image != picture.image()) continue;
    const Rect place = place_of(picture, worst, kMarkedSide);
    std::size_t best = scenes_.size();
    double most = 0.3;
    Rect in_scene;
    for (std::size_t s = first_scene; s < scenes_.size(); ++s) {
      const auto& r = scenes_[s]["rect"];
      const Rect rect{r[0], r[1], r[2], r[3]};
      if (overlap(place, rect) <= most) continue;
      most = overlap(place, rect);
      best = s;
      in_scene = {place.x - rect.x, place.y - rect.y, place.width, place.height};
    }
    if (best == scenes_.size()) continue;
    worst_.push_back({{"metric", worst.metric},
                      {"method", worst.method},
                      {"rival", worst.rival},
                      {"scene", best},
                      {"rect", rect_json(in_scene)},
                      {"score", worst.score},
                      {"behind", worst.behind},
                      {"rank", worst.rank},
                      {"detects", analysis_.detects(worst.metric)},
                      {"flagged", data_.decision(methods_.trial(worst.method, worst.image), worst.metric) ==
                                      RunData::Decision::flagged}});
  }
}

}  // namespace

std::optional<Gallery> make_gallery(const Analysis& analysis, const Decisions& decisions,
                                    const GalleryOptions& options) {
  return GalleryMaker(analysis, decisions, options).make();
}

}  // namespace upbench
