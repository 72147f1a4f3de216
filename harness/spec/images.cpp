#include "harness/spec/images.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "harness/spec/manifest.h"
#include "harness/spec/read.h"

namespace upbench {
namespace {

constexpr int kMostScale = 16;
constexpr int kMostMegapixels = 1'000'000;

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

// Keys that say where pictures come from; so does an `lr` that names files.
constexpr std::string_view kSources[] = {"path", "list", "hr", "manifest", "procedural"};

bool lr_names_files(const YamlNode& images) {
  const YamlNode* lr = images.find("lr");
  return lr && lr->is(YamlNode::Kind::scalar);
}

// A text file that lists paths, or the paths themselves.
void read_list(const YamlNode& node, const std::string& what, ImageSetSpec& images) {
  if (node.is(YamlNode::Kind::scalar)) {
    images.path = read_path(node, what);
    if (images.path.extension() != ".txt")
      refuse(node.place,
             fmt::format("{} is {}, expected a file named .txt with one path a line, or a list of "
                         "paths",
                         what, describe(node)));
    return;
  }
  require_kind(node, YamlNode::Kind::list, what,
               "a list of paths, or a file named .txt with one path a line");
  if (node.items.empty())
    refuse(node.place, fmt::format("{} is an empty list, expected one path or more", what));
  for (const YamlNode& item : node.items) images.list.push_back(read_path(item, what));
}

void read_tags(const YamlNode& node, const std::string& what, ImageSetSpec& images) {
  if (!images.manifest)
    refuse(node.place, fmt::format("{} without images.manifest, expected both or none", what));
  require_kind(node, YamlNode::Kind::list, what, "a list of texts");
  for (const YamlNode& item : node.items) images.tags.push_back(read_text(item, what));
}

void read_source(const MapReader& map, const YamlNode& node, ImageSetSpec& images) {
  const bool lr_is_files = lr_names_files(node);
  const YamlNode *lr = map.find("lr"), *hr = map.find("hr"), *manifest = map.find("manifest");
  const auto named = std::ranges::count_if(kSources, [&](std::string_view key) { return map.find(key); });
  const auto sources = named + (lr_is_files && !hr);
  if (sources != 1)
    refuse(node.place,
           fmt::format("images names {} sources of pictures, expected one: {{path, lr: "
                       "{{scale}}}}, {{list, lr: {{scale}}}}, {{hr, lr}}, {{lr}}, {{manifest}} or "
                       "{{procedural, lr: {{scale}}}}",
                       sources));
  if (const YamlNode* path = map.find("path")) images.path = read_path(*path, map.path("path"));
  if (const YamlNode* list = map.find("list")) read_list(*list, map.path("list"), images);
  if (hr) images.hr = read_path(*hr, map.path("hr"));
  if (manifest) use_manifest(read_path(*manifest, map.path("manifest")), images);
  if (const YamlNode* tags = map.find("tags")) read_tags(*tags, map.path("tags"), images);
  if (const YamlNode* procedural = map.find("procedural"))
    images.procedural = read_procedural(*procedural, map.path("procedural"));
  if (lr_is_files) {
    images.lr = read_path(*lr, map.path("lr"));
  } else if (lr || !manifest) {
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

void drop_replaced_source(YamlNode& base, const YamlNode& over) {
  const auto has = [&](std::string_view key) { return over.find(key) != nullptr; };
  if (!lr_names_files(over) && std::ranges::none_of(kSources, has)) return;
  // A manifest says itself what the inputs are.
  const bool lr_goes = lr_names_files(base) || over.find("manifest");
  std::erase_if(base.entries, [&](const YamlNode::Entry& entry) {
    return std::ranges::find(kSources, entry.key) != std::end(kSources) || entry.key == "match" ||
           entry.key == "modcrop" || entry.key == "scale" || entry.key == "tags" ||
           (entry.key == "lr" && lr_goes);
  });
}

void read_images(const YamlNode& node, Spec& spec) {
  const MapReader map(node, "images",
                      {"path", "hr", "lr", "match", "modcrop", "scale", "procedural", "limit", "list",
                       "manifest", "tags", "max_megapixels", "lenient"});
  read_source(map, node, spec.images);
  if (const YamlNode* match = map.find("match")) {
    spec.images.match = read_text(*match, map.path("match"));
    if (spec.images.hr.empty()) refuse(match->place, "images.match without images.hr, expected both or none");
    if (spec.images.match.find("{name}") == std::string::npos)
      refuse(match->place, fmt::format("images.match is '{}', expected {{name}} in it", spec.images.match));
  }
  if (const YamlNode* modcrop = map.find("modcrop")) {
    if (spec.images.hr.empty() && !spec.images.manifest)
      refuse(modcrop->place, "images.modcrop without images.hr or images.manifest, expected one of them");
    spec.images.cut_reference = read_boolean(*modcrop, map.path("modcrop"));
  }
  if (const YamlNode* scale = map.find("scale")) {
    if (!spec.images.hr.empty() || spec.images.make_lr)
      refuse(scale->place,
             "images.scale beside pictures that have references, expected it only with images.lr alone");
    spec.scale = static_cast<int>(read_integer(*scale, map.path("scale"), 1, kMostScale));
  }
  if (const YamlNode* limit = map.find("limit"))
    spec.images.limit = read_integer(*limit, map.path("limit"), 0, std::numeric_limits<std::int32_t>::max());
  if (const YamlNode* most = map.find("max_megapixels"))
    spec.images.max_megapixels =
        static_cast<int>(read_integer(*most, map.path("max_megapixels"), 1, kMostMegapixels));
  if (const YamlNode* lenient = map.find("lenient"))
    spec.images.lenient = read_boolean(*lenient, map.path("lenient"));
}

nlohmann::json images_json(const Spec& spec) {
  const ImageSetSpec& images = spec.images;
  nlohmann::json json = {{"limit", images.limit},
                         {"match", images.match},
                         {"scale", spec.scale},
                         {"same_size", images.same_size},
                         {"cut_reference", images.cut_reference}};
  for (const auto& [key, path] : {std::pair{"path", images.path}, std::pair{"hr", images.hr},
                                  std::pair{"lr", images.lr}, std::pair{"manifest", images.manifest_file}})
    if (!path.empty()) json[key] = portable(path, spec.directory);
  for (const auto& file : images.list) json["list"].push_back(portable(file, spec.directory));
  if (!images.prompts.empty()) json["prompts"] = images.prompts;
  if (!images.tags.empty()) json["tags"] = images.tags;
  if (images.max_megapixels > 0) json["max_megapixels"] = images.max_megapixels;
  if (images.lenient) json["lenient"] = true;
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
