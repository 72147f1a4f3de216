#include "harness/spec/manifest.h"

#include <limits>

#include <fmt/format.h>

#include "datasets/codec/decode.h"
#include "harness/spec/read.h"

namespace upbench {
namespace {

constexpr std::size_t kMostBytes = 64'000'000;

YamlNode parse_file(const std::filesystem::path& file) {
  const std::vector<std::uint8_t> bytes = read_bytes(file);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return parse_yaml(text, std::make_shared<const YamlSource>(YamlSource{file.string(), file.parent_path()}),
                    kMostBytes);
}

Digest read_digest(const YamlNode& node, const std::string& what) {
  try {
    return parse_digest(read_text(node, what));
  } catch (const SpecError&) {
    throw;
  } catch (const std::invalid_argument&) {
    refuse(node.place,
           fmt::format("{} is {}, expected a SHA-256 of 64 hexadecimal digits", what, describe(node)));
  }
}

std::vector<std::string> read_texts(const YamlNode& node, const std::string& what) {
  require_kind(node, YamlNode::Kind::list, what, "a list of texts");
  std::vector<std::string> texts;
  for (const YamlNode& item : node.items) texts.push_back(read_text(item, what));
  return texts;
}

void find_text(const MapReader& map, std::string_view key, std::string& text) {
  if (const YamlNode* node = map.find(key)) text = read_text(*node, map.path(key));
}

int find_count(const MapReader& map, std::string_view key) {
  const YamlNode* node = map.find(key);
  if (!node) return 0;
  return static_cast<int>(read_integer(*node, map.path(key), 0, std::numeric_limits<std::int32_t>::max()));
}

SetManifest::Made read_made(const YamlNode& node) {
  const MapReader map(
      node, "made",
      {"by", "scale", "kernel", "kernel_version", "degrade", "degradation_version", "seed", "cropped"});
  SetManifest::Made made;
  find_text(map, "by", made.by);
  find_text(map, "kernel", made.kernel);
  made.scale = find_count(map, "scale");
  made.kernel_version = find_count(map, "kernel_version");
  made.degradation_version = find_count(map, "degradation_version");
  if (const YamlNode* degrade = map.find("degrade")) made.degrade = read_texts(*degrade, map.path("degrade"));
  if (const YamlNode* seed = map.find("seed")) made.seed = read_unsigned(*seed, map.path("seed"));
  if (const YamlNode* cropped = map.find("cropped"))
    made.cropped = read_boolean(*cropped, map.path("cropped"));
  return made;
}

SetManifest::Item read_item(const YamlNode& node, const std::string& what) {
  const MapReader map(
      node, what,
      {"name", "file", "sha256", "hr", "hr_sha256", "tags", "from", "from_sha256", "degradation", "notes"});
  SetManifest::Item item;
  item.file = read_path(map.need("file"), map.path("file"));
  item.sha256 = read_digest(map.need("sha256"), map.path("sha256"));
  if (const YamlNode* hr = map.find("hr")) {
    item.hr = read_path(*hr, map.path("hr"));
    item.hr_sha256 = read_digest(map.need("hr_sha256"), map.path("hr_sha256"));
  } else if (const YamlNode* alone = map.find("hr_sha256")) {
    refuse(alone->place, fmt::format("{} without hr, expected both or none", map.path("hr_sha256")));
  }
  item.name = (item.hr.empty() ? item.file : item.hr).stem().string();
  find_text(map, "name", item.name);
  if (const YamlNode* tags = map.find("tags")) item.tags = read_texts(*tags, map.path("tags"));
  find_text(map, "from", item.from);
  if (const YamlNode* from = map.find("from_sha256"))
    item.from_sha256 = read_digest(*from, map.path("from_sha256"));
  find_text(map, "degradation", item.degradation);
  if (const YamlNode* notes = map.find("notes")) item.notes = read_texts(*notes, map.path("notes"));
  return item;
}

SetManifest read_tree(const YamlNode& tree) {
  const MapReader map(tree, "", {"name", "licence", "source", "made", "items"}, "the manifest");
  SetManifest manifest;
  find_text(map, "name", manifest.name);
  find_text(map, "licence", manifest.licence);
  find_text(map, "source", manifest.source);
  if (const YamlNode* made = map.find("made")) manifest.made = read_made(*made);
  const YamlNode& items = map.need("items");
  require_kind(items, YamlNode::Kind::list, "items", "a list");
  if (items.items.empty()) refuse(items.place, "items is an empty list, expected one item or more");
  manifest.items.reserve(items.items.size());
  for (std::size_t i = 0; i < items.items.size(); ++i)
    manifest.items.push_back(read_item(items.items[i], fmt::format("items[{}]", i)));
  return manifest;
}

}  // namespace

SetManifest read_manifest(const std::filesystem::path& file) {
  return read_tree(parse_file(file));
}

void use_manifest(const std::filesystem::path& file, ImageSetSpec& spec) {
  spec.manifest = std::make_shared<const SetManifest>(read_manifest(file));
  spec.manifest_file = file;
}

ImageSetSpec read_set(const std::filesystem::path& file) {
  const YamlNode tree = parse_file(file);
  if (!tree.find("items")) return read_spec(file).images;
  ImageSetSpec spec;
  spec.manifest = std::make_shared<const SetManifest>(read_tree(tree));
  spec.manifest_file = file;
  return spec;
}

}  // namespace upbench
