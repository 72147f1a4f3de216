#include "harness/spec/override.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "harness/spec/images.h"
#include "harness/spec/names.h"
#include "harness/spec/read.h"
#include "harness/spec/stages.h"

namespace upbench {

const std::vector<std::string> kSpecKeys = {"name",  "extends", "images", "generate",  "pipeline", "metrics",
                                            "seeds", "exclude", "timing", "published", "fidelity"};

namespace {

namespace fs = std::filesystem;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    parts.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// The parameters of the stage with this id; nullptr where there is none.
YamlNode* find_stage(YamlNode& root, std::string_view id) {
  YamlNode* pipeline = root.find("pipeline");
  if (!pipeline) return nullptr;
  const std::vector<std::string> ids = stage_ids(*pipeline);
  const auto found = std::find(ids.begin(), ids.end(), id);
  if (found == ids.end() || found->empty()) return nullptr;
  return &pipeline->items[static_cast<std::size_t>(found - ids.begin())].entries[0].value;
}

std::vector<std::string> first_names(const YamlNode& root) {
  std::vector<std::string> names = kSpecKeys;
  if (const YamlNode* pipeline = root.find("pipeline"))
    for (const std::string& id : stage_ids(*pipeline))
      if (!id.empty()) names.push_back(id);
  return names;
}

YamlNode& child(YamlNode& parent, const std::string& part, const YamlPlace& place) {
  if (parent.is(YamlNode::Kind::list)) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    if (error != std::errc() || end != part.data() + part.size() || index >= parent.items.size())
      refuse(place, fmt::format("no item '{}' in this list, expected 0 to {}", part,
                                static_cast<long>(parent.items.size()) - 1));
    return parent.items[index];
  }
  if (parent.is(YamlNode::Kind::null)) parent.kind = YamlNode::Kind::map;
  if (!parent.is(YamlNode::Kind::map))
    refuse(place, fmt::format("no key '{}' here: the value is {}, expected a map", part, describe(parent)));
  if (YamlNode* found = parent.find(part)) return *found;
  parent.entries.push_back({part, place, {}});
  parent.entries.back().value.place = place;
  return parent.entries.back().value;
}

// The preset `node` names, beside the file that says so.
fs::path find_base(const YamlNode& node) {
  const fs::path written = read_path(node, "extends");
  fs::path with_suffix = written;
  with_suffix += ".yaml";
  for (const fs::path& candidate : {written, with_suffix})
    if (fs::is_regular_file(candidate)) return candidate;
  refuse(node.place, fmt::format("extends is '{}', expected a spec file at {} or {}", node.text,
                                 written.string(), with_suffix.string()));
}

YamlNode load_level(std::string_view text, const std::string& name, const fs::path& directory,
                    std::vector<fs::path>& chain) {
  YamlNode tree = parse_yaml(text, std::make_shared<const YamlSource>(YamlSource{name, directory}));
  const YamlNode* extends = tree.find("extends");
  if (!extends) return tree;
  const fs::path file = find_base(*extends);
  const fs::path canonical = fs::canonical(file);
  if (std::find(chain.begin(), chain.end(), canonical) != chain.end())
    refuse(extends->place, fmt::format("extends comes back to {}, expected no cycle", file.string()));
  chain.push_back(canonical);
  YamlNode base = load_level(read_spec_file(file), file.string(), file.parent_path(), chain);
  merge_onto(base, tree);
  base.place = tree.place;
  return base;
}

}  // namespace

void apply_override(YamlNode& root, const std::string& text, const fs::path& directory) {
  const auto source =
      std::make_shared<const YamlSource>(YamlSource{fmt::format("--set {}", text), directory});
  const YamlPlace place{source, 1, 1};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    refuse(place, "no PATH=VALUE, expected for instance images.limit=2");
  // Spaces before the value keep columns those of the argument.
  YamlNode value = parse_yaml(std::string(equals + 1, ' ') + text.substr(equals + 1), source);
  if (value.is(YamlNode::Kind::null)) refuse(place, "no value after '=', expected one");

  const std::vector<std::string> parts = split(std::string_view(text).substr(0, equals));
  YamlNode* node = &root;
  std::size_t next = 0;
  if (std::find(kSpecKeys.begin(), kSpecKeys.end(), parts[0]) == kSpecKeys.end()) {
    node = find_stage(root, parts[0]);
    if (!node) refuse(place, unknown_name("path", parts[0], first_names(root)));
    if (parts.size() == 1)
      refuse(place,
             fmt::format("'{}' is a stage, expected a parameter of it: {}.NAME=VALUE", parts[0], parts[0]));
    next = 1;
  }
  for (; next < parts.size(); ++next) node = &child(*node, parts[next], place);
  *node = std::move(value);
}

void merge_onto(YamlNode& base, const YamlNode& over) {
  if (!base.is(YamlNode::Kind::map) || !over.is(YamlNode::Kind::map)) {
    base = over;
    return;
  }
  // Pictures are there or are made: the last word counts.
  for (const auto& [said, other] : {std::pair{"images", "generate"}, std::pair{"generate", "images"}})
    if (over.find(said) != nullptr && over.find(other) == nullptr)
      std::erase_if(base.entries, [&](const YamlNode::Entry& entry) { return entry.key == other; });
  for (const auto& entry : over.entries) {
    YamlNode* there = base.find(entry.key);
    if (!there) {
      base.entries.push_back(entry);
      continue;
    }
    if (entry.key == "images") drop_replaced_source(*there, entry.value);
    merge_onto(*there, entry.value);
  }
}

YamlNode load_extended(std::string_view text, const std::string& name, const fs::path& directory) {
  std::vector<fs::path> chain;
  std::error_code ignored;
  if (const fs::path self = fs::canonical(name, ignored); !self.empty()) chain.push_back(self);
  return load_level(text, name, directory, chain);
}

std::string read_spec_file(const fs::path& file) {
  const auto fail = [&](std::string_view why) {
    throw SpecError(fmt::format("{}: {}, expected a spec file", file.string(), why));
  };
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (error) fail(error.message());
  // A pipe or device would be read without end.
  if (!fs::is_regular_file(status)) fail("no regular file");
  if (fs::file_size(file, error) > 1'000'000) fail("more than 1 MB");
  std::ifstream in(file, std::ios::binary);
  if (!in) fail(std::strerror(errno));
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad()) fail("cannot be read");
  return text;
}

}  // namespace upbench
