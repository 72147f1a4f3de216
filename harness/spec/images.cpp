#include "harness/spec/images.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "harness/spec/read.h"

namespace upbench {
namespace {

constexpr int kMostScale = 16;

ImageSetSpec::LowResolution read_low_resolution(const YamlNode& node, const std::string& what) {
  const MapReader map(node, what, {"scale", "kernel"});
  ImageSetSpec::LowResolution made;
  made.scale = static_cast<int>(read_integer(map.need("scale"), map.path("scale"), 1, kMostScale));
  if (const YamlNode* kernel = map.find("kernel")) made.kernel = read_text(*kernel, map.path("kernel"));
  return made;
}

ImageSetSpec::Procedural read_procedural(const YamlNode& node, const std::string& what) {
  const MapReader map(node, what, {"classes", "count", "size", "seed"});
  ImageSetSpec::Procedural made;
  if (const YamlNode* classes = map.find("classes")) {
    require_kind(*classes, YamlNode::Kind::list, map.path("classes"), "a list of names");
    for (const YamlNode& item : classes->items) made.classes.push_back(read_text(item, map.path("classes")));
    if (made.classes.empty())
      refuse(classes->place,
             fmt::format("{} is an empty list, expected one class or more", map.path("classes")));
  }
  if (const YamlNode* count = map.find("count"))
    made.count = static_cast<int>(read_integer(*count, map.path("count"), 1, 1'000'000));
  if (const YamlNode* size = map.find("size"))
    made.size = static_cast<int>(read_integer(*size, map.path("size"), 16, 16384));
  if (const YamlNode* seed = map.find("seed")) made.seed = read_unsigned(*seed, map.path("seed"));
  return made;
}

void read_source(const MapReader& map, const YamlNode& node, ImageSetSpec& images) {
  const YamlNode* lr = map.find("lr");
  const bool lr_is_files = lr && lr->is(YamlNode::Kind::scalar);
  const YamlNode *path = map.find("path"), *hr = map.find("hr"), *procedural = map.find("procedural");
  const int sources = (path != nullptr) + (hr != nullptr) + (procedural != nullptr) + (lr_is_files && !hr);
  if (sources != 1)
    refuse(node.place, fmt::format("images names {} sources of pictures, expected one: {{path, lr: "
                                   "{{scale}}}}, {{hr, lr}}, {{lr}} or "
                                   "{{procedural, lr: {{scale}}}}",
                                   sources));
  if (path) images.path = read_path(*path, map.path("path"));
  if (hr) images.hr = read_path(*hr, map.path("hr"));
  if (procedural) images.procedural = read_procedural(*procedural, map.path("procedural"));
  if (lr_is_files) {
    images.lr = read_path(*lr, map.path("lr"));
  } else {
    const YamlNode& needed = map.need("lr");
    if (hr)
      refuse(needed.place,
             "images.lr is no path, expected the folder of low-resolution pictures (or images.path instead "
             "of images.hr)");
    images.make_lr = read_low_resolution(needed, map.path("lr"));
  }
}

// Relative to the spec's folder where it lies below it, so that moving both together is the same request.
std::string portable(const std::filesystem::path& path, const std::filesystem::path& directory) {
  const auto [in_path, in_directory] =
      std::mismatch(path.begin(), path.end(), directory.begin(), directory.end());
  if (in_directory != directory.end() || directory.empty()) return path.generic_string();
  std::filesystem::path rest;
  for (auto part = in_path; part != path.end(); ++part) rest /= *part;
  return rest.generic_string();
}

}  // namespace

void read_images(const YamlNode& node, Spec& spec) {
  const MapReader map(node, "images", {"path", "hr", "lr", "match", "scale", "procedural", "limit"});
  read_source(map, node, spec.images);
  if (const YamlNode* match = map.find("match")) {
    spec.images.match = read_text(*match, map.path("match"));
    if (spec.images.hr.empty()) refuse(match->place, "images.match without images.hr, expected both or none");
    if (spec.images.match.find("{name}") == std::string::npos)
      refuse(match->place, fmt::format("images.match is '{}', expected {{name}} in it", spec.images.match));
  }
  if (const YamlNode* scale = map.find("scale")) {
    if (!spec.images.hr.empty() || spec.images.make_lr)
      refuse(scale->place,
             "images.scale beside pictures that have references, expected it only with images.lr alone");
    spec.scale = static_cast<int>(read_integer(*scale, map.path("scale"), 1, kMostScale));
  }
  if (const YamlNode* limit = map.find("limit"))
    spec.images.limit = read_integer(*limit, map.path("limit"), 0, std::numeric_limits<std::int32_t>::max());
}

nlohmann::json images_json(const Spec& spec) {
  const ImageSetSpec& images = spec.images;
  nlohmann::json json = {{"limit", images.limit},
                         {"match", images.match},
                         {"scale", spec.scale},
                         {"same_size", images.same_size},
                         {"cut_reference", images.cut_reference}};
  for (const auto& [key, path] :
       {std::pair{"path", images.path}, std::pair{"hr", images.hr}, std::pair{"lr", images.lr}})
    if (!path.empty()) json[key] = portable(path, spec.directory);
  if (images.make_lr)
    json["make_lr"] = {{"scale", images.make_lr->scale}, {"kernel", images.make_lr->kernel}};
  if (images.procedural)
    json["procedural"] = {{"classes", images.procedural->classes},
                          {"count", images.procedural->count},
                          {"size", images.procedural->size},
                          {"seed", images.procedural->seed}};
  return json;
}

}  // namespace upbench
